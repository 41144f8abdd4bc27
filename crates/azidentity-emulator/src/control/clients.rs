//! What clients are configured with, over HTTP.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Map;

use super::{Refused, read};
use crate::client_certificate::{self, ClientCertificate, Made};
use crate::oidc::{Issuer, WorkloadToken};
use crate::signing::CLIENT;
use crate::state::State;
use crate::world::{FederatedCredential, World};

pub(super) async fn registered() -> Response {
    certificate(ClientCertificate::registered).await
}

pub(super) async fn renewed() -> Response {
    certificate(ClientCertificate::renewed).await
}

/// Key, certificate and authority in PEM.
async fn certificate(which: fn(&'static Made) -> ClientCertificate) -> Response {
    // Waits without holding up other requests; afterwards nothing blocks.
    let made = CLIENT.key().await.and_then(|_| client_certificate::make());
    match made {
        Ok(made) => {
            let media_type = [(header::CONTENT_TYPE, "application/x-pem-file")];
            (media_type, which(made).pem()).into_response()
        }
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    audience: Option<String>,
    subject: Option<String>,
}

/// The token itself, as it stands in a file.
pub(super) async fn service_account_token(
    Shared(state): Shared<Arc<State>>,
    body: String,
) -> Result<String, Refused> {
    let wanted: Wanted = read(if body.is_empty() { "{}" } else { &body })?;
    let token = WorkloadToken {
        issuer: Issuer::Kubernetes,
        subject: wanted
            .subject
            .as_deref()
            .unwrap_or(World::KUBERNETES_SUBJECT),
        audience: wanted
            .audience
            .as_deref()
            .unwrap_or(FederatedCredential::AUDIENCE),
        lifetime: 60 * 60,
        further: Map::new(),
    };
    token
        .issue(&state)
        .await
        .map_err(|fault| (StatusCode::INTERNAL_SERVER_ERROR, fault.to_owned()))
}
