//! One request and its answer: limits, recording, faults, and slashes.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;

use super::takeover::TakeOver;
use super::{Service, faults};
use crate::form::{self, Form};
use crate::record::{Arrival, Fields};
use crate::script::Asked;
use crate::{control, redaction};

/// The longest body. A user's token with many groups can have 64 KiB.
const BODY_LIMIT: usize = 256 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Reads, records and answers a request. The error is what happens on the
/// connection when a fault wants no answer, or none that is good HTTP.
pub(super) async fn answer(
    service: &Service,
    request: Request<Incoming>,
) -> Result<Response, TakeOver> {
    let (mut parts, body) = request.into_parts();
    let body = read(body).await;
    let content = body.as_deref().unwrap_or_default();
    let mut arrival = arrival(service, &parts, content);
    if let Some(uri) = tidy(&parts.uri) {
        parts.uri = uri;
    }
    if parts.uri.path().starts_with(control::PREFIX) {
        return Ok(regular(service, parts, body).await);
    }
    let fault = service.state.script.next(&asked(service, &parts, content));
    arrival.fault = fault.is_some();
    let recorder = &service.state.recorder;
    let number = recorder.arrived(arrival);
    let outcome = match fault {
        None => Ok(regular(service, parts, body).await),
        Some(fault) => faults::commit(&fault, service, parts, body).await,
    };
    let status = match &outcome {
        Ok(response) => Some(response.status()),
        Err(other) => other.status,
    };
    if let Some(status) = status {
        recorder.answered(number, status.as_u16());
    }
    outcome
}

/// The answer that no fault has to do with.
pub(super) async fn regular(
    service: &Service,
    parts: Parts,
    body: Result<Bytes, StatusCode>,
) -> Response {
    match body {
        Ok(body) => route(service, Request::from_parts(parts, Body::from(body))).await,
        Err(status) => status.into_response(),
    }
}

/// The whole body, or the status that refuses it.
async fn read(body: Incoming) -> Result<Bytes, StatusCode> {
    match timeout(BODY_TIME, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        // Cut off or badly chunked; most often nobody is left to read this.
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn route(service: &Service, request: Request<Body>) -> Response {
    match TowerToHyperService::new(service.router.clone())
        .call(request)
        .await
    {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn arrival(service: &Service, parts: &Parts, body: &[u8]) -> Arrival {
    let state = &service.state;
    let form = if form::is_form(&parts.headers) {
        redaction::parameters(state, body)
    } else {
        Fields::default()
    };
    Arrival {
        server: service.server,
        method: parts.method.to_string(),
        path: state.showable(parts.uri.path()).into_owned(),
        query: redaction::parameters(state, parts.uri.query().unwrap_or_default().as_bytes()),
        form,
        headers: redaction::headers(state, &parts.headers),
        fault: false,
    }
}

fn asked<'a>(service: &Service, parts: &'a Parts, body: &[u8]) -> Asked<'a> {
    Asked {
        server: service.server,
        method: &parts.method,
        path: parts.uri.path(),
        query: Form::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        form: Form::parse(if form::is_form(&parts.headers) {
            body
        } else {
            &[]
        }),
    }
}

/// The address without slashes that clients add when they join the parts of a
/// URL: repeated ones, and one at the end. `None` when there are none.
fn tidy(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let segments: Vec<_> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let tidy = format!("/{}", segments.join("/"));
    if tidy == path {
        return None;
    }
    let target = match uri.query() {
        Some(query) => format!("{tidy}?{query}"),
        None => tidy,
    };
    target.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn surplus_slashes_go() {
        for (sent, meant) in [
            (
                "/metadata/identity/oauth2/token/",
                "/metadata/identity/oauth2/token",
            ),
            (
                "//metadata///identity/oauth2/token?a=/b/&c=//",
                "/metadata/identity/oauth2/token?a=/b/&c=//",
            ),
            ("//", "/"),
        ] {
            assert_eq!(tidy(&sent.parse().unwrap()).unwrap().to_string(), meant);
        }
        for sent in ["/", "/a/b", "/a?b=//"] {
            assert_eq!(tidy(&sent.parse().unwrap()), None, "{sent}");
        }
    }
}
