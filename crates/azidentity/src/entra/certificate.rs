//! A certificate and its private key, out of whatever form the tools of the world write them in.

mod decryption;
mod fault;
mod key;
mod pem;
mod pkcs12;
mod source;
mod traditional;
mod x509;

use azure_core::time::{Duration, OffsetDateTime};
use ring::rsa::KeyPair as RsaKeyPair;

use crate::{IdentityError, secret::SecretText};

pub use source::ClientCertificate;

use x509::Certificate;

/// No file with a certificate is larger, in bytes. Those with a chain have some ten thousand.
const LARGEST: usize = 1024 * 1024;

/// No file has more certificates, except those of whole lists of authorities.
const MOST_CERTIFICATES: usize = 256;

/// By how much the clocks of this machine and of Microsoft Entra may differ where a certificate's dates are compared.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// What every PEM file has somewhere.
const PEM_MARK: &[u8] = b"-----BEGIN";

/// A private key, the certificate that belongs to it, and the certificates above that one.
pub(super) struct CertifiedKey {
    key: RsaKeyPair,
    /// In DER, the key's own certificate first, each followed by its issuer's.
    chain: Vec<Vec<u8>>,
    not_before: i64,
    not_after: i64,
}

/// What a file holds, before it is known what of it belongs together.
struct Contents {
    key: RsaKeyPair,
    /// In DER, in the order of the file.
    certificates: Vec<Vec<u8>>,
}

impl CertifiedKey {
    /// Reads a PEM or PFX file's content. An empty password counts as none; one that nothing needs does no harm.
    pub(super) fn load(
        content: &[u8],
        password: Option<&SecretText>,
    ) -> Result<Self, IdentityError> {
        if content.len() > LARGEST {
            return Err(fault::too_large());
        }
        let password = password
            .map(SecretText::expose)
            .filter(|password| !password.is_empty());
        let is_pem = content
            .windows(PEM_MARK.len())
            .any(|window| window == PEM_MARK);
        let contents = if is_pem {
            pem::read(content, password)?
        } else {
            pkcs12::read(content, password)?
        };
        Self::assemble(contents)
    }

    fn assemble(contents: Contents) -> Result<Self, IdentityError> {
        let Contents { key, certificates } = contents;
        let parsed = certificates
            .iter()
            .map(|der| Certificate::parse(der).ok_or_else(fault::malformed_certificate))
            .collect::<Result<Vec<_>, _>>()?;
        let public_key = key.public().as_ref();
        let Some(own) = parsed
            .iter()
            .position(|certificate| certificate.public_key == public_key)
        else {
            return Err(fault::another_key(certificates.len()));
        };
        Ok(Self {
            chain: x509::in_order(&parsed, own)
                .into_iter()
                .map(|index| certificates[index].clone())
                .collect(),
            not_before: parsed[own].not_before,
            not_after: parsed[own].not_after,
            key,
        })
    }

    pub(super) fn key(&self) -> &RsaKeyPair {
        &self.key
    }

    /// The key's own certificate, in DER.
    pub(super) fn certificate(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// The certificates in DER, the key's own first.
    pub(super) fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Whether the certificate is valid at that time; Microsoft Entra accepts no other.
    pub(super) fn check_dates(&self, now: OffsetDateTime) -> Result<(), IdentityError> {
        let skew = CLOCK_SKEW.whole_seconds();
        let seconds = now.unix_timestamp();
        if seconds > self.not_after.saturating_add(skew) {
            return Err(fault::expired(self.not_after, now));
        }
        if seconds < self.not_before.saturating_sub(skew) {
            return Err(fault::not_yet_valid(self.not_before, now));
        }
        Ok(())
    }
}
