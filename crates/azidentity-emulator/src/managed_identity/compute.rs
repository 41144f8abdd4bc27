//! What the metadata service knows of the machine itself.
//!
//! <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::imds;
use crate::form::Form;
use crate::state::State;

pub(crate) const PATH: &str = "/metadata/instance/compute";

/// Where the machine stands: what clients ask for the nearest authority.
pub(super) async fn location(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = imds::objection(&headers) {
        return refusal;
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    if query.get("api-version").is_none() {
        return imds::refuse("invalid_request", "The query needs api-version");
    }
    Json(json!({
        "location": state.world.region(),
        "name": "contoso-vm",
        "osType": "Linux",
        "provider": "Microsoft.Compute",
    }))
    .into_response()
}
