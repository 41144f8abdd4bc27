//! `/_emulator/`: what a test in another language asks the emulator itself.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};

use crate::state::State;

/// Requests below this path are not recorded.
pub(crate) const PREFIX: &str = "/_emulator/";

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/_emulator/requests", get(requests).delete(clear))
        .route("/_emulator/ca.pem", get(ca))
}

async fn requests(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    Json(state.recorder.all())
}

async fn clear(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.recorder.clear();
    StatusCode::NO_CONTENT
}

async fn ca(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/x-pem-file")],
        state.ca_pem.clone(),
    )
}
