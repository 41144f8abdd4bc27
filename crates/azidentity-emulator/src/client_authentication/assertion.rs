//! Client assertions (RFC 7523, section 2.2): a JWT in place of a secret.

use super::{certificate, federated};
use crate::clock;
use crate::entra_error::EntraError;
use crate::grants::TokenRequest;
use crate::jwt::{Jwt, Malformed};
use crate::world::Application;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far clocks may differ, in seconds.
const SKEW: f64 = 5.0 * 60.0;

/// Checks an assertion, whether the client signed it with a certificate or
/// another issuer signed it for the client.
pub(super) fn check(
    request: &TokenRequest<'_>,
    application: &Application,
    assertion: &str,
) -> Result<(), EntraError> {
    if request.required("client_assertion_type")? != TYPE {
        return Err(EntraError::new(
            9_002_313,
            format!("The parameter 'client_assertion_type' has to be {TYPE}."),
        ));
    }
    let jwt = Jwt::parse(assertion).map_err(|Malformed(why)| malformed(why))?;
    if jwt.algorithm().is_none() {
        return Err(EntraError::new(
            5_002_730,
            "The client assertion is not signed with RS256 or PS256, the algorithms that are taken.",
        ));
    }
    let issuer = jwt.text("iss");
    let Some(issuer) = issuer.filter(|issuer| !issuer.is_empty()) else {
        return Err(malformed("it has no issuer (iss)"));
    };
    if jwt.text("aud").is_none() {
        return Err(malformed("its audience (aud) is not one text"));
    }
    let own = |name: &str| name.eq_ignore_ascii_case(application.client_id());
    if own(issuer) || jwt.text("sub").is_some_and(own) {
        certificate::check(request, application, &jwt, assertion)
    } else if issuer.contains("://") {
        federated::check(request, application, &jwt)
    } else {
        Err(not_the_client(application))
    }
}

pub(super) fn malformed(why: &str) -> EntraError {
    EntraError::new(
        50027,
        format!("The client assertion is not a JWT that can be used: {why}."),
    )
}

pub(super) fn not_the_client(application: &Application) -> EntraError {
    EntraError::new(
        700_021,
        format!(
            "The client assertion names another application than the parameter client_id: both iss and sub have to \
             be '{}'.",
            application.client_id()
        ),
    )
}

pub(super) fn bad_signature(why: &str) -> EntraError {
    EntraError::new(
        700_027,
        format!("The signature of the client assertion was not accepted: {why}."),
    )
}

/// Within which time an assertion counts, in seconds since 1970.
pub(super) struct Life {
    pub(super) now: f64,
    pub(super) expires: f64,
}

/// Checks the life of an assertion.
pub(super) fn check_life(request: &TokenRequest<'_>, jwt: &Jwt<'_>) -> Result<Life, EntraError> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "seconds of this epoch are exact"
    )]
    let now = clock::unix(request.trace.at) as f64;
    let outside = |what: &str| {
        EntraError::new(
            700_024,
            format!(
                "The client assertion is not within its valid time range: {what}. It is {} here.",
                clock::text(request.trace.at)
            ),
        )
    };
    let Some(expires) = jwt.moment("exp") else {
        return Err(malformed("it has no time of expiry (exp)"));
    };
    if expires + SKEW <= now {
        return Err(outside("it has expired"));
    }
    if jwt.claims.contains_key("nbf") {
        match jwt.moment("nbf") {
            Some(from) if from - SKEW > now => return Err(outside("it is not valid yet (nbf)")),
            Some(_) => {}
            None => return Err(malformed("its nbf is not a number")),
        }
    }
    Ok(Life { now, expires })
}
