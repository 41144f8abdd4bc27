//! GitHub Actions: a job asks the address in `ACTIONS_ID_TOKEN_REQUEST_URL`
//! for a token about itself.
//!
//! <https://docs.github.com/actions/reference/security/oidc>

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, json};

use super::{Issuer, WorkloadToken, has_bearer};
use crate::form::Form;
use crate::state::State;
use crate::world::World;

pub(crate) const PATH: &str = "/github/idtoken";

/// Seconds for which a token is valid.
const LIFETIME: u64 = 5 * 60;

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if !has_bearer(&headers, &state.github_token) {
        let body = json!({ "message": "The Authorization header is missing or is not valid" });
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let further = [
        ("repository", "contoso/orders"),
        ("repository_owner", "contoso"),
        ("ref", "refs/heads/main"),
        ("event_name", "push"),
    ];
    let token = WorkloadToken {
        issuer: Issuer::GitHub,
        subject: World::GITHUB_SUBJECT,
        audience: query
            .get("audience")
            .unwrap_or("https://github.com/contoso"),
        lifetime: LIFETIME,
        further: Map::from_iter(further.map(|(name, value)| (name.to_owned(), json!(value)))),
    };
    match token.issue(&state).await {
        Ok(jwt) => Json(json!({ "count": jwt.len(), "value": jwt })).into_response(),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault).into_response(),
    }
}
