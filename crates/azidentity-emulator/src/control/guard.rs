//! Who may drive the emulator: programs of this machine, but not web pages.
//!
//! A page in a browser can send requests to loopback addresses. If it sends
//! them from another site, the browser adds `Origin` to all that could change
//! something. If its name has been made to lead to 127.0.0.1 (DNS rebinding),
//! nothing is added and the page could read the answers, but `Host` has its name.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::state::State;

pub(super) async fn admit(
    Shared(state): Shared<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    match objection(request.uri(), request.headers(), state.http_port) {
        None => next.run(request).await,
        Some(what) => (StatusCode::FORBIDDEN, what).into_response(),
    }
}

fn objection(uri: &Uri, headers: &HeaderMap, port: u16) -> Option<&'static str> {
    const WRONG_HOST: &str = "This address answers only when it is called localhost, 127.0.0.1 or [::1], \
                              with its port.";
    if headers.contains_key(header::ORIGIN) {
        return Some("This address does not answer web pages (the request has an Origin).");
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Some(WRONG_HOST);
    };
    // A whole URL in the first line counts more than Host: RFC 9112, section 3.2.2.
    let in_target = uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    [Some(host.as_bytes()), in_target]
        .into_iter()
        .flatten()
        .any(|name| !is_own(name, port))
        .then_some(WRONG_HOST)
}

/// Compared with what is right as a whole: taking the name apart would leave
/// room for spellings that somebody else reads differently.
fn is_own(name: &[u8], port: u16) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| {
        name.eq_ignore_ascii_case(format!("{own}:{port}").as_bytes())
            || (port == 80 && name.eq_ignore_ascii_case(own.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn only_loopback_names_with_the_port_are_own() {
        for name in [
            "localhost:8442",
            "LocalHost:8442",
            "127.0.0.1:8442",
            "[::1]:8442",
        ] {
            assert!(is_own(name.as_bytes(), 8442), "{name}");
        }
        for name in [
            "",
            "localhost",
            "localhost:",
            "localhost:8443",
            "localhost:84420",
            "localhost.:8442",
            "localhost.example.com:8442",
            "xlocalhost:8442",
            "x@localhost:8442",
            "127.0.0.1.nip.io:8442",
            "127.1:8442",
            "0.0.0.0:8442",
            "::1:8442",
            "[::]:8442",
            "[::ffff:127.0.0.1]:8442",
            "localhost:8442, evil.example",
        ] {
            assert!(!is_own(name.as_bytes(), 8442), "{name}");
        }
    }

    #[test]
    fn the_port_of_http_can_be_left_out() {
        assert!(is_own(b"localhost", 80) && is_own(b"localhost:80", 80));
        assert!(!is_own(b"localhost", 8080));
    }
}
