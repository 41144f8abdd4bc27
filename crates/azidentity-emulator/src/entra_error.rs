//! Entra's way of saying no.
//!
//! Numbers, error codes and statuses are Entra's, so that clients which choose
//! their advice by number choose the right one; the texts are our own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::form::Form;
use crate::state::State;
use crate::{clock, guid};

/// A refusal: the AADSTS number decides what else it is.
#[derive(Debug)]
pub(crate) struct EntraError {
    number: u32,
    message: String,
    /// What the answer has besides the usual fields.
    further: Map<String, Value>,
}

impl EntraError {
    pub(crate) fn new(number: u32, message: impl Into<String>) -> Self {
        Self {
            number,
            message: message.into(),
            further: Map::new(),
        }
    }

    /// Not a refusal but a fault of the emulator.
    pub(crate) fn fault(what: &str) -> Self {
        Self::new(50000, what)
    }

    /// With one more field in the answer.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.further.insert(field.to_owned(), value.into());
        self
    }

    /// The number and the text, as people read them.
    pub(crate) fn text(&self) -> String {
        format!("AADSTS{}: {}", self.number, self.message)
    }

    /// How a redirection calls it (RFC 6749, section 4.1.2.1).
    pub(crate) fn code(&self) -> &'static str {
        self.kind().0
    }

    /// What a redirection says of it.
    pub(crate) fn description(&self, trace: &Trace) -> String {
        plain(&format!(
            "{} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.text(),
            trace.id,
            trace.correlation_id,
            clock::text(trace.at)
        ))
    }

    /// A parameter that the body of a token request must have.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            900_144,
            format!("The request body must contain the parameter '{parameter}'."),
        )
    }

    /// A parameter that came twice; `shown` is its name.
    pub(crate) fn repeated(shown: &str) -> Self {
        Self::new(
            9_000_411,
            format!("The parameter '{shown}' is in the request more than once."),
        )
    }

    /// A tenant that nobody described; `shown` is its name as it was asked for.
    pub(crate) fn unknown_tenant(shown: &str) -> Self {
        Self::new(
            90002,
            format!(
                "Tenant '{shown}' was not found. Check the tenant id or domain name, and that this is the cloud \
                 it lives in."
            ),
        )
    }

    /// What a tenant segment says that is neither a GUID nor a domain name.
    pub(crate) fn malformed_tenant(shown: &str) -> Self {
        Self::new(
            900_023,
            format!("The tenant identifier '{shown}' is neither a GUID nor a domain name."),
        )
    }

    fn kind(&self) -> (&'static str, StatusCode) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
        match self.number {
            // The client is not who it says it is: RFC 6749, section 5.2.
            7_000_215 | 7_000_216 | 7_000_218 | 7_000_222 | 700_021 | 700_023 | 700_024
            | 700_025 | 700_027 | 700_211 | 700_212 | 700_213 => {
                ("invalid_client", StatusCode::UNAUTHORIZED)
            }
            700_016 => ("unauthorized_client", BAD),
            650_053 => ("invalid_client", BAD),
            28000 | 70011 | 1_002_012 => ("invalid_scope", BAD),
            500_011 => ("invalid_resource", BAD),
            70003 => ("unsupported_grant_type", BAD),
            70005 => ("unsupported_response_type", BAD),
            50049 => ("invalid_instance", BAD),
            50058 => ("login_required", BAD),
            // 50079, 50158 and 700082 nobody gets without a script.
            50076 | 50079 | 50158 => ("interaction_required", BAD),
            50013 | 50020 | 50034 | 50173 | 54005 | 65001 | 70000 | 70008 | 500_131 | 500_133
            | 501_481 | 700_082 | 7_000_114 => ("invalid_grant", BAD),
            // Nor this one.
            90033 => ("temporarily_unavailable", UNAVAILABLE),
            // Not a refusal but a fault of the emulator.
            50000 => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
            _ => ("invalid_request", BAD),
        }
    }

    /// The answer of the token endpoint.
    pub(crate) fn respond(self, trace: &Trace) -> Response {
        let (error, _) = self.kind();
        self.respond_as(error, trace)
    }

    /// The answer of an endpoint that calls this refusal something else.
    pub(crate) fn respond_as(self, error: &str, trace: &Trace) -> Response {
        let (_, status) = self.kind();
        trace.respond(status, &self.body(error, trace))
    }

    /// The answer with a status of somebody's choice, and with the fields of
    /// an object besides the usual ones or in their place.
    pub(crate) fn respond_with(
        self,
        status: Option<StatusCode>,
        fields: &Value,
        trace: &Trace,
    ) -> Response {
        let (error, usual) = self.kind();
        let mut body = self.body(error, trace);
        for (name, value) in fields.as_object().into_iter().flatten() {
            body[name.as_str()] = value.clone();
        }
        trace.respond(status.unwrap_or(usual), &body)
    }

    fn body(&self, error: &str, trace: &Trace) -> Value {
        let number = self.number;
        let mut body = json!({
            "error": error,
            "error_description": self.description(trace),
            "error_codes": [number],
            "timestamp": clock::text(trace.at),
            "trace_id": trace.id,
            "correlation_id": trace.correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        for (name, value) in &self.further {
            body[name.as_str()] = value.clone();
        }
        body
    }
}

/// Only characters that JSON writes as they are: the official Rust client
/// borrows the description from the body and fails at the first escape.
fn plain(text: &str) -> String {
    let plain = |c: char| match c {
        ' ' | '!' | '#'..='[' | ']'..='~' => c,
        _ => '?',
    };
    text.chars().map(plain).collect()
}

/// The ids under which a request can be found again.
pub(crate) struct Trace {
    pub(crate) at: SystemTime,
    id: String,
    correlation_id: String,
    /// The client wants its id back in a header.
    echo: bool,
}

impl FromRequestParts<Arc<State>> for Trace {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<State>) -> Result<Self, Infallible> {
        Ok(Self::of(parts, state))
    }
}

impl Trace {
    /// The client names the correlation id in a header, or, as MSAL for Node
    /// does, in the query.
    pub(crate) fn of(parts: &Parts, state: &State) -> Self {
        let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let named = header("client-request-id").or_else(|| query.get("client-request-id"));
        Self {
            at: state.now(),
            id: guid::random(),
            correlation_id: named.and_then(guid::parse).unwrap_or_else(guid::random),
            echo: header("return-client-request-id")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        }
    }

    /// An answer with the headers that all of Entra's carry.
    pub(crate) fn respond(&self, status: StatusCode, body: &Value) -> Response {
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store, no-cache"),
        );
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(header::EXPIRES, HeaderValue::from_static("-1"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        let mut id = |name: &'static str, id: &str| {
            if let Ok(id) = HeaderValue::from_str(id) {
                headers.insert(HeaderName::from_static(name), id);
            }
        };
        id("x-ms-request-id", &self.id);
        if self.echo {
            id("client-request-id", &self.correlation_id);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn descriptions_need_no_escapes() {
        let text = plain("It's \"here\"\r\n\\ and über\u{7f} <there>");
        assert_eq!(text, "It's ?here???? and ?ber? <there>");
        assert_eq!(serde_json::to_string(&text).unwrap(), format!("\"{text}\""));
    }
}
