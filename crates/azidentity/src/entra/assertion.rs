//! Assertions signed with a certificate's key
//! ([documentation](https://learn.microsoft.com/entra/identity-platform/certificate-credentials)).

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::{Uuid, base64};
use ring::digest;
use serde::Serialize;

use crate::{Environment, IdentityError, secret::SecretText, token::TokenRequest};

use super::{
    AssertionSource, Audience, ClientAuthentication, ClientCertificate, LONGEST_ASSERTION,
    certificate::CertifiedKey,
    jws::{self, Algorithm},
};

/// Whether the certificates go along with every assertion; the official crate's name.
const SEND_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";

/// How long an assertion is good for, in seconds.
const LIFETIME: i64 = 600;

/// How long one is used again, in seconds: a minute before its end it could expire on the way.
const REUSED_FOR: i64 = 540;

/// For how many token endpoints assertions are kept. More there are only where an application serves many tenants.
const MOST_KEPT: usize = 64;

/// Proves that whoever asks has the private key of a certificate which is registered with the application.
pub(crate) struct CertificateAssertion {
    key: CertifiedKey,
    /// Headers, encoded.
    entra: String,
    ad_fs: String,
    environment: Environment,
    signed: Mutex<Vec<Signed>>,
}

/// An assertion that is kept for the next exchange.
struct Signed {
    token_endpoint: String,
    client_id: String,
    ad_fs: bool,
    issued_at: i64,
    text: SecretText,
}

impl CertificateAssertion {
    /// Reads the certificate and checks that it can be used. `send_chain` without a value is what
    /// `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` says.
    pub(crate) fn load(
        certificate: &ClientCertificate,
        password: Option<&SecretText>,
        send_chain: Option<bool>,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        let key = certificate.with_content(|content| {
            let key = CertifiedKey::load(content, password)?;
            key.check_dates(environment.now())?;
            Ok(key)
        })?;
        let send_chain = send_chain.unwrap_or_else(|| {
            environment
                .variable(SEND_CHAIN)
                .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
        });
        let entra = header(Algorithm::Ps256, &key, send_chain)?;
        let ad_fs = header(Algorithm::Rs256, &key, send_chain)?;
        // Claims and signature need some two thousand bytes more.
        if entra.len() > LONGEST_ASSERTION / 2 {
            return Err(IdentityError::configuration(format!(
                "the certificate chain is too long to be sent: {} certificates; leave only the application's own and \
                 those above it in the file, or do not send the chain",
                key.chain().len()
            )));
        }
        Ok(Self {
            key,
            entra,
            ad_fs,
            environment: environment.clone(),
            signed: Mutex::default(),
        })
    }

    /// For an application's line to Microsoft Entra.
    pub(crate) fn into_authentication(self) -> ClientAuthentication {
        ClientAuthentication::Assertion(Box::new(self))
    }

    /// What was signed for the same audience, while it is good for another request.
    fn kept(&self, audience: &Audience<'_>, now: i64) -> Option<SecretText> {
        let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        signed
            .iter()
            .find(|signed| signed.fits(audience) && signed.is_fresh(now))
            .map(|signed| signed.text.clone())
    }

    fn keep(&self, fresh: Signed) {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        signed.retain(|old| old.is_fresh(fresh.issued_at) && !old.is_for_same(&fresh));
        if signed.len() >= MOST_KEPT {
            signed.remove(0);
        }
        signed.push(fresh);
    }

