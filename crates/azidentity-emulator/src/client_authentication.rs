//! Who is asking? Checks what a client proves itself with.

use crate::entra_error::EntraError;
use crate::grants::TokenRequest;
use crate::token::ClientProof;
use crate::world::{Application, ServicePrincipal, Tenant};

mod assertion;
mod certificate;
mod federated;
mod secret;

/// A client that has proved who it is, or is known to be public.
pub(crate) struct Client<'a> {
    pub(crate) application: &'a Application,
    pub(crate) principal: &'a ServicePrincipal,
    pub(crate) proof: ClientProof,
}

/// The application with this id, wherever it is installed.
pub(crate) fn find_application<'a>(
    request: &TokenRequest<'a>,
    client_id: &str,
) -> Result<&'a Application, EntraError> {
    let name = match request.tenant {
        crate::grants::Authority::Tenant(tenant) => tenant.name(),
        crate::grants::Authority::AnyTenant(name) => name,
    };
    let application = request.state.world.application(client_id);
    application.ok_or_else(|| not_found(&request.state.showable(client_id), name))
}

fn not_found(shown: &str, tenant: &str) -> EntraError {
    EntraError::new(
        700_016,
        format!(
            "The application '{shown}' was not found in the tenant '{tenant}'. It has to be registered or installed \
             there, or the request was meant for another tenant."
        ),
    )
}

/// Demands a secret or an assertion. Only what is in the body counts: Entra's
/// documentation allows HTTP Basic, its libraries never use it.
pub(crate) fn authenticate<'a>(
    request: &TokenRequest<'a>,
    tenant: &Tenant,
    client_id: &str,
) -> Result<Client<'a>, EntraError> {
    let (application, principal) = installed(request, tenant, client_id)?;
    match proof(request, application)? {
        Some(proof) => Ok(Client {
            application,
            principal,
            proof,
        }),
        None => Err(EntraError::new(
            7_000_216,
            "This grant needs a client_secret or a client_assertion in the request body.",
        )),
    }
}

/// The same for grants that public clients have, too.
pub(crate) fn authenticate_or_public<'a>(
    request: &TokenRequest<'a>,
    tenant: &Tenant,
    client_id: &str,
) -> Result<Client<'a>, EntraError> {
    let (application, principal) = installed(request, tenant, client_id)?;
    let proof = match proof(request, application)? {
        Some(proof) => proof,
        None if application.is_public() => ClientProof::Nothing,
        None => {
            return Err(EntraError::new(
                7_000_218,
                "The request body must contain client_assertion or client_secret: the application is a confidential \
                 client.",
            ));
        }
    };
    Ok(Client {
        application,
        principal,
        proof,
    })
}

fn installed<'a>(
    request: &TokenRequest<'a>,
    tenant: &Tenant,
    client_id: &str,
) -> Result<(&'a Application, &'a ServicePrincipal), EntraError> {
    let world = &request.state.world;
    world
        .application(client_id)
        .and_then(|application| Some((application, application.service_principal(tenant.id())?)))
        .ok_or_else(|| not_found(&request.state.showable(client_id), tenant.name()))
}

/// Checks what the client presents; `None` when that is nothing.
fn proof(
    request: &TokenRequest<'_>,
    application: &Application,
) -> Result<Option<ClientProof>, EntraError> {
    let secret = request.form.get("client_secret");
    let assertion = request.form.get("client_assertion");
    let presented = match (secret, assertion) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            // RFC 6749, section 2.3: not more than one method in a request.
            return Err(EntraError::new(
                9_002_313,
                "The request has both a client_secret and a client_assertion. One of them is enough.",
            ));
        }
        (Some(_), None) => "client_secret",
        (None, Some(_)) => "client_assertion",
    };
    if application.is_public() {
        return Err(EntraError::new(
            700_025,
            format!(
                "The application '{}' is a public client and must not present a {presented}.",
                application.client_id()
            ),
        ));
    }
    if let Some(secret) = secret {
        secret::check(application, secret, request.trace.at)?;
        return Ok(Some(ClientProof::Secret));
    }
    if let Some(assertion) = assertion {
        assertion::check(request, application, assertion)?;
    }
    Ok(Some(ClientProof::Certificate))
}
