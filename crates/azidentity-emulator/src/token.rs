//! Access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::requested_claims::RequestedClaims;
use crate::world::{Audience, Roles, TokenVersion};

mod user;

pub(crate) use user::{IdToken, UserToken};

/// Entra dates tokens back by five minutes, for receivers whose clocks are slow.
const BACKDATED: u64 = 5 * 60;

/// How a client proved who it is; the `appidacr` and `azpacr` claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProof {
    /// None: a public client.
    Nothing,
    Secret,
    /// A certificate, an assertion, or being a managed identity.
    Certificate,
}

impl ClientProof {
    fn class(self) -> &'static str {
        match self {
            Self::Nothing => "0",
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
    /// What the client asked for besides.
    pub(crate) asked: &'a RequestedClaims,
    /// The Azure resource id of a managed identity.
    pub(crate) managed_identity: Option<&'a str>,
}

impl AppToken<'_> {
    /// The claims of a token issued at `now` (seconds since 1970) for so many
    /// seconds.
    pub(crate) fn claims(&self, authority: &str, now: u64, lifetime: u64) -> Value {
        let mut claims = Base {
            tenant_id: self.tenant_id,
            client_id: self.client_id,
            proof: self.proof,
            audience: self.audience,
            asked: self.asked,
        }
        .claims(authority, now, lifetime);
        let mut claim = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        claim("idtyp", json!("app"));
        claim("oid", json!(self.object_id));
        claim("sub", json!(self.object_id));
        let roles = self.audience.roles(self.roles);
        if !roles.is_empty() {
            claim("roles", json!(roles));
        }
        if let Some(resource_id) = self.managed_identity {
            claim("xms_mirid", json!(resource_id));
        }
        Value::Object(claims)
    }
}

/// What tokens of applications and of users have in common.
struct Base<'a> {
    tenant_id: &'a str,
    client_id: &'a str,
    proof: ClientProof,
    audience: &'a Audience,
    asked: &'a RequestedClaims,
}

impl Base<'_> {
    fn claims(&self, authority: &str, now: u64, lifetime: u64) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        // A claims challenge can demand a token that is not older than a moment.
        let since = self.asked.not_before().unwrap_or(0).min(now);
        let issued = now.saturating_sub(BACKDATED).max(since);
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
        claim("rh", json!(format!("1.{}.", opaque())));
        claim("tid", json!(self.tenant_id));
        claim("uti", json!(opaque()));
        if self.asked.handles_challenges() {
            claim("xms_cc", json!(["cp1"]));
        }
        let contexts = self.asked.contexts();
        if !contexts.is_empty() {
            claim("acrs", json!(contexts));
        }
        claims
    }
}

/// A value that means something to Entra alone.
fn opaque() -> String {
    URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes())
}
