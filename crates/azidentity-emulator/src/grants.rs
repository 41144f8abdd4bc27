//! What the token endpoint gives a token for. One file per grant.

use serde_json::{Value, json};

use crate::entra_error::{EntraError, Trace};
use crate::form::Form;
use crate::secret::Secret;
use crate::signing::SigningKey;
use crate::state::State;
use crate::world::Tenant;

mod authorization_code;
mod client_credentials;
mod on_behalf_of;
mod refresh_token;

/// A grant looks at the request and says what is to be signed.
type Redeem = fn(&TokenRequest<'_>) -> Result<Grant, EntraError>;

/// The values of `grant_type` and who handles them.
const GRANTS: &[(&str, Redeem)] = &[
    ("authorization_code", authorization_code::redeem),
    ("client_credentials", client_credentials::redeem),
    ("refresh_token", refresh_token::redeem),
    (
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        on_behalf_of::redeem,
    ),
];

/// A request to the token endpoint, read but not believed.
pub(crate) struct TokenRequest<'a> {
    pub(crate) state: &'a State,
    pub(crate) tenant: Authority<'a>,
    pub(crate) form: &'a Form,
    pub(crate) trace: &'a Trace,
}

impl<'a> TokenRequest<'a> {
    /// A parameter the request cannot do without.
    pub(crate) fn required(&self, parameter: &str) -> Result<&'a str, EntraError> {
        self.form
            .get(parameter)
            .ok_or_else(|| EntraError::missing(parameter))
    }

    /// Whether the answer should say which account it is for.
    pub(crate) fn wants_client_info(&self) -> bool {
        self.form.get("client_info") == Some("1")
    }
}

/// What the first segment of the path stands for.
#[derive(Clone, Copy)]
pub(crate) enum Authority<'a> {
    Tenant(&'a Tenant),
    /// `common`, `organizations`: whichever tenant the user turns out to be of.
    AnyTenant(&'static str),
}

impl<'a> Authority<'a> {
    /// The tenant, where a user of `home` signs in.
    pub(crate) fn tenant_of(self, state: &'a State, home: &str) -> &'a Tenant {
        match self {
            Self::Tenant(tenant) => tenant,
            Self::AnyTenant(_) => state
                .world
                .find_tenant(home)
                .unwrap_or(state.world.tenant()),
        }
    }
}

/// What a grant led to: an access token to be signed.
pub(crate) struct Grant {
    pub(crate) claims: Value,
    /// Seconds from now.
    pub(crate) lifetime: u64,
    /// What goes with it when a user signed in.
    pub(crate) user: Option<UserPart>,
}

/// What only users have.
pub(crate) struct UserPart {
    pub(crate) scope: String,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_claims: Option<Value>,
    pub(crate) client_info: Option<String>,
}

impl Grant {
    /// The answer of the token endpoint.
    pub(crate) fn answer(self, key: &SigningKey) -> Result<Value, EntraError> {
        let sign = |claims: &Value| {
            key.sign(claims)
                .map_err(|_| EntraError::fault("the token could not be signed"))
        };
        // One second less than the token has, as Entra answers.
        let expires_in = self.lifetime - 1;
        let mut answer = json!({
            "token_type": "Bearer",
            "expires_in": expires_in,
            "ext_expires_in": expires_in,
            "access_token": sign(&self.claims)?,
        });
        let Some(user) = self.user else {
            return Ok(answer);
        };
        answer["scope"] = json!(user.scope);
        if let Some(token) = user.refresh_token {
            answer["refresh_token"] = json!(token.expose());
        }
        if let Some(claims) = user.id_claims {
            answer["id_token"] = json!(sign(&claims)?);
        }
        if let Some(info) = user.client_info {
            answer["client_info"] = json!(info);
        }
        Ok(answer)
    }
}

/// Finds the grant that was asked for and redeems it.
pub(crate) fn redeem(request: &TokenRequest<'_>) -> Result<Grant, EntraError> {
    let asked = request.required("grant_type")?;
    match GRANTS.iter().find(|(name, _)| *name == asked) {
        Some((_, redeem)) => redeem(request),
        None => Err(EntraError::new(
            70003,
            format!(
                "The grant type '{}' is not supported.",
                request.state.showable(asked)
            ),
        )),
    }
}

/// The grant types that exist.
pub(crate) fn names() -> Vec<&'static str> {
    GRANTS.iter().map(|(name, _)| *name).collect()
}
