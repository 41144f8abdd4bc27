//! Where the assertions come from that other identity providers issue and Microsoft Entra accepts
//! ([workload identity federation](https://learn.microsoft.com/entra/workload-id/workload-identity-federation)).
//!
//! One file per provider. All of them fetch anew for each exchange: these assertions live for minutes.

mod azure_pipelines;
mod choice;
mod file;
mod github_actions;
mod google_cloud;
mod program;
mod variable;

use azure_core::http::Url;
use url::Host;

use crate::{
    IdentityError,
    entra::check_assertion,
    http::Answer,
    secret::{Redactor, SecretText},
};

pub(crate) use azure_pipelines::AzurePipelines;
pub use choice::FederatedAssertion;
pub(crate) use choice::Setting;
pub use file::AssertionFile;

/// Whom the assertions for Azure's public cloud are meant for
/// ([documentation](https://learn.microsoft.com/graph/api/resources/federatedidentitycredential)).
pub(crate) const DEFAULT_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The text in `bytes` without a byte order mark and the white space around it, or what is there instead.
fn tidy(bytes: &[u8]) -> Result<&str, &'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("UTF-16 text, where UTF-8 is needed");
    }
    std::str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|_| "binary data, where text is needed")
}

/// `text` as an assertion, if it can be one. `origin` tells where it was found.
fn assertion(text: &str, origin: &str) -> Result<SecretText, IdentityError> {
    check_assertion(text).map_err(|error| error.adding(&format!(" (it came from {origin})")))?;
    Ok(SecretText::new(text))
}

/// The address in a variable, to which a bearer token is to be sent: by https, or to this machine.
fn bearer_endpoint(variable: &str, value: &str) -> Result<Url, IdentityError> {
    let wrong = |what: &str| {
        // The value itself is not shown: foreign addresses can hold what lets one in.
        Err(IdentityError::configuration(format!(
            "the address in the variable {variable} {what}; leave it as the pipeline has set it"
        )))
    };
    let Ok(url) = Url::parse(value.trim()) else {
        return wrong("is no URL");
    };
    let on_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return wrong("names no host"),
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && on_this_machine) {
        return wrong(
            "does not begin with https://, and the job's token must not travel in the clear",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("holds a user name or password");
    }
    Ok(url)
}

/// Whether a secret can be sent in a header as it is.
fn fits_in_header(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a server said about its refusal, in the `message` of a JSON object, without what was posted to it.
fn said(answer: &Answer, posted: &str) -> String {
    let message = serde_json::from_slice::<serde_json::Value>(answer.body())
        .ok()
        .and_then(|body| Redactor::new([posted]).text(body.get("message")));
    message.map_or_else(String::new, |message| format!(", saying {message:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    #[test]
    fn text_is_tidied() {
        for (bytes, expected) in [
            (&b"a.b.c"[..], Ok("a.b.c")),
            (b"a.b.c\n", Ok("a.b.c")),
            (b"\r\n\t a.b.c \r\n", Ok("a.b.c")),
            (b"\xef\xbb\xbfa.b.c\r\n", Ok("a.b.c")),
            (b"", Ok("")),
            (b"\xef\xbb\xbf\n", Ok("")),
        ] {
            assert_eq!(tidy(bytes), expected, "{bytes:?}");
        }
        assert!(tidy(b"\xff\xfea\0").unwrap_err().contains("UTF-16"));
        assert!(tidy(b"\x00\xffab").unwrap_err().contains("binary"));
    }

    #[test]
    fn bearer_tokens_leave_this_machine_by_https_only() {
        for good in [
            "https://vstoken.example/a?b=c",
            " https://vstoken.example\n",
            "http://localhost:8080/",
            "http://127.0.0.1:1/",
            "http://[::1]/",
        ] {
            assert!(bearer_endpoint("V", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "pl4nted",
            "http://vstoken.example/pl4nted",
            "http://localhost.example/",
            "ftp://localhost/",
            "https://user:pl4nted@vstoken.example/",
            "data:pl4nted",
        ] {
            let error = bearer_endpoint("V", bad).expect_err(bad);
            assert_eq!(error.kind(), FailureKind::Configuration);
            assert!(error.message().contains("variable V"), "{error}");
            assert!(!error.message().contains("pl4nted"), "{error}");
        }
    }
}
