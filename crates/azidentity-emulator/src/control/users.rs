//! Users over HTTP. Whatever their media type says, the bodies are JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, read};
use crate::emulator::users;
use crate::entra_error::EntraError;
use crate::sign_in::SignIn;
use crate::signing::TOKENS;
use crate::state::State;

/// What the token endpoint would answer.
pub(super) async fn sign_in(
    Shared(state): Shared<Arc<State>>,
    body: String,
) -> Result<Json<Value>, Refused> {
    let sign_in: SignIn = read(&body)?;
    let grant = sign_in.grant(&state).map_err(|error| refused(&error))?;
    let key = TOKENS
        .key()
        .await
        .map_err(|fault| (StatusCode::INTERNAL_SERVER_ERROR, fault.to_owned()))?;
    Ok(Json(grant.answer(key).map_err(|error| refused(&error))?))
}

pub(super) async fn code(
    Shared(state): Shared<Arc<State>>,
    body: String,
) -> Result<Json<Value>, Refused> {
    let sign_in: SignIn = read(&body)?;
    let code = sign_in.code(&state).map_err(|error| refused(&error))?;
    Ok(Json(json!({ "code": code.expose() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    user: Option<String>,
}

pub(super) async fn revoke(
    Shared(state): Shared<Arc<State>>,
    body: String,
) -> Result<Json<Value>, Refused> {
    let whose: Revocation = read(if body.is_empty() { "{}" } else { &body })?;
    let revoked = users::revoke(&state, whose.user.as_deref());
    Ok(Json(json!({ "revoked": revoked })))
}

fn refused(error: &EntraError) -> Refused {
    (StatusCode::BAD_REQUEST, error.text())
}
