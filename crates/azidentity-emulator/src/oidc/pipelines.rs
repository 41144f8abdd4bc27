//! Azure Pipelines: a job exchanges its system token for one of a service
//! connection.
//!
//! <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, json};

use super::{Issuer, WorkloadToken, has_bearer};
use crate::form::Form;
use crate::state::State;
use crate::world::{FederatedCredential, World};

pub(crate) const PATH: &str = "/pipelines/oidctoken";

/// Seconds for which a token is valid.
const LIFETIME: u64 = 10 * 60;

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    if !has_bearer(&headers, &state.pipelines_token) {
        return sign_in(&headers);
    }
    if !query.get("api-version").is_some_and(is_version) {
        return refuse(
            StatusCode::BAD_REQUEST,
            "The query needs an api-version such as 7.1",
        );
    }
    let connection = query.get("serviceConnectionId");
    if !connection.is_some_and(|id| id.eq_ignore_ascii_case(World::SERVICE_CONNECTION_ID)) {
        return refuse(
            StatusCode::NOT_FOUND,
            "The query needs serviceConnectionId, the id of a service connection that this job may use",
        );
    }
    let token = WorkloadToken {
        issuer: Issuer::Pipelines,
        subject: World::PIPELINES_SUBJECT,
        audience: FederatedCredential::AUDIENCE,
        lifetime: LIFETIME,
        further: Map::new(),
    };
    match token.issue(&state).await {
        Ok(jwt) => Json(json!({ "oidcToken": jwt })).into_response(),
        Err(fault) => refuse(StatusCode::INTERNAL_SERVER_ERROR, fault),
    }
}

fn is_version(text: &str) -> bool {
    text.split_once('.').is_some_and(|(major, minor)| {
        major.parse::<u8>().is_ok_and(|major| major >= 7) && !minor.is_empty()
    })
}

/// Who has no token is sent to a page for people, unless the client says that
/// nobody is there.
fn sign_in(headers: &HeaderMap) -> Response {
    let suppressed = headers
        .get("x-tfs-fedauthredirect")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"suppress"));
    if suppressed {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    (StatusCode::FOUND, [(header::LOCATION, "/pipelines/signin")]).into_response()
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "$id": "1", "message": message }))).into_response()
}
