//! Refresh tokens.
//!
//! Each use gives a new one. As with Entra, the old one stays valid until it
//! expires: <https://learn.microsoft.com/entra/identity-platform/refresh-tokens>.

use super::{Digest, REFRESH_MARK, Store};
use crate::entra_error::EntraError;
use crate::secret::Secret;
use crate::user_grant::Session;

/// Seconds for which a refresh token can be used: 90 days.
pub(crate) const LIFETIME: u64 = 90 * 24 * 60 * 60;

struct Entry {
    session: Session,
    /// Seconds since 1970.
    issued: u64,
    revoked: bool,
}

#[derive(Default)]
pub(crate) struct RefreshTokens(Store<Entry>);

impl RefreshTokens {
    pub(crate) fn issue(&self, session: Session, now: u64) -> Result<Secret, EntraError> {
        let random = Secret::random(48).map_err(|_| EntraError::fault("no randomness"))?;
        let text = Secret::new(format!("{REFRESH_MARK}{}", random.expose()));
        let entry = Entry {
            session,
            issued: now,
            revoked: false,
        };
        self.0.lock().insert(Digest::of(text.expose()), entry);
        Ok(text)
    }

    /// The sign-in that a refresh token prolongs, if it is this client's.
    pub(crate) fn find(
        &self,
        text: &str,
        client_id: &str,
        now: u64,
    ) -> Result<Session, EntraError> {
        let entries = self.0.lock();
        let entry = entries.map.get(&Digest::of(text));
        let Some(entry) = entry.filter(|entry| entry.session.client_id == client_id) else {
            return Err(EntraError::new(
                70000,
                "The refresh token is malformed, or it was not issued to this client by this authority.",
            ));
        };
        if entry.revoked {
            return Err(EntraError::new(
                50173,
                "The refresh token was revoked, as when a password is changed. The user has to sign in again.",
            )
            .with("suberror", "bad_token"));
        }
        if now >= entry.issued + LIFETIME {
            return Err(EntraError::new(
                70008,
                "The refresh token has expired: nobody used it for 90 days. The user has to sign in again.",
            )
            .with("suberror", "token_expired"));
        }
        Ok(entry.session.clone())
    }

    /// Revokes the tokens of one user, or of all, and returns how many.
    pub(crate) fn revoke(&self, user_id: Option<&str>) -> usize {
        let mut revoked = 0;
        for entry in self.0.lock().map.values_mut() {
            let meant = user_id.is_none_or(|id| entry.session.user_id == id);
            if meant && !entry.revoked {
                entry.revoked = true;
                revoked += 1;
            }
        }
        revoked
    }
}
