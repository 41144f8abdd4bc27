//! Where a certificate comes from: a file, or memory.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use azure_core::credentials::SecretBytes;
use zeroize::Zeroizing;

use crate::{IdentityError, small_file};

use super::LARGEST;

/// A certificate with its RSA private key, in a file or in memory.
///
/// | form | what is read |
/// | --- | --- |
/// | PEM | the key before or behind the certificates, as PKCS#8 or PKCS#1, plain or encrypted, with any text around it |
/// | PFX (PKCS#12) | of OpenSSL, Windows, .NET and Azure Key Vault, also in the older encryptions |
///
/// Which form it is, is seen from the content. The key has 2048 to 4096 bits, and nothing is larger than 1 MiB. Certificates
/// of the authorities above may follow; they matter where
/// [the chain is sent](crate::ClientCertificateCredentialBuilder::send_certificate_chain).
///
/// ```
/// use azidentity::ClientCertificate;
///
/// let certificate = ClientCertificate::from_path("/etc/contoso/app.pem");
/// ```
#[derive(Clone)]
pub struct ClientCertificate(Source);

#[derive(Clone)]
enum Source {
    Memory(Zeroizing<Vec<u8>>),
    File(PathBuf),
}

impl ClientCertificate {
    /// The content of a PEM or PFX file. A `Vec` is taken over without a copy, and wiped in the end.
    pub fn from_bytes(content: impl Into<Vec<u8>>) -> Self {
        Self(Source::Memory(Zeroizing::new(content.into())))
    }

    /// A PEM or PFX file. It is read when the credential is made, and only then.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// Hands the content to `read`, whose errors then name the file.
    pub(in crate::entra) fn with_content<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, IdentityError>,
    ) -> Result<T, IdentityError> {
        match &self.0 {
            Source::Memory(content) => read(content),
            Source::File(path) => {
                let content = read_file(path)?;
                read(&content).map_err(|error| error.adding(&format!(" (file {})", path.display())))
            }
        }
    }
}

impl From<SecretBytes> for ClientCertificate {
    fn from(content: SecretBytes) -> Self {
        Self::from_bytes(content.bytes())
    }
}

/// Shows the path, and nothing of the content.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("ClientCertificate");
        match &self.0 {
            Source::Memory(_) => debug.finish_non_exhaustive(),
            Source::File(path) => debug.field(path).finish(),
        }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    if path.as_os_str().is_empty() {
        return Err(IdentityError::configuration(
            "the path of the certificate file is empty; give the path of a PEM or PFX file",
        ));
    }
    small_file::read(path, LARGEST).map_err(|trouble| {
        IdentityError::configuration(format!(
            "the certificate file {} {trouble}; give the path of a PEM or PFX file that this process may read",
            path.display()
        ))
    })
}
