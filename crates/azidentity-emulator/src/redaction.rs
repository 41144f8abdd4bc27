//! What of a request is recorded.

use axum::http::HeaderMap;

use crate::record::Fields;
use crate::state::State;

/// Parameters whose values can be shown.
const OPEN: &[&str] = &[
    "api-version",
    "audience",
    "authorization_endpoint",
    "claims",
    "client-request-id",
    "client_assertion_type",
    "client_id",
    "client_info",
    "clientid",
    "code_challenge_method",
    "format",
    "grant_type",
    "mi_res_id",
    "msi_res_id",
    "object_id",
    "principal_id",
    "prompt",
    "redirect_uri",
    "requested_token_use",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "serviceconnectionid",
];

/// Parameters of which only the name can be shown.
const CLOSED: &[&str] = &[
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "login_hint",
    "nonce",
    "password",
    "refresh_token",
    "state",
    "username",
];

/// Headers whose values can be shown; of the others the name is.
const OPEN_HEADERS: &[&str] = &[
    "accept",
    "client-request-id",
    "content-type",
    "host",
    "metadata",
    "metadata-flavor",
    "return-client-request-id",
    "user-agent",
    "x-tfs-fedauthredirect",
    "x-ms-client-request-id",
    "x-ms-lib-capability",
];

/// What MSAL tells of itself, in headers and forms.
const TELEMETRY: &str = "x-client-";

/// Stands for a parameter that neither list has.
const UNKNOWN: &str = "[unknown]";

/// Of a request with more parameters the others are not recorded.
const MOST: usize = 100;

/// Parameters of a query or form as they may be recorded.
pub(crate) fn parameters(state: &State, encoded: &[u8]) -> Fields {
    let fields = url::form_urlencoded::parse(encoded)
        .take(MOST)
        .map(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let open = OPEN.contains(&lower.as_str()) || lower.starts_with(TELEMETRY);
            if open {
                (
                    state.showable(&name).into_owned(),
                    Some(state.showable(&value).into_owned()),
                )
            } else if CLOSED.contains(&lower.as_str()) {
                (name.into_owned(), None)
            } else {
                (UNKNOWN.to_owned(), None)
            }
        });
    Fields(fields.collect())
}

/// Headers as they may be recorded.
pub(crate) fn headers(state: &State, headers: &HeaderMap) -> Fields {
    let fields = headers.iter().map(|(name, value)| {
        let name = name.as_str();
        let open = OPEN_HEADERS.contains(&name) || name.starts_with(TELEMETRY);
        let value = open.then(|| value.to_str().ok()).flatten();
        (
            name.to_owned(),
            value.map(|value| state.showable(value).into_owned()),
        )
    });
    Fields(fields.collect())
}
