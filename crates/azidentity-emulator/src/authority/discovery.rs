//! What a client can learn before it asks for a token.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::find_authority;
use crate::entra_error::{EntraError, Trace};
use crate::form::Form;
use crate::grants::Authority;
use crate::signing::TOKENS;
use crate::state::State;

/// How Entra calls every refusal to describe a tenant.
const INVALID_TENANT: &str = "invalid_tenant";

pub(super) async fn metadata_v1(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    trace: Trace,
) -> Response {
    metadata(&state, &tenant, &trace, |authority, tenant| {
        (
            format!("https://sts.windows.net/{tenant}/"),
            format!("{authority}/common/discovery/keys"),
        )
    })
}

pub(super) async fn metadata_v2(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    trace: Trace,
) -> Response {
    metadata(&state, &tenant, &trace, |authority, tenant| {
        (
            format!("{authority}/{tenant}/v2.0"),
            format!("{authority}/{tenant}/discovery/v2.0/keys"),
        )
    })
}

/// `names` makes the issuer and the address of the keys. Both documents lead
/// to the same endpoints; only the version 2 ones exist here.
fn metadata(
    state: &State,
    segment: &str,
    trace: &Trace,
    names: fn(&str, &str) -> (String, String),
) -> Response {
    let found = match find_authority(state, segment) {
        Ok(found) => found,
        Err(error) => return error.respond_as(INVALID_TENANT, trace),
    };
    // A domain name becomes a GUID here; the issuer of all tenants has a place
    // holder where the tenant of the user belongs.
    let (path, issuing) = match found {
        Authority::Tenant(tenant) => (tenant.id(), tenant.id()),
        Authority::AnyTenant(name) => (name, "{tenantid}"),
    };
    let authority = &state.authority;
    let (issuer, _) = names(authority, issuing);
    let (_, jwks_uri) = names(authority, path);
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{authority}/{path}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{authority}/{path}/oauth2/v2.0/token"),
        "jwks_uri": jwks_uri,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "grant_types_supported": crate::grants::names(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    });
    trace.respond(StatusCode::OK, &document)
}

pub(super) async fn keys(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    trace: Trace,
) -> Response {
    if let Err(error) = find_authority(&state, &tenant) {
        return error.respond_as(INVALID_TENANT, &trace);
    }
    match TOKENS.key().await {
        Ok(key) => trace.respond(StatusCode::OK, &json!({ "keys": [key.jwk()] })),
        Err(fault) => EntraError::new(50000, fault).respond(&trace),
    }
}

/// Is this host an authority, and under which names? Asked with the address of
/// an authorization endpoint, by MSAL for Python without its port.
pub(super) async fn instance(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    trace: Trace,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let endpoint = query
        .get("authorization_endpoint")
        .and_then(|text| url::Url::parse(text).ok());
    let version = query
        .get("api-version")
        .filter(|version| ["1.0", "1.1"].contains(version));
    let (Some(endpoint), Some(version)) = (endpoint, version) else {
        return EntraError::new(
            50050,
            "The request is malformed. It needs authorization_endpoint, a URL, and api-version, 1.0 or 1.1.",
        )
        .respond(&trace);
    };
    let host = state.authority.trim_start_matches("https://");
    let asked = match (endpoint.host_str(), endpoint.port()) {
        (Some(name), Some(port)) => format!("{name}:{port}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => String::new(),
    };
    if endpoint.scheme() != "https" || !(asked == "localhost" || asked == host) {
        return EntraError::new(
            50049,
            format!(
                "'{}' is not an instance this authority knows.",
                state.showable(&asked)
            ),
        )
        .respond(&trace);
    }
    let tenant = endpoint
        .path_segments()
        .and_then(|mut path| path.next())
        .filter(|first| !first.is_empty());
    let document = json!({
        "tenant_discovery_endpoint": format!(
            "{}/{}/v2.0/.well-known/openid-configuration",
            state.authority,
            tenant.unwrap_or("common")
        ),
        "api-version": version,
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": [host, "localhost"],
        }],
    });
    trace.respond(StatusCode::OK, &document)
}
