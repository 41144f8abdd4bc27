//! `/_emulator/`: what a test in another language asks the emulator itself.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router, middleware};
use serde::de::DeserializeOwned;

use crate::script::Script;
use crate::state::State;

mod clients;
mod clock;
mod guard;
mod users;

/// Requests below this path are not recorded, and not touched by faults.
pub(crate) const PREFIX: &str = "/_emulator/";

pub(crate) fn router(state: &Arc<State>) -> Router<Arc<State>> {
    let guard = middleware::from_fn_with_state(Arc::clone(state), guard::admit);
    Router::new()
        .route("/_emulator/requests", get(requests).delete(clear))
        .route("/_emulator/script", put(script).delete(clear_script))
        .route(
            "/_emulator/clock",
            get(clock::show).put(clock::set).delete(clock::reset),
        )
        .route("/_emulator/ca.pem", get(ca))
        .route("/_emulator/sign-in", post(users::sign_in))
        .route("/_emulator/authorization-code", post(users::code))
        .route("/_emulator/revoke-refresh-tokens", post(users::revoke))
        .route(
            "/_emulator/client-certificate.pem",
            get(clients::registered),
        )
        .route(
            "/_emulator/renewed-client-certificate.pem",
            get(clients::renewed),
        )
        .route(
            "/_emulator/service-account-token",
            post(clients::service_account_token),
        )
        .route_layer(guard)
}

async fn requests(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    Json(state.recorder.all())
}

async fn clear(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.recorder.clear();
    StatusCode::NO_CONTENT
}

async fn script(
    Shared(state): Shared<Arc<State>>,
    text: String,
) -> Result<StatusCode, (StatusCode, String)> {
    let script =
        Script::from_toml(&text).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    state.script.replace(script);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_script(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.script.replace(Script::default());
    StatusCode::NO_CONTENT
}

async fn ca(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/x-pem-file")],
        state.ca_pem.clone(),
    )
}

/// A status and what it means.
type Refused = (StatusCode, String);

/// A body in JSON.
fn read<T: DeserializeOwned>(body: &str) -> Result<T, Refused> {
    serde_json::from_str(body).map_err(|error| {
        // Not what serde says, which could quote a secret in a wrong place.
        let text = format!(
            "the body has to be a JSON object with the right keys; line {} is wrong",
            error.line()
        );
        (StatusCode::BAD_REQUEST, text)
    })
}
