//! Whom the proxy's certificate has to be issued by.

use std::path::PathBuf;

use tracing::debug;

use crate::{IdentityError, small_file};

pub(super) const CA_FILE: &str = "AZURE_KUBERNETES_CA_FILE";
pub(super) const CA_DATA: &str = "AZURE_KUBERNETES_CA_DATA";

/// In bytes. A bundle of all authorities in the world is not what this is for.
const LONGEST_FILE: usize = 256 * 1024;

#[derive(Debug)]
pub(super) enum Roots {
    /// The system's.
    System,
    /// PEM certificates, once for all.
    Data(Vec<u8>),
    /// A file with PEM certificates, which the cluster renews.
    File(PathBuf),
}

impl Roots {
    /// The PEM certificates to begin with; `None` for the system's.
    pub(super) fn first(&self) -> Result<Option<Vec<u8>>, IdentityError> {
        let wrong = |what: String| {
            Err(IdentityError::configuration(format!(
                "{what}; it has to hold the PEM certificate of the token proxy's authority"
            )))
        };
        match self {
            Self::System => Ok(None),
            Self::Data(pem) => Ok(Some(pem.clone())),
            Self::File(path) => {
                let shown = path.display();
                match small_file::read(path, LONGEST_FILE) {
                    Ok(content) if content.trim_ascii().is_empty() => wrong(format!(
                        "the file {shown} in the variable {CA_FILE} is empty"
                    )),
                    Ok(content) => Ok(Some(content.to_vec())),
                    Err(trouble) => wrong(format!(
                        "the file {shown} in the variable {CA_FILE} {trouble}"
                    )),
                }
            }
        }
    }

    /// What a file holds now, if that is something. A moment of its renewal in which it is not there does no harm.
    pub(super) fn newest(&self) -> Option<Vec<u8>> {
        let Self::File(path) = self else {
            return None;
        };
        match small_file::read(path, LONGEST_FILE) {
            Ok(content) => Some(content.to_vec()).filter(|pem| !pem.trim_ascii().is_empty()),
            Err(trouble) => {
                debug!(path = %path.display(), %trouble, "the token proxy's certificate file gives nothing now");
                None
            }
        }
    }

    /// Where the certificates came from, for the end of a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::System => String::new(),
            Self::Data(_) => format!(" (certificates from the variable {CA_DATA})"),
            Self::File(path) => format!(" (certificates from {}, by {CA_FILE})", path.display()),
        }
    }
}