    fn sign(&self, audience: &Audience<'_>, now: i64) -> Result<SecretText, IdentityError> {
        let (algorithm, header) = if audience.ad_fs {
            (Algorithm::Rs256, &self.ad_fs)
        } else {
            (Algorithm::Ps256, &self.entra)
        };
        let claims = jws::part(&Claims {
            aud: audience.token_endpoint.as_str(),
            iss: audience.client_id,
            sub: audience.client_id,
            jti: Uuid::new_v4().to_string(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(LIFETIME),
        })
        .map_err(unsignable)?;
        jws::sign(algorithm, self.key.key(), header, &claims)
            .map(SecretText::new)
            .map_err(|_| unsignable("the key was refused, or the system gave no random numbers"))
    }
}

#[async_trait]
impl AssertionSource for CertificateAssertion {
    async fn assertion(
        &self,
        audience: &Audience<'_>,
        _: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        // A certificate that has expired since then would be refused in words that are harder to understand.
        self.key.check_dates(self.environment.now())?;
        let now = self.environment.unix_now();
        if let Some(text) = self.kept(audience, now) {
            return Ok(text);
        }
        // Two that come at once sign twice, which does no harm; nobody waits for a lock while a key works.
        let text = self.sign(audience, now)?;
        self.keep(Signed {
            token_endpoint: audience.token_endpoint.as_str().to_owned(),
            client_id: audience.client_id.to_owned(),
            ad_fs: audience.ad_fs,
            issued_at: now,
            text: text.clone(),
        });
        Ok(text)
    }
}

impl Signed {
    fn fits(&self, audience: &Audience<'_>) -> bool {
        self.token_endpoint == audience.token_endpoint.as_str()
            && self.client_id == audience.client_id
            && self.ad_fs == audience.ad_fs
    }

    fn is_for_same(&self, other: &Self) -> bool {
        self.token_endpoint == other.token_endpoint
            && self.client_id == other.client_id
            && self.ad_fs == other.ad_fs
    }

    /// One from the future was signed before the clock was set right.
    fn is_fresh(&self, now: i64) -> bool {
        (0..REUSED_FOR).contains(&now.saturating_sub(self.issued_at))
    }
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(rename = "x5t", skip_serializing_if = "Option::is_none")]
    sha1: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    x5c: Vec<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// The header, which names the certificate by its thumbprint and, when asked to, brings it along
/// ([RFC 7515, sections 4.1.6 to 4.1.8](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6)).
fn header(
    algorithm: Algorithm,
    key: &CertifiedKey,
    send_chain: bool,
) -> Result<String, IdentityError> {
    let thumbprint = |hash| base64::encode_url_safe(digest::digest(hash, key.certificate()));
    let (sha256, sha1) = match algorithm {
        Algorithm::Ps256 => (Some(thumbprint(&digest::SHA256)), None),
        Algorithm::Rs256 => (None, Some(thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY))),
    };
    let chain = if send_chain { key.chain() } else { &[] };
    jws::part(&Header {
        alg: algorithm.name(),
        typ: "JWT",
        sha256,
        sha1,
        x5c: chain.iter().map(base64::encode).collect(),
    })
    .map_err(unsignable)
}

fn unsignable(why: impl std::fmt::Display) -> IdentityError {
    IdentityError::authentication_failed(format!("the client assertion can't be signed: {why}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use azure_core::http::{Context, Url};

    use super::*;
    use crate::{ManualClock, token::ChainContext};

    #[test]
    fn assertions_are_kept_for_a_bounded_number_of_audiences() {
        let clock = Arc::new(ManualClock::new(1_800_000_000));
        let environment = Environment::builder().clock(clock).build();
        let certificate =
            ClientCertificate::from_bytes(include_bytes!("../../tests/it/certificates/app.pem"));
        let source = CertificateAssertion::load(&certificate, None, None, &environment)
            .expect("a certificate");
        let request = TokenRequest {
            scopes: vec![],
            tenant: String::new(),
            claims: None,
            enable_cae: false,
            user: None,
            chain: ChainContext::None,
            context: Context::new(),
        };
        let ask = |tenant: usize| {
            let token_endpoint =
                Url::parse(&format!("https://authority.example/{tenant}/token")).expect("a URL");
            let audience = Audience {
                token_endpoint: &token_endpoint,
                client_id: "the-client",
                ad_fs: false,
            };
            futures::executor::block_on(source.assertion(&audience, &request)).expect("signed")
        };
        let first = ask(0);
        assert!(ask(0) == first, "used again");
        for tenant in 1..=MOST_KEPT {
            ask(tenant);
        }
        assert_eq!(source.signed.lock().unwrap().len(), MOST_KEPT);
        assert!(ask(0) != first, "the oldest has made room");
        let last = ask(MOST_KEPT);
        assert!(ask(MOST_KEPT) == last, "the others are still there");
    }
}
