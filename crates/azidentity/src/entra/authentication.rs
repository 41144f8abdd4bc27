//! How an application proves to the token endpoint who it is.

use async_trait::async_trait;
use url::Url;

use crate::{IdentityError, secret::SecretText, token::TokenRequest};

/// What `client_assertion_type` says of a JSON Web Token
/// ([RFC 7523, section 2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// No assertion is longer, in bytes. Those of the services that issue them have one to four thousand.
pub(crate) const LONGEST_ASSERTION: usize = 64 * 1024;

/// How an application authenticates itself with the token endpoint.
pub(crate) enum ClientAuthentication {
    /// Not at all: an application that can keep no secret.
    Public,
    /// A shared secret.
    Secret(SecretText),
    /// A signed statement, made or fetched for the exchange.
    Assertion(Box<dyn AssertionSource>),
}

/// Where client assertions come from: a key of our own, a callback, a file, another identity provider.
#[async_trait]
pub(crate) trait AssertionSource: Send + Sync + 'static {
    /// An assertion for one exchange, at once or after a while.
    ///
    /// An error of kind configuration or unavailable reaches the caller as it is.
    async fn assertion(
        &self,
        audience: &Audience<'_>,
        request: &TokenRequest,
    ) -> Result<SecretText, IdentityError>;
}

/// Whom an assertion is meant for, and whom it speaks of.
#[cfg_attr(
    not(feature = "client_certificate"),
    allow(dead_code, reason = "only those who sign ask for whom")
)]
pub(crate) struct Audience<'a> {
    /// The token endpoint of the tenant, the central one also where the request goes to a regional one.
    pub(crate) token_endpoint: &'a Url,
    /// The application.
    pub(crate) client_id: &'a str,
    /// Whether this is AD FS, which knows older signatures only.
    pub(crate) ad_fs: bool,
}

/// What one request carries as proof.
pub(super) enum Proof<'a> {
    Nothing,
    Secret(&'a SecretText),
    Assertion(SecretText),
}

impl ClientAuthentication {
    pub(super) async fn prove(
        &self,
        audience: &Audience<'_>,
        request: &TokenRequest,
    ) -> Result<Proof<'_>, IdentityError> {
        match self {
            Self::Public => Ok(Proof::Nothing),
            Self::Secret(secret) => Ok(Proof::Secret(secret)),
            Self::Assertion(source) => {
                let assertion = source.assertion(audience, request).await?;
                check(assertion.expose())?;
                Ok(Proof::Assertion(assertion))
            }
        }
    }
}

impl Proof<'_> {
    /// What must not be seen in anything the server sends back.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Secret(secret) => Some(secret.expose()),
            Self::Assertion(assertion) => Some(assertion.expose()),
        }
    }
}

/// Whether a text can be an assertion at all. Which is wrong is said without quoting any of it.
pub(crate) fn check(assertion: &str) -> Result<(), IdentityError> {
    let wrong = |what: &str| {
        Err(IdentityError::authentication_failed(format!(
            "the client assertion {what}; it has to be a JSON Web Token: three parts of letters, digits, '-' and '_', \
             joined by dots"
        )))
    };
    if assertion.is_empty() {
        return wrong("is empty");
    }
    if assertion.len() > LONGEST_ASSERTION {
        return wrong(&format!(
            "is {} bytes long, and more than {LONGEST_ASSERTION} no assertion has",
            assertion.len()
        ));
    }
    if !assertion.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("contains spaces, line breaks or other characters that no token has");
    }
    let parts: Vec<&str> = assertion.split('.').collect();
    // Some clients keep the padding, which Entra does not mind.
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
    let well_formed = |part: &&str| !part.is_empty() && part.bytes().all(encoded);
    if parts.len() != 3 || !parts.iter().all(well_formed) {
        return wrong("is none, perhaps because there are quotation marks or other text around it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_assertion_is_told_without_quoting_it() {
        assert!(check("a.b.c").is_ok());
        for bad in [
            "",
            "planted",
            "planted.a",
            "planted.a.",
            "planted.a.b.c",
            "planted a.b.c",
            "planted.a.b\n",
            "\"planted.a.b\"",
            r#"{"token":"planted.a.b"}"#,
            "plänted.a.b",
        ] {
            let error = check(bad).expect_err(bad);
            assert_eq!(error.kind(), crate::FailureKind::AuthenticationFailed);
            assert!(!error.message().contains("planted"), "{error}");
        }
        let error = check(&"x".repeat(LONGEST_ASSERTION + 1)).unwrap_err();
        assert!(error.message().contains("65537 bytes"), "{error}");
    }
}
