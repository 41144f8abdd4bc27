//! Assertions that another issuer signed (workload identity federation).
//!
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>

use super::assertion::{bad_signature, check_life};
use crate::entra_error::EntraError;
use crate::grants::TokenRequest;
use crate::jwt::Jwt;
use crate::oidc::Issuer;
use crate::world::{Application, FederatedCredential, IssuerKeys};

pub(super) fn check(
    request: &TokenRequest<'_>,
    application: &Application,
    jwt: &Jwt<'_>,
) -> Result<(), EntraError> {
    let credential = find(request, application, jwt)?;
    let fits = match &credential.keys {
        IssuerKeys::Given(keys) => keys.iter().any(|key| key.signed(jwt)),
        IssuerKeys::Own(_) => Issuer::keys().iter().any(|key| key.signed(jwt)),
    };
    if !fits {
        return Err(bad_signature("none of its issuer's keys signed it"));
    }
    check_life(request, jwt).map(|_| ())
}

/// The credential that the assertion is meant for. Issuer, audience and subject
/// are compared to the letter, as Entra does, and in this order.
fn find<'a>(
    request: &TokenRequest<'_>,
    application: &'a Application,
    jwt: &Jwt<'_>,
) -> Result<&'a FederatedCredential, EntraError> {
    let authority = &request.state.authority;
    let shown = |claim: &str| {
        let text = jwt.text(claim).unwrap_or_default();
        request.state.showable(text).into_owned()
    };
    let none = |number: u32, claim: &str, what: &str| {
        EntraError::new(
            number,
            format!(
                "The application '{}' has no federated identity credential for the {what} '{}' of the client \
                 assertion. The comparison is case-sensitive.",
                application.client_id(),
                shown(claim)
            ),
        )
    };
    let mut left: Vec<_> = application.federated_credentials().iter().collect();
    left.retain(|known| jwt.text("iss") == Some(known.issuer_url(authority).as_str()));
    if left.is_empty() {
        return Err(none(700_211, "iss", "issuer"));
    }
    left.retain(|known| jwt.text("aud") == Some(known.audience()));
    if left.is_empty() {
        return Err(none(700_212, "aud", "audience"));
    }
    left.retain(|known| jwt.text("sub") == Some(known.subject()));
    left.first()
        .copied()
        .ok_or_else(|| none(700_213, "sub", "subject"))
}
