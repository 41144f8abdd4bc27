//! Access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::world::{Audience, Roles, TokenVersion};

/// Entra dates tokens back by five minutes, for receivers whose clocks are slow.
const BACKDATED: u64 = 5 * 60;

/// How a client proved who it is; the `appidacr` and `azpacr` claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProof {
    Secret,
    /// A certificate, an assertion, or being a managed identity.
    Certificate,
}

impl ClientProof {
    fn class(self) -> &'static str {
        match self {
            Self::Secret => "1",
            Self::Certificate => "2",
        }
    }
}

/// An access token of an application itself, no user being involved.
pub(crate) struct AppToken<'a> {
    pub(crate) tenant_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) object_id: &'a str,
    pub(crate) proof: ClientProof,
    pub(crate) audience: &'a Audience,
    pub(crate) roles: &'a Roles,
    /// Whether the client said that it handles claims challenges.
    pub(crate) handles_challenges: bool,
    /// The Azure resource id of a managed identity.
    pub(crate) managed_identity: Option<&'a str>,
}

impl AppToken<'_> {
    /// The claims of a token issued at `now` (seconds since 1970) for so many
    /// seconds.
    pub(crate) fn claims(&self, authority: &str, now: u64, lifetime: u64) -> Value {
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        let issued = now.saturating_sub(BACKDATED);
        let sts = format!("https://sts.windows.net/{}/", self.tenant_id);
        claim("aud", json!(self.audience.aud));
        match self.audience.version {
            TokenVersion::V1 => {
                claim("iss", json!(sts));
                claim("appid", json!(self.client_id));
                claim("appidacr", json!(self.proof.class()));
                claim("idp", json!(sts));
                claim("ver", json!("1.0"));
            }
            TokenVersion::V2 => {
                claim("iss", json!(format!("{authority}/{}/v2.0", self.tenant_id)));
                claim("azp", json!(self.client_id));
                claim("azpacr", json!(self.proof.class()));
                claim("ver", json!("2.0"));
            }
        }
        claim("iat", json!(issued));
        claim("nbf", json!(issued));
        claim("exp", json!(now + lifetime));
        claim("aio", json!(opaque()));
        claim("idtyp", json!("app"));
        claim("oid", json!(self.object_id));
        claim("rh", json!(format!("1.{}.", opaque())));
        claim("sub", json!(self.object_id));
        claim("tid", json!(self.tenant_id));
        claim("uti", json!(opaque()));
        let roles = self.audience.roles(self.roles);
        if !roles.is_empty() {
            claim("roles", json!(roles));
        }
        if self.handles_challenges {
            claim("xms_cc", json!(["cp1"]));
        }
        if let Some(resource_id) = self.managed_identity {
            claim("xms_mirid", json!(resource_id));
        }
        Value::Object(claims)
    }
}

/// A value that means something to Entra alone.
fn opaque() -> String {
    URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes())
}
