//! What the authority has to remember between two requests: codes, refresh
//! tokens, and which assertions it has seen.
//!
//! Nothing of it can be redeemed from here: the keys are SHA-256 digests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{SHA256, digest};

mod assertions;
mod codes;
mod refresh_tokens;

pub(crate) use assertions::Assertions;
pub(crate) use codes::{Code, Codes};
pub(crate) use refresh_tokens::RefreshTokens;

/// The oldest entries are forgotten beyond so many.
const KEPT: usize = 10_000;

/// How codes and refresh tokens of an emulator begin, so that one in a wrong
/// place is not shown (see `State::showable`).
pub(crate) const CODE_MARK: &str = "0.azemuc.";
pub(crate) const REFRESH_MARK: &str = "1.azemur.";

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) codes: Codes,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) assertions: Assertions,
}

/// Stands for a text that must not be kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Digest([u8; 32]);

impl Digest {
    fn of(text: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(bytes)
    }
}

/// A map that forgets its oldest entries.
struct Store<T>(Mutex<Entries<T>>);

struct Entries<T> {
    map: HashMap<Digest, T>,
    order: VecDeque<Digest>,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self(Mutex::new(Entries {
            map: HashMap::new(),
            order: VecDeque::new(),
        }))
    }
}

impl<T> Store<T> {
    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Entries<T> {
    fn insert(&mut self, key: Digest, value: T) {
        if self.map.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        while self.map.len() > KEPT {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.map.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, KEPT, Store};

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let store = Store::default();
        let mut entries = store.lock();
        for number in 0..=KEPT {
            entries.insert(Digest::of(&number.to_string()), number);
        }
        assert_eq!(entries.map.len(), KEPT);
        assert!(!entries.map.contains_key(&Digest::of("0")));
        assert!(entries.map.contains_key(&Digest::of("1")));
    }
}
