//! `jwt-bearer`: an API that a user called calls another one for that user.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>

use serde_json::Value;

use super::{Authority, Grant, TokenRequest};
use crate::client_authentication::authenticate;
use crate::clock;
use crate::entra_error::EntraError;
use crate::jwt::{Jwt, Malformed};
use crate::requested_claims::RequestedClaims;
use crate::signing::TOKENS;
use crate::state::State;
use crate::user_grant::{Session, UserGrant};
use crate::world::{Application, Tenant};

pub(super) fn redeem(request: &TokenRequest<'_>) -> Result<Grant, EntraError> {
    let client_id = request.required("client_id")?;
    let assertion = request.required("assertion")?;
    if request.required("requested_token_use")? != "on_behalf_of" {
        return Err(EntraError::new(
            9_002_313,
            "The parameter 'requested_token_use' has to be on_behalf_of.",
        ));
    }
    let scope = request.required("scope")?;
    let asked = RequestedClaims::parse(request.form.get("claims"))?;
    let jwt = Jwt::parse(assertion).map_err(|Malformed(why)| malformed(why))?;
    let tenant = match request.tenant {
        Authority::Tenant(tenant) => tenant,
        any @ Authority::AnyTenant(_) => {
            any.tenant_of(request.state, jwt.text("tid").unwrap_or_default())
        }
    };
    let client = authenticate(request, tenant, client_id)?;
    let now = clock::unix(request.trace.at);
    let presented = check(request.state, tenant, client.application, &jwt, now)?;
    UserGrant {
        state: request.state,
        tenant,
        application: client.application,
        proof: client.proof,
        session: Session {
            user_id: presented.user_id,
            client_id: client.application.client_id().to_owned(),
            scope: scope.to_owned(),
            mfa: presented.mfa,
            contexts: presented.contexts,
        },
        scope,
        asked,
        nonce: None,
        wants_client_info: request.wants_client_info(),
        at: request.trace.at,
    }
    .make()
}

fn malformed(why: &str) -> EntraError {
    EntraError::new(
        50027,
        format!("The parameter 'assertion' is not a JWT that can be read: {why}."),
    )
}

/// What a user's token says of its user.
struct Presented {
    user_id: String,
    mfa: bool,
    contexts: Vec<String>,
}

/// A user's token, of this authority and tenant, not expired, for this very
/// application: a token for somebody else must not be passed on.
fn check(
    state: &State,
    tenant: &Tenant,
    application: &Application,
    jwt: &Jwt<'_>,
    now: u64,
) -> Result<Presented, EntraError> {
    let signed = TOKENS
        .made()
        .is_some_and(|key| jwt.is_signed_by(&key.verifier()));
    if !signed {
        return Err(EntraError::new(
            50013,
            "The signature of the assertion is not valid: it is not an access token of this authority, or it was \
             changed.",
        ));
    }
    if jwt.text("tid") != Some(tenant.id()) {
        return Err(EntraError::new(
            50013,
            format!(
                "The assertion was not issued by the tenant '{}'.",
                tenant.name()
            ),
        ));
    }
    let (from, until) = (jwt.moment("nbf"), jwt.moment("exp"));
    #[allow(
        clippy::cast_precision_loss,
        reason = "seconds of this epoch are exact"
    )]
    let now = now as f64;
    if !(from.is_some_and(|from| from <= now) && until.is_some_and(|until| now < until)) {
        return Err(EntraError::new(
            500_133,
            "The assertion has expired, or is not valid yet. The user's client has to get a new token for this \
             application.",
        ));
    }
    let audience = jwt.text("aud").unwrap_or_default();
    if !state.world.is_application(application, audience) {
        return Err(EntraError::new(
            500_131,
            format!(
                "The audience of the assertion is not the application '{}', which presents it. The user's client has \
                 to ask for a token for this application.",
                application.client_id()
            ),
        ));
    }
    if jwt.text("idtyp") != Some("user") || jwt.text("scp").is_none() {
        return Err(EntraError::new(
            7_000_114,
            "The assertion is an application's own token, or no access token: there is no user on whose behalf \
             anybody could act.",
        ));
    }
    let user_id = jwt.text("oid").unwrap_or_default().to_owned();
    let list = |claim: &str| {
        let values = jwt.claims.get(claim).and_then(Value::as_array);
        let values = values.into_iter().flatten().filter_map(Value::as_str);
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    Ok(Presented {
        user_id,
        mfa: list("amr").iter().any(|method| method == "mfa"),
        contexts: list("acrs"),
    })
}
