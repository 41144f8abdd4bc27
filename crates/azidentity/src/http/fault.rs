//! What a failed connection means: whether another try can help, and what to tell the caller.

use std::{error::Error as StdError, io};

use azure_core::{error::ErrorKind, http::Url};

use crate::IdentityError;

use super::guard::final_error;

/// Scheme, host and port of a URL, for messages.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Makes the transport's error one of ours. Faults that every try would meet again get a kind that no retry policy
/// repeats: an untrusted or wrong certificate, an unknown host, a proxy that wants other credentials.
pub(super) fn classify(error: azure_core::Error, url: &Url) -> azure_core::Error {
    classify_with_roots_of(error, url, SYSTEM_ROOTS)
}

/// What to do where the system's roots decide whom to trust.
const SYSTEM_ROOTS: &str =
    "if it is issued by a private authority, name that authority's certificate in SSL_CERT_FILE";

/// The same with another remedy for a certificate that is not trusted.
#[cfg_attr(
    not(feature = "reqwest_no_tls"),
    allow(
        unused_variables,
        reason = "other clients' certificate errors are not known here"
    )
)]
pub(super) fn classify_with_roots_of(
    error: azure_core::Error,
    url: &Url,
    remedy: &str,
) -> azure_core::Error {
    if IdentityError::find(&error).is_some() {
        return error;
    }
    let kind = error.kind().clone();
    let origin = origin(url);
    let (permanent, message) = match Fault::of(&error) {
        #[cfg(feature = "reqwest_no_tls")]
        Fault::Certificate(why) => (
            true,
            format!("the certificate of {origin} is not trusted: {why}; {remedy}"),
        ),
        #[cfg(feature = "reqwest_no_tls")]
        Fault::Tls(why) => (true, format!("no TLS connection with {origin}: {why}")),
        Fault::UnknownHost => (
            true,
            format!("the host of {origin} has no address; check its spelling and the DNS settings"),
        ),
        Fault::ProxyRefused => (
            true,
            format!(
                "the proxy on the way to {origin} refuses the sign-in; check the user name and password in the proxy \
                 variables, or exempt the host with NO_PROXY"
            ),
        ),
        Fault::Refused => (
            false,
            format!(
                "nothing listens at {origin}, or at the proxy on the way there: the connection was refused"
            ),
        ),
        Fault::TimedOut => (
            false,
            format!("{origin} did not answer in time; check the network and any proxy in between"),
        ),
        Fault::Other(why) => (false, format!("the connection with {origin} failed: {why}")),
    };
    let ours = IdentityError::transport(message).with_source(error);
    if permanent {
        final_error(ours)
    } else {
        azure_core::Error::new(kind_for_retries(kind), ours)
    }
}

/// Connection errors of all sorts can be tried again; a transport's other errors can't.
fn kind_for_retries(kind: ErrorKind) -> ErrorKind {
    match kind {
        ErrorKind::Io | ErrorKind::Connection => kind,
        _ => ErrorKind::Other,
    }
}

enum Fault {
    #[cfg(feature = "reqwest_no_tls")]
    Certificate(String),
    #[cfg(feature = "reqwest_no_tls")]
    Tls(String),
    UnknownHost,
    ProxyRefused,
    Refused,
    TimedOut,
    Other(String),
}

impl Fault {
    fn of(error: &azure_core::Error) -> Self {
        let chain = chain_of(error);
        for error in &chain {
            #[cfg(feature = "reqwest_no_tls")]
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return match tls {
                    rustls::Error::InvalidCertificate(why) => Self::Certificate(why.to_string()),
                    other => Self::Tls(other.to_string()),
                };
            }
            // These come from crates that keep their error types to themselves, so their text has to do.
            let text = error.to_string();
            if text.contains("proxy authorization required")
                || text.contains("proxy authentication required")
            {
                return Self::ProxyRefused;
            }
            if text.starts_with("dns error") {
                let passing = chain.iter().any(|error| {
                    let text = error.to_string();
                    text.contains("Temporary failure") || text.contains("try again")
                });
                return if passing {
                    Self::Other("its name could not be resolved for the moment".into())
                } else {
                    Self::UnknownHost
                };
            }
        }
        for error in &chain {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                match io.kind() {
                    io::ErrorKind::ConnectionRefused => return Self::Refused,
                    io::ErrorKind::TimedOut => return Self::TimedOut,
                    _ => {}
                }
            }
            if error.to_string() == "operation timed out" {
                return Self::TimedOut;
            }
        }
        let innermost = chain.last().map(ToString::to_string);
        Self::Other(innermost.unwrap_or_else(|| error.to_string()))
    }
}

/// The error and all its sources. An [`io::Error`] hides the error it wraps from `source`, so that is looked at, too.
fn chain_of(error: &azure_core::Error) -> Vec<&(dyn StdError + 'static)> {
    let mut chain = Vec::new();
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        chain.push(error);
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|wrapped| wrapped as &(dyn StdError + 'static));
        next = wrapped.or_else(|| error.source());
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    fn classified(error: impl Into<Box<dyn StdError + Send + Sync>>) -> azure_core::Error {
        let url = Url::parse("https://login.example:8443/t/oauth2/v2.0/token?x=y").unwrap();
        classify(azure_core::Error::new(ErrorKind::Connection, error), &url)
    }

    #[test]
    fn passing_faults_stay_retryable_and_name_the_host() {
        for (kind, says) in [
            (io::ErrorKind::ConnectionRefused, "refused"),
            (io::ErrorKind::TimedOut, "in time"),
            (io::ErrorKind::ConnectionReset, "failed"),
        ] {
            let error = classified(io::Error::from(kind));
            assert_eq!(error.kind(), &ErrorKind::Connection);
            let ours = IdentityError::find(&error).unwrap();
            assert_eq!(ours.kind(), FailureKind::Transport);
            assert!(ours.message().contains(says), "{ours}");
            assert!(
                ours.message().contains("https://login.example:8443"),
                "{ours}"
            );
            assert!(
                !ours.message().contains("oauth2"),
                "no path, no query: {ours}"
            );
        }
    }

    #[cfg(feature = "reqwest_no_tls")]
    #[test]
    fn certificate_faults_are_permanent_however_deep_they_lie() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = classified(io::Error::other(io::Error::other(tls)));
        assert_eq!(error.kind(), &ErrorKind::Other);
        let ours = IdentityError::find(&error).unwrap();
        assert!(ours.message().contains("SSL_CERT_FILE"), "{ours}");
    }

    #[test]
    fn unknown_hosts_are_permanent_but_not_while_dns_is_down() {
        for (text, permanent) in [
            (
                "dns error: failed to lookup address information: Name or service not known",
                true,
            ),
            (
                "dns error: failed to lookup address information: Temporary failure in name resolution",
                false,
            ),
        ] {
            let error = classified(io::Error::other(text));
            assert_eq!(error.kind() == &ErrorKind::Other, permanent, "{text}");
        }
    }
}
