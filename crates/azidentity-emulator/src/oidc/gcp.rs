//! The metadata server of Google Cloud: a machine's service account.
//!
//! <https://cloud.google.com/compute/docs/instances/verifying-instance-identity>

use std::sync::Arc;

use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, json};

use super::{Issuer, WorkloadToken};
use crate::form::Form;
use crate::state::State;
use crate::world::World;

pub(crate) const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// Seconds for which a token is valid.
const LIFETIME: u64 = 60 * 60;

const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let flavor = headers.get(FLAVOR.0);
    if flavor.is_none_or(|value| value != FLAVOR.1) || headers.contains_key("x-forwarded-for") {
        return answer(
            StatusCode::FORBIDDEN,
            "Missing Metadata-Flavor:Google header.\n".to_owned(),
        );
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let Some(audience) = query.get("audience") else {
        return answer(
            StatusCode::BAD_REQUEST,
            "non-empty audience parameter required\n".to_owned(),
        );
    };
    let mut further = Map::from_iter([("azp".to_owned(), json!(World::GCP_SUBJECT))]);
    if query.get("format") == Some("full") {
        let account = "orders@contoso.iam.gserviceaccount.com";
        further.insert("email".to_owned(), json!(account));
        further.insert("email_verified".to_owned(), json!(true));
        let machine =
            json!({ "compute_engine": { "project_id": "contoso", "zone": "europe-west4-a" } });
        further.insert("google".to_owned(), machine);
    }
    let token = WorkloadToken {
        issuer: Issuer::Gcp,
        subject: World::GCP_SUBJECT,
        audience,
        lifetime: LIFETIME,
        further,
    };
    match token.issue(&state).await {
        Ok(jwt) => answer(StatusCode::OK, jwt),
        Err(fault) => answer(StatusCode::INTERNAL_SERVER_ERROR, fault.to_owned()),
    }
}

fn answer(status: StatusCode, text: String) -> Response {
    (status, [FLAVOR], text).into_response()
}
