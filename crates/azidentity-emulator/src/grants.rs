//! What the token endpoint gives a token for. One file per grant.

use serde_json::Value;

use crate::entra_error::{EntraError, Trace};
use crate::form::Form;
use crate::state::State;
use crate::world::Tenant;

mod client_credentials;

/// A grant looks at the request and says what is to be signed.
type Redeem = fn(&TokenRequest<'_>) -> Result<Grant, EntraError>;

/// The values of `grant_type` and who handles them.
const GRANTS: &[(&str, Redeem)] = &[("client_credentials", client_credentials::redeem)];

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
}

/// What the first segment of the path stands for.
#[derive(Clone, Copy)]
pub(crate) enum Authority<'a> {
    Tenant(&'a Tenant),
    /// `common`, `organizations`: whichever tenant the user turns out to be of.
    AnyTenant(&'static str),
}

/// What a grant led to: an access token to be signed.
pub(crate) struct Grant {
    pub(crate) claims: Value,
    /// Seconds from now.
    pub(crate) lifetime: u64,
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
