//! Where users may be sent back to.

use url::{Host, Url};

use crate::world::Application;

/// What every public client may use, with any port.
const LOOPBACK: &str = "http://localhost";

/// Whether the application has this redirect URI.
pub(crate) fn is_registered(application: &Application, asked: &str) -> bool {
    let implied = application.is_public().then_some(LOOPBACK);
    application
        .redirect_uris()
        .iter()
        .map(String::as_str)
        .chain(implied)
        .any(|registered| is_same(registered, asked))
}

/// Compared as a whole, except that the port of a loopback address makes no
/// difference: a program listens where it finds a place (RFC 8252, section 7.3).
fn is_same(registered: &str, asked: &str) -> bool {
    let (Ok(one), Ok(mut other)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    if is_loopback(&one) && is_loopback(&other) && other.set_port(one.port()).is_err() {
        return false;
    }
    // Browsers would keep a fragment for themselves.
    asked.is_ascii() && other.fragment().is_none() && one == other
}

fn is_loopback(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && here
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        for (registered, asked) in [
            ("http://localhost", "http://localhost:8400"),
            ("http://localhost", "http://localhost:8400/"),
            ("http://localhost/cb", "http://localhost:1/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb"),
            ("https://app.example/cb", "https://APP.example/cb"),
            ("msal4-app://auth", "msal4-app://auth"),
        ] {
            assert!(is_same(registered, asked), "{asked}");
        }
        for (registered, asked) in [
            ("http://localhost", "https://localhost:8400"),
            ("http://localhost", "http://localhost:8400/x"),
            ("http://localhost", "http://localhost:80@evil.example"),
            ("http://localhost", "http://user@localhost:8400"),
            ("http://localhost", "http://localhost.evil.example"),
            ("http://localhost", "http://127.0.0.1:8400"),
            ("http://localhost", "http://localhost:8400/?a=b"),
            ("http://localhost", "http://localhost:8400/#x"),
            ("https://app.example/cb", "https://app.example:444/cb"),
            ("https://app.example/cb", "https://app.example/CB"),
            ("https://app.example/cb", "https://app.example/cb/"),
            ("https://app.example/cb", "javascript:alert(1)"),
            ("https://app.example/cb", ""),
        ] {
            assert!(!is_same(registered, asked), "{asked}");
        }
    }
}
