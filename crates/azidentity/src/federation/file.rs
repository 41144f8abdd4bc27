//! Assertions in files, which something else renews: Kubernetes, SPIFFE's helper, a cron job.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::{
    FailureKind, IdentityError,
    entra::{AssertionSource, Audience, LONGEST_ASSERTION},
    secret::SecretText,
    small_file::{self, Trouble},
    token::TokenRequest,
};

use super::{assertion, tidy};

/// A file with a client assertion, for a [`ClientAssertionCredential`](crate::ClientAssertionCredential).
///
/// It is read anew for each exchange, so that an assertion which something else renews is never used beyond its life.
/// White space around the assertion and a byte order mark are left out. At most 64 KiB; only regular files and what links
/// to them.
///
/// Where the file is missing or empty, requests fail with [`FailureKind::Unavailable`](crate::FailureKind::Unavailable);
/// where it can't be read or holds something else, with
/// [`FailureKind::Configuration`](crate::FailureKind::Configuration).
///
/// ```no_run
/// # fn example() -> azure_core::Result<()> {
/// use azidentity::{AssertionFile, ClientAssertionCredential};
///
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com".into(),
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
///     AssertionFile::new("/run/identity/assertion.jwt"),
///     None,
/// )?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionFile {
    path: PathBuf,
}

impl AssertionFile {
    /// Names the file; reads nothing yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The assertion that is in the file now. Such files are small, and in memory more often than not.
    pub(crate) fn read(&self) -> Result<SecretText, IdentityError> {
        let path = self.path.display();
        let content =
            small_file::read(&self.path, LONGEST_ASSERTION).map_err(|trouble| match trouble {
                Trouble::Missing => IdentityError::unavailable(format!(
                    "there is no assertion: the file {path} does not exist; check the path, and whether whatever \
                     writes the file is running"
                )),
                Trouble::Unreadable(error) => IdentityError::configuration(format!(
                    "the assertion file {path} cannot be read ({error}); let the user that this program runs as read it"
                ))
                .with_source(error),
                other => IdentityError::configuration(format!(
                    "the assertion file {path} {other}; name the file that holds the token and nothing else"
                )),
            })?;
        let text = tidy(&content).map_err(|found| {
            IdentityError::configuration(format!(
                "the assertion file {path} holds {found}; name the file that holds the token and nothing else"
            ))
        })?;
        if text.is_empty() {
            return Err(IdentityError::unavailable(format!(
                "there is no assertion: the file {path} is empty; check whatever writes it"
            )));
        }
        // Nothing was tried yet: it is the file that has to change.
        assertion(text, &format!("the file {path}"))
            .map_err(|error| error.into_kind(FailureKind::Configuration))
    }
}

#[async_trait]
impl AssertionSource for AssertionFile {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        _request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        self.read()
    }
}
