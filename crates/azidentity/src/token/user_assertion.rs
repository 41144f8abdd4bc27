//! The user for whom an application asks on behalf of.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use ring::digest::{SHA256, digest};

use crate::{IdentityError, entra::LONGEST_ASSERTION, secret::SecretText};

/// What tells one user's assertion from another's in the cache: its SHA-256, so that the cache keeps no assertion.
pub(crate) type AssertionDigest = [u8; 32];

/// A user's token for this application, and the refresh token that the exchange of it has brought.
pub(crate) struct UserAssertion {
    text: SecretText,
    digest: AssertionDigest,
    refresh_token: Mutex<Option<SecretText>>,
}

impl UserAssertion {
    /// Refuses what can be no token. White space around it is left out: it comes from files and headers.
    pub(crate) fn new(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim().trim_start_matches('\u{feff}').trim();
        let wrong = |what: &str| {
            IdentityError::configuration(format!(
                "the user assertion {what}; pass the access token that the user's request carries, without the word Bearer"
            ))
        };
        if text.is_empty() {
            return Err(wrong("is empty"));
        }
        if text.len() > LONGEST_ASSERTION {
            return Err(wrong(&format!(
                "is {} bytes long, and more than {LONGEST_ASSERTION} no token has",
                text.len()
            )));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "contains spaces, line breaks or other characters that no token has",
            ));
        }
        let mut key = AssertionDigest::default();
        key.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Ok(Self {
            text: SecretText::new(text),
            digest: key,
            refresh_token: Mutex::new(None),
        })
    }

    pub(crate) fn text(&self) -> &SecretText {
        &self.text
    }

    pub(crate) fn digest(&self) -> &AssertionDigest {
        &self.digest
    }

    pub(crate) fn refresh_token(&self) -> Option<SecretText> {
        self.kept().clone()
    }

    /// Keeps what an answer brought for the next time.
    pub(crate) fn keep(&self, refresh_token: SecretText) {
        *self.kept() = Some(refresh_token);
    }

    /// Forgets a refresh token that the server has refused, unless another has come in the meantime.
    pub(crate) fn forget(&self, refused: &SecretText) {
        let mut kept = self.kept();
        if kept.as_ref() == Some(refused) {
            *kept = None;
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<SecretText>> {
        self.refresh_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for UserAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAssertion").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_refused_without_quoting_it() {
        for bad in [
            "",
            " \n",
            "Bearer planted",
            "pl\u{e4}nted",
            &"x".repeat(LONGEST_ASSERTION + 1),
        ] {
            let error = UserAssertion::new(bad).expect_err(bad);
            assert_eq!(error.kind(), crate::FailureKind::Configuration);
            assert!(!error.message().contains("planted"), "{error}");
        }
    }

    #[test]
    fn space_around_it_makes_no_other_user() {
        let bare = UserAssertion::new("a.b.c").unwrap();
        let padded = UserAssertion::new("\u{feff}a.b.c\r\n").unwrap();
        assert_eq!(bare.digest(), padded.digest());
        assert_ne!(bare.digest(), UserAssertion::new("a.b.d").unwrap().digest());
        assert!(!format!("{bare:?}").contains("a.b.c"));
    }

    #[test]
    fn a_newer_refresh_token_is_not_forgotten() {
        let user = UserAssertion::new("a.b.c").unwrap();
        let (old, new) = (SecretText::new("old"), SecretText::new("new"));
        user.keep(old.clone());
        user.keep(new.clone());
        user.forget(&old);
        assert_eq!(user.refresh_token(), Some(new.clone()));
        user.forget(&new);
        assert_eq!(user.refresh_token(), None);
    }
}
