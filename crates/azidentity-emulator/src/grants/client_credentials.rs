//! `client_credentials`: an application signs in as itself.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use super::{Authority, Grant, TokenRequest};
use crate::client_authentication::authenticate;
use crate::clock;
use crate::entra_error::EntraError;
use crate::requested_claims::RequestedClaims;
use crate::scope;
use crate::token::AppToken;

/// Seconds for which an access token of an application is valid.
const LIFETIME: u64 = 60 * 60;

pub(super) fn redeem(request: &TokenRequest<'_>) -> Result<Grant, EntraError> {
    let client_id = request.required("client_id")?;
    let scope = request.required("scope")?;
    let Authority::Tenant(tenant) = request.tenant else {
        // Nobody signs in whose tenant it could be.
        return Err(EntraError::new(
            50059,
            "Neither the request nor the credentials say which tenant is meant. An application that signs in as \
             itself has to name its tenant in place of common or organizations.",
        ));
    };
    let client = authenticate(request, tenant, client_id)?;
    let audience = scope::of_application(request.state, tenant, scope)?;
    let asked = RequestedClaims::parse(request.form.get("claims"))?;
    let token = AppToken {
        tenant_id: tenant.id(),
        client_id: client.application.client_id(),
        object_id: client.principal.object_id(),
        proof: client.proof,
        audience: &audience,
        roles: &client.application.roles,
        asked: &asked,
        managed_identity: None,
    };
    let now = clock::unix(request.trace.at);
    Ok(Grant {
        claims: token.claims(&request.state.authority, now, LIFETIME),
        lifetime: LIFETIME,
        user: None,
    })
}
