//! Who is asking? Checks what a client proves itself with.

use std::time::SystemTime;

use crate::entra_error::EntraError;
use crate::grants::TokenRequest;
use crate::token::ClientProof;
use crate::world::{Application, ServicePrincipal, Tenant};

/// A client that has proved who it is.
pub(crate) struct Client<'a> {
    pub(crate) application: &'a Application,
    pub(crate) principal: &'a ServicePrincipal,
    pub(crate) proof: ClientProof,
}

/// Demands the secret of a confidential client. Only what is in the body
/// counts: Entra's documentation allows HTTP Basic, its libraries never use it.
pub(crate) fn authenticate<'a>(
    request: &TokenRequest<'a>,
    tenant: &Tenant,
    client_id: &str,
) -> Result<Client<'a>, EntraError> {
    let installed = request
        .state
        .world
        .application(client_id)
        .and_then(|application| Some((application, application.service_principal(tenant.id())?)));
    let Some((application, principal)) = installed else {
        return Err(EntraError::new(
            700_016,
            format!(
                "The application '{}' was not found in the tenant '{}'. It has to be registered or installed \
                 there, or the request was meant for another tenant.",
                request.state.showable(client_id),
                tenant.name()
            ),
        ));
    };
    let presented = request.form.get("client_secret");
    if application.is_public() && presented.is_some() {
        return Err(EntraError::new(
            700_025,
            format!(
                "The application '{client_id}' is a public client and must not present a client_secret."
            ),
        ));
    }
    let Some(presented) = presented else {
        return Err(EntraError::new(
            7_000_216,
            "The client_credentials grant needs a client_secret in the request body.",
        ));
    };
    check_secret(application, presented, request.trace.at)?;
    Ok(Client {
        application,
        principal,
        proof: ClientProof::Secret,
    })
}

fn check_secret(
    application: &Application,
    presented: &str,
    now: SystemTime,
) -> Result<(), EntraError> {
    let id = application.client_id();
    // All are looked at, so that the time taken does not tell which one fits.
    let (mut valid, mut expired) = (false, false);
    for secret in application.secrets() {
        if secret.value.matches(presented) {
            if secret.expired_at(now) {
                expired = true;
            } else {
                valid = true;
            }
        }
    }
    if valid {
        return Ok(());
    }
    Err(if expired {
        EntraError::new(
            7_000_222,
            format!(
                "The client secret presented for the application '{id}' has expired. Create a new one."
            ),
        )
    } else {
        EntraError::new(
            7_000_215,
            format!(
                "The client secret presented for the application '{id}' is not valid. Send the value of \
                 the secret, not its id."
            ),
        )
    })
}
