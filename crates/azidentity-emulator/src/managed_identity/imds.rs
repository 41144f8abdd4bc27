//! The metadata service of virtual machines and scale sets.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Refusal, Selector, issue};
use crate::form::Form;
use crate::state::State;

pub(crate) const PATH: &str = "/metadata/identity/oauth2/token";

/// The versions that the token endpoint of the real service takes.
const VERSIONS: &[&str] = &[
    "2018-02-01",
    "2018-04-02",
    "2018-10-01",
    "2019-02-01",
    "2019-03-11",
    "2019-04-30",
    "2019-06-01",
    "2019-06-04",
    "2019-08-01",
    "2019-08-15",
    "2019-11-01",
    "2020-06-01",
    "2020-07-15",
    "2020-09-01",
    "2020-10-01",
    "2020-12-01",
    "2021-01-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-10-01",
    "2021-11-01",
    "2021-11-15",
    "2021-12-13",
    "2023-07-01",
    "2023-11-15",
    "2024-03-15",
    "2024-07-17",
    "2025-04-07",
];

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    match answer(&state, &query, &headers).await {
        Ok(answer) => answer,
        Err(refusal) => refusal,
    }
}

async fn answer(state: &State, query: &Form, headers: &HeaderMap) -> Result<Response, Response> {
    if let Some(refusal) = objection(headers) {
        return Err(refusal);
    }
    match query.get("api-version") {
        None => return Err(refuse("invalid_request", "The query needs api-version")),
        Some(version) if !VERSIONS.contains(&version) => {
            return Err(refuse(
                "invalid_request",
                "The api-version is not supported",
            ));
        }
        Some(_) => {}
    }
    let Some(resource) = query.get("resource") else {
        return Err(refuse("invalid_request", "The query needs resource"));
    };
    let selector = Selector::one_of([
        query.get("client_id").map(Selector::ClientId),
        query.get("object_id").map(Selector::ObjectId),
        query
            .get("msi_res_id")
            .or(query.get("mi_res_id"))
            .map(Selector::ResourceId),
    ])
    .map_err(|_| {
        refuse(
            "invalid_request",
            "Only one of client_id, object_id and msi_res_id can be given",
        )
    })?;
    let identity = match (selector.find(&state.world), &selector) {
        (Some(identity), _) => identity,
        // A machine's only identity is meant when none is named.
        (None, Selector::Unspecified) => match state.world.identities() {
            [only] => only,
            [] => return Err(refuse("invalid_request", "Identity not found")),
            _ => {
                return Err(refuse(
                    "invalid_request",
                    "Several user-assigned identities exist; name one by client_id, object_id or msi_res_id",
                ));
            }
        },
        (None, _) => return Err(refuse("invalid_request", "Identity not found")),
    };
    let issued = issue(state, identity, resource)
        .await
        .map_err(|refusal| match refusal {
            Refusal::Resource(text) => refuse("invalid_resource", &text),
            Refusal::Fault(text) => fault(text),
        })?;
    let remaining = super::LIFETIME - 1;
    Ok(Json(json!({
        "access_token": issued.access_token,
        "client_id": identity.client_id(),
        "expires_in": remaining.to_string(),
        "expires_on": issued.expires_on.to_string(),
        "ext_expires_in": remaining.to_string(),
        "not_before": issued.not_before.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    }))
    .into_response())
}

/// Both conditions keep a token from whoever makes a program on this machine
/// fetch an address of his choice.
pub(super) fn objection(headers: &HeaderMap) -> Option<Response> {
    if headers
        .get("metadata")
        .is_none_or(|value| !value.as_bytes().eq_ignore_ascii_case(b"true"))
    {
        return Some(refuse(
            "bad_request_102",
            "Required metadata header not specified",
        ));
    }
    if headers.contains_key("x-forwarded-for") {
        return Some(refuse(
            "invalid_request",
            "A request that was forwarded (X-Forwarded-For) is not answered",
        ));
    }
    None
}

pub(super) fn refuse(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn fault(description: &str) -> Response {
    let body = json!({ "error": "unknown", "error_description": description });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
