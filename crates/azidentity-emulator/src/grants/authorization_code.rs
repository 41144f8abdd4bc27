//! `authorization_code`: a user signed in at the authorize page, and the
//! application turns the code that it got into tokens.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>

use super::{Grant, TokenRequest};
use crate::client_authentication::{Client, authenticate_or_public, find_application};
use crate::clock;
use crate::entra_error::EntraError;
use crate::ledger::Code;
use crate::requested_claims::RequestedClaims;
use crate::user_grant::{Session, UserGrant};

pub(super) fn redeem(request: &TokenRequest<'_>) -> Result<Grant, EntraError> {
    let client_id = request.required("client_id")?;
    let code = request.required("code")?;
    let redirect_uri = request.required("redirect_uri")?;
    let asked = RequestedClaims::parse(request.form.get("claims"))?;
    let now = clock::unix(request.trace.at);
    // Before anything is said about the code.
    let application = find_application(request, client_id)?;
    request.state.ledger.codes.redeem(code, now, |code| {
        let home = request.state.world.user(&code.session.user_id);
        let home = home.map_or("", |user| user.tenant_id());
        let tenant = request.tenant.tenant_of(request.state, home);
        let client = authenticate_or_public(request, tenant, client_id)?;
        check_binding(&client, code, redirect_uri)?;
        check_verifier(code, request.form.get("code_verifier"))?;
        // Asking at the page was enough to be granted a context there.
        let contexts = asked.contexts().into_iter().map(str::to_owned);
        UserGrant {
            state: request.state,
            tenant,
            application,
            proof: client.proof,
            session: Session {
                contexts: code
                    .session
                    .contexts
                    .iter()
                    .cloned()
                    .chain(contexts)
                    .collect(),
                ..code.session.clone()
            },
            scope: request.form.get("scope").unwrap_or(&code.session.scope),
            asked: asked.clone(),
            nonce: code.nonce.clone(),
            wants_client_info: request.wants_client_info(),
            at: request.trace.at,
        }
        .make()
    })
}

/// A code is worth something only to whom it was sent.
fn check_binding(client: &Client<'_>, code: &Code, redirect_uri: &str) -> Result<(), EntraError> {
    if code.session.client_id != client.application.client_id() {
        return Err(EntraError::new(
            70000,
            "The authorization code was issued to another client.",
        ));
    }
    if code.redirect_uri != redirect_uri {
        return Err(EntraError::new(
            70000,
            "The parameter 'redirect_uri' is not the one with which the authorization code was asked for.",
        ));
    }
    Ok(())
}

fn check_verifier(code: &Code, verifier: Option<&str>) -> Result<(), EntraError> {
    let met = match (&code.challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => challenge.is_met_by(verifier),
        (Some(_), None) => {
            return Err(EntraError::missing("code_verifier"));
        }
        (None, Some(_)) => false,
    };
    if met {
        return Ok(());
    }
    Err(EntraError::new(
        501_481,
        "The parameter 'code_verifier' does not fit the code_challenge with which the authorization code was asked \
         for.",
    ))
}
