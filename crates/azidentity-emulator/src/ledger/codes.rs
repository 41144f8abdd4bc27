//! Authorization codes.

use super::{CODE_MARK, Digest, Store};
use crate::entra_error::EntraError;
use crate::secret::Secret;
use crate::user_grant::Session;

/// Seconds for which a code can be redeemed. Entra's documentation says about
/// ten minutes.
pub(crate) const LIFETIME: u64 = 10 * 60;

/// What a code stands for.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) session: Session,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<crate::pkce::Challenge>,
    pub(crate) nonce: Option<String>,
    /// Seconds since 1970.
    pub(crate) issued: u64,
}

struct Entry {
    code: Code,
    redeemed: bool,
}

#[derive(Default)]
pub(crate) struct Codes(Store<Entry>);

impl Codes {
    pub(crate) fn issue(&self, code: Code) -> Result<Secret, EntraError> {
        let random = Secret::random(48).map_err(|_| EntraError::fault("no randomness"))?;
        let text = Secret::new(format!("{CODE_MARK}{}", random.expose()));
        let entry = Entry {
            code,
            redeemed: false,
        };
        self.0.lock().insert(Digest::of(text.expose()), entry);
        Ok(text)
    }

    /// Lets `redeem` look at what the code stands for, and spends the code if
    /// it succeeds: a client that made a mistake may try again.
    pub(crate) fn redeem<T>(
        &self,
        text: &str,
        now: u64,
        redeem: impl FnOnce(&Code) -> Result<T, EntraError>,
    ) -> Result<T, EntraError> {
        let mut entries = self.0.lock();
        let Some(entry) = entries.map.get_mut(&Digest::of(text)) else {
            return Err(EntraError::new(
                70000,
                "The authorization code is malformed, or this authority never gave it out.",
            ));
        };
        if entry.redeemed {
            return Err(EntraError::new(
                54005,
                "The authorization code was redeemed before. Each code can be redeemed once; ask for a new one, or \
                 use the refresh token.",
            ));
        }
        if now >= entry.code.issued + LIFETIME {
            return Err(EntraError::new(
                70008,
                "The authorization code has expired: it has to be redeemed within ten minutes.",
            ));
        }
        let outcome = redeem(&entry.code)?;
        entry.redeemed = true;
        Ok(outcome)
    }
}
