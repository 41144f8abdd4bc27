//! App Service and Functions; Container Apps have the same contract.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Refusal, Selector, issue};
use crate::form::Form;
use crate::guid;
use crate::state::State;

pub(crate) const PATH: &str = "/msi/token";

const VERSION: &str = "2019-08-01";

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    match answer(&state, &query, &headers).await {
        Ok(answer) => answer,
        Err((status, message)) => refuse(status, &message),
    }
}

async fn answer(
    state: &State,
    query: &Form,
    headers: &HeaderMap,
) -> Result<Response, (StatusCode, String)> {
    let bad = |message: &str| (StatusCode::BAD_REQUEST, message.to_owned());
    let presented = headers
        .get("x-identity-header")
        .and_then(|value| value.to_str().ok());
    if !presented.is_some_and(|value| state.identity_header.matches(value)) {
        return Err((
            StatusCode::UNAUTHORIZED,
            "The X-IDENTITY-HEADER is missing or is not the value of IDENTITY_HEADER".to_owned(),
        ));
    }
    if query.get("api-version") != Some(VERSION) {
        return Err(bad(&format!("The query needs api-version={VERSION}")));
    }
    let resource = query
        .get("resource")
        .ok_or_else(|| bad("The query needs resource"))?;
    let selector = Selector::one_of([
        query.get("client_id").map(Selector::ClientId),
        query
            .get("object_id")
            .or(query.get("principal_id"))
            .map(Selector::ObjectId),
        query.get("mi_res_id").map(Selector::ResourceId),
    ])
    .map_err(|_| {
        bad("Only one of client_id, object_id, principal_id and mi_res_id can be given")
    })?;
    let identity = selector.find(&state.world).ok_or_else(|| {
        bad(match selector {
            Selector::Unspecified => "This app has no system-assigned identity",
            _ => "This app has no user-assigned identity of that client, object or resource id",
        })
    })?;
    let issued = issue(state, identity, resource)
        .await
        .map_err(|refusal| match refusal {
            Refusal::Resource(text) => (StatusCode::BAD_REQUEST, text),
            Refusal::Fault(text) => (StatusCode::INTERNAL_SERVER_ERROR, text.to_owned()),
        })?;
    Ok(Json(json!({
        "access_token": issued.access_token,
        "client_id": identity.client_id(),
        "expires_on": issued.expires_on.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    }))
    .into_response())
}

fn refuse(status: StatusCode, message: &str) -> Response {
    let body = json!({ "statusCode": status.as_u16(), "message": message, "correlationId": guid::random() });
    (status, Json(body)).into_response()
}
