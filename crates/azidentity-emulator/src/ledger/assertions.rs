//! Which client assertions were seen.

use super::{Digest, Store};

/// The `jti` of assertions, with what it stood for.
#[derive(Default)]
pub(crate) struct Assertions(Store<Seen>);

struct Seen {
    assertion: Digest,
    /// Seconds since 1970.
    expires: f64,
}

impl Assertions {
    /// Notes an assertion, and returns whether its `jti` is its own. Clients
    /// send the same assertion for minutes (MSAL for Python for 540 seconds),
    /// which Entra allows; another one under the same id is a forgery or a bug.
    pub(crate) fn note(
        &self,
        client_id: &str,
        id: &str,
        assertion: &str,
        expires: f64,
        now: f64,
    ) -> bool {
        let key = Digest::of(&format!("{}\0{id}", client_id.to_ascii_lowercase()));
        let assertion = Digest::of(assertion);
        let mut seen = self.0.lock();
        match seen.map.get(&key) {
            Some(known) if known.expires > now => known.assertion == assertion,
            _ => {
                seen.insert(key, Seen { assertion, expires });
                true
            }
        }
    }
}
