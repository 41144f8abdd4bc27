//! Others that vouch for a workload: build services, a cluster, another cloud.
//!
//! Each is an issuer with metadata and keys of its own below
//! `{authority}/oidc/`, and, where clients ask over HTTP, an endpoint with the
//! contract of the real service. What they give away is worth a token of the
//! authority only where an application trusts issuer and subject.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::clock;
use crate::guid;
use crate::secret::Secret;
use crate::signing::OIDC;
use crate::state::State;

mod gcp;
mod github;
mod issuer;
mod pipelines;

pub(crate) use gcp::PATH as GCP_PATH;
pub(crate) use github::PATH as GITHUB_PATH;
pub(crate) use issuer::{Issuer, router as issuers};
pub(crate) use pipelines::PATH as PIPELINES_PATH;

/// The endpoints at which workloads get their tokens. They are on both ports:
/// the real ones are on HTTPS, except that of Google.
pub(crate) fn sources() -> Router<Arc<State>> {
    Router::new()
        .route(pipelines::PATH, post(pipelines::token))
        .route(github::PATH, get(github::token))
        .route(gcp::PATH, get(gcp::token))
}

/// A token of one of the issuers.
pub(crate) struct WorkloadToken<'a> {
    pub(crate) issuer: Issuer,
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
    /// Seconds from now.
    pub(crate) lifetime: u64,
    /// Claims that this kind of issuer adds.
    pub(crate) further: Map<String, Value>,
}

impl WorkloadToken<'_> {
    pub(crate) fn claims(self, state: &State) -> Value {
        let now = clock::unix(state.now());
        let mut claims = self.further;
        for (name, value) in [
            ("iss", json!(self.issuer.url(&state.authority))),
            ("sub", json!(self.subject)),
            ("aud", json!(self.audience)),
            ("iat", json!(now)),
            ("nbf", json!(now)),
            ("exp", json!(now + self.lifetime)),
            ("jti", json!(guid::random())),
        ] {
            claims.insert(name.to_owned(), value);
        }
        Value::Object(claims)
    }

    /// The signed token.
    pub(crate) async fn issue(self, state: &State) -> Result<String, &'static str> {
        let claims = self.claims(state);
        OIDC.key()
            .await?
            .sign(&claims)
            .map_err(|_| "the token could not be signed")
    }
}

fn has_bearer(headers: &HeaderMap, expected: &Secret) -> bool {
    let presented = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '));
    presented.is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && expected.matches(token.trim())
    })
}
