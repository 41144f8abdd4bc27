//! `refresh_token`: a sign-in is prolonged without the user.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token>

use super::{Grant, TokenRequest};
use crate::client_authentication::{authenticate_or_public, find_application};
use crate::clock;
use crate::entra_error::EntraError;
use crate::requested_claims::RequestedClaims;
use crate::user_grant::UserGrant;

pub(super) fn redeem(request: &TokenRequest<'_>) -> Result<Grant, EntraError> {
    let client_id = request.required("client_id")?;
    let token = request.required("refresh_token")?;
    let asked = RequestedClaims::parse(request.form.get("claims"))?;
    let now = clock::unix(request.trace.at);
    let application = find_application(request, client_id)?;
    let tokens = &request.state.ledger.refresh_tokens;
    let session = tokens.find(token, application.client_id(), now)?;
    let home = request.state.world.user(&session.user_id);
    let home = home.map_or("", |user| user.tenant_id());
    let tenant = request.tenant.tenant_of(request.state, home);
    let client = authenticate_or_public(request, tenant, client_id)?;
    // A new one comes with every answer, whether it is asked for again or not.
    let scope = format!(
        "{} offline_access",
        request.form.get("scope").unwrap_or(&session.scope)
    );
    UserGrant {
        state: request.state,
        tenant,
        application,
        proof: client.proof,
        session,
        scope: &scope,
        asked,
        nonce: None,
        wants_client_info: request.wants_client_info(),
        at: request.trace.at,
    }
    .make()
}
