//! Who they are, and how their signatures are verified.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::jwt::Jwk;
use crate::signing::OIDC;
use crate::state::State;

/// An issuer that is no tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issuer {
    Pipelines,
    GitHub,
    Gcp,
    Kubernetes,
}

impl Issuer {
    const ALL: [Self; 4] = [Self::Pipelines, Self::GitHub, Self::Gcp, Self::Kubernetes];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pipelines => "pipelines",
            Self::GitHub => "github",
            Self::Gcp => "gcp",
            Self::Kubernetes => "kubernetes",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|issuer| issuer.name() == name)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// The `iss` of its tokens.
    pub(crate) fn url(self, authority: &str) -> String {
        format!("{authority}/oidc/{}", self.name())
    }

    /// Its key; none as long as it has signed nothing.
    pub(crate) fn keys() -> Vec<Jwk> {
        let key = OIDC.made().map(|key| Jwk::of(None, key.verifier()));
        key.into_iter().collect()
    }
}

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route(
            "/oidc/{issuer}/.well-known/openid-configuration",
            get(metadata),
        )
        .route("/oidc/{issuer}/jwks", get(keys))
}

async fn metadata(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    let Some(issuer) = Issuer::named(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let url = issuer.url(&state.authority);
    Json(json!({
        "issuer": url,
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
    .into_response()
}

async fn keys(Path(name): Path<String>) -> Response {
    if Issuer::named(&name).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match OIDC.key().await {
        Ok(key) => Json(json!({ "keys": [key.jwk()] })).into_response(),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault).into_response(),
    }
}
