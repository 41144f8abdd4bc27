//! The HTTPS port: what login.microsoftonline.com does.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};

use crate::entra_error::{EntraError, Trace};
use crate::form::{self, Form};
use crate::grants::{self, Authority, TokenRequest};
use crate::oidc;
use crate::signing::TOKENS;
use crate::state::State;

mod authorize;
mod discovery;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/common/discovery/instance", get(discovery::instance))
        .route(
            "/{tenant}/.well-known/openid-configuration",
            get(discovery::metadata_v1),
        )
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(discovery::metadata_v2),
        )
        .route("/{tenant}/discovery/keys", get(discovery::keys))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route(
            "/{tenant}/oauth2/v2.0/token",
            post(token).fallback(only_post),
        )
        .route(
            "/{tenant}/oauth2/v2.0/authorize",
            get(authorize::get).post(authorize::post),
        )
        .merge(oidc::issuers())
        .merge(oidc::sources())
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(state)
}

async fn token(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    trace: Trace,
    body: Bytes,
) -> Response {
    match issue(&state, &tenant, &headers, &body, &trace).await {
        Ok(answer) => answer,
        Err(error) => error.respond(&trace),
    }
}

async fn issue(
    state: &State,
    tenant: &str,
    headers: &HeaderMap,
    body: &[u8],
    trace: &Trace,
) -> Result<Response, EntraError> {
    let tenant = find_authority(state, tenant)?;
    // A body that does not say it is a form has no parameters.
    let form = Form::parse(if form::is_form(headers) { body } else { &[] });
    if let Some(name) = form.duplicate() {
        return Err(EntraError::repeated(&state.showable(name)));
    }
    let grant = grants::redeem(&TokenRequest {
        state,
        tenant,
        form: &form,
        trace,
    })?;
    let key = TOKENS.key().await.map_err(EntraError::fault)?;
    Ok(trace.respond(StatusCode::OK, &grant.answer(key)?))
}

/// Who is meant by the first segment of a path.
fn find_authority<'a>(state: &'a State, segment: &str) -> Result<Authority<'a>, EntraError> {
    if let Some(tenant) = state.world.find_tenant(segment) {
        return Ok(Authority::Tenant(tenant));
    }
    for any in ["common", "organizations"] {
        if segment.eq_ignore_ascii_case(any) {
            return Ok(Authority::AnyTenant(any));
        }
    }
    let shown = state.showable(segment);
    if segment.contains('.') || crate::guid::parse(segment).is_some() {
        Err(EntraError::unknown_tenant(&shown))
    } else {
        Err(EntraError::malformed_tenant(&shown))
    }
}

async fn only_post(trace: Trace) -> Response {
    EntraError::new(900_561, "The endpoint only accepts POST requests.").respond(&trace)
}
