//! Certificates that clients sign with.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::digest;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use crate::jwt::RsaKey;

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A certificate that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, _) = X509Certificate::from_der(der).ok()?;
        rest.is_empty().then(|| Self { der: der.to_vec() })
    }

    /// All certificates of a PEM text, in its order; anything else in it, such
    /// as a key, is passed over. `None` when there is none or one is broken.
    pub(crate) fn all_from_pem(text: &str) -> Option<Vec<Self>> {
        let found: Option<Vec<_>> = CertificateDer::pem_slice_iter(text.as_bytes())
            .map(|der| Self::from_der(&der.ok()?))
            .collect();
        found.filter(|found| !found.is_empty())
    }

    fn with<T>(&self, look: impl FnOnce(&X509Certificate<'_>) -> T) -> Option<T> {
        let (_, certificate) = X509Certificate::from_der(&self.der).ok()?;
        Some(look(&certificate))
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its key, if that is an RSA key: Entra takes no other.
    pub(crate) fn key(&self) -> Option<RsaKey> {
        self.with(|certificate| match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(key)) => Some(RsaKey::new(key.modulus, key.exponent)),
            _ => None,
        })?
    }

    /// Whether it is valid at this time, in seconds since 1970.
    pub(crate) fn is_valid_at(&self, now: u64) -> bool {
        let Ok(now) = i64::try_from(now) else {
            return false;
        };
        let within = self.with(|certificate| {
            let validity = certificate.validity();
            validity.not_before.timestamp() <= now && now <= validity.not_after.timestamp()
        });
        within == Some(true)
    }

    /// The common name of its subject.
    pub(crate) fn common_name(&self) -> Option<String> {
        self.with(|certificate| {
            let name = certificate.subject().iter_common_name().next()?;
            name.as_str().ok().map(str::to_owned)
        })?
    }

    /// Whether the other one may sign certificates, and signed this one.
    pub(crate) fn is_issued_by(&self, issuer: &Self) -> bool {
        let signed = self.with(|certificate| {
            issuer.with(|issuer| {
                certificate.issuer().as_raw() == issuer.subject().as_raw()
                    && issuer.is_ca()
                    && certificate
                        .verify_signature(Some(issuer.public_key()))
                        .is_ok()
            })
        });
        signed.flatten() == Some(true)
    }

    /// Whether a header names it by its SHA-1 thumbprint (`x5t`).
    pub(crate) fn has_sha1(&self, thumbprint: &str) -> bool {
        self.has(&digest::SHA1_FOR_LEGACY_USE_ONLY, thumbprint)
    }

    /// Whether a header names it by its SHA-256 thumbprint (`x5t#S256`).
    pub(crate) fn has_sha256(&self, thumbprint: &str) -> bool {
        self.has(&digest::SHA256, thumbprint)
    }

    /// Clients spell thumbprints in base64url without padding, with padding,
    /// and in standard base64.
    fn has(&self, algorithm: &'static digest::Algorithm, thumbprint: &str) -> bool {
        let standard = thumbprint.replace('-', "+").replace('_', "/");
        let own = digest::digest(algorithm, &self.der);
        BASE64
            .decode(standard)
            .is_ok_and(|named| named == own.as_ref())
    }
}

/// One entry of `x5c`. Line breaks in it are passed over: MSAL for Python
/// leaves those of the PEM text where they are.
pub(crate) fn from_x5c(entry: &str) -> Result<Certificate, &'static str> {
    const NOT_ONE: &str = "an entry of x5c is not a certificate in DER and base64";
    let entry: String = entry.split_ascii_whitespace().collect();
    let bytes = BASE64.decode(entry).map_err(|_| NOT_ONE)?;
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Err(
            "an entry of x5c is the base64 of a PEM text; RFC 7515 wants the base64 of the certificate in DER",
        );
    }
    Certificate::from_der(&bytes).ok_or(NOT_ONE)
}
