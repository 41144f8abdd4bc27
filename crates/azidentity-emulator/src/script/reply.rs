//! What a fault answers in place of the real answer.

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::entra_error::{EntraError, Trace};
use crate::state::State;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reply {
    pub(super) status: Option<StatusCode>,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Body>,
    pub(super) aadsts: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Text(String),
    Json(Value),
}

impl Reply {
    /// The answer to give in place of the real one; `None` when the real one
    /// is to be given.
    pub(crate) fn instead(&self, parts: &Parts, state: &State) -> Option<Response> {
        if let Some(number) = self.aadsts {
            let fields = match &self.body {
                Some(Body::Json(fields)) => fields,
                _ => &Value::Null,
            };
            let error = EntraError::new(number, "The script of this emulator refuses the request.");
            return Some(error.respond_with(self.status, fields, &Trace::of(parts, state)));
        }
        let status = self.status.unwrap_or(StatusCode::OK);
        let (kind, text) = match &self.body {
            Some(Body::Text(text)) => ("text/plain; charset=utf-8", text.clone()),
            Some(Body::Json(value)) => ("application/json; charset=utf-8", value.to_string()),
            None => return self.status.map(StatusCode::into_response),
        };
        Some((status, [(CONTENT_TYPE, kind)], text).into_response())
    }

    /// Puts the headers of the fault in place of those the answer has.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap) {
        for name in self.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
    }
}

/// A header that a fault may set, or what is wrong with it.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let parsed = HeaderName::from_bytes(name.as_bytes());
    let name = parsed.map_err(|_| format!("`{name}` is not the name of a header"))?;
    if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
        return Err(format!("`{name}` follows from the body and cannot be set"));
    }
    let value = HeaderValue::from_str(value).map_err(|_| {
        format!(
            "`{}` is not a value of the header `{name}`",
            value.escape_debug()
        )
    })?;
    Ok((name, value))
}
