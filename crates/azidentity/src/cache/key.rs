//! What a token was asked for, owned and borrowed.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use papaya::Equivalent;

use crate::token::{AssertionDigest, TokenRequest, UserAssertion};

/// What a token was asked for; claims are not part of it, since they never lead to a cached token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    tenant: String,
    user: Option<AssertionDigest>,
    scopes: Vec<String>,
    enable_cae: bool,
}

/// A [`Key`] by reference, so that a look-up builds nothing.
#[derive(Clone, Copy)]
pub(crate) struct KeyRef<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) user: Option<&'a Arc<UserAssertion>>,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) enable_cae: bool,
}

impl Key {
    pub(super) fn of(request: &TokenRequest) -> Self {
        Self {
            tenant: request.tenant.clone(),
            user: request.user.as_ref().map(|user| *user.digest()),
            scopes: request.scopes.clone(),
            enable_cae: request.enable_cae,
        }
    }
}

/// One way to hash both forms: they must agree.
fn hash_parts<'a>(
    tenant: &str,
    user: Option<&AssertionDigest>,
    scopes: impl Iterator<Item = &'a str>,
    enable_cae: bool,
    state: &mut impl Hasher,
) {
    tenant.hash(state);
    if let Some(digest) = user {
        state.write(digest);
    }
    for scope in scopes {
        scope.hash(state);
    }
    enable_cae.hash(state);
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let scopes = self.scopes.iter().map(String::as_str);
        hash_parts(
            &self.tenant,
            self.user.as_ref(),
            scopes,
            self.enable_cae,
            state,
        );
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_parts(
            self.tenant,
            self.user.map(|user| user.digest()),
            self.scopes.iter().copied(),
            self.enable_cae,
            state,
        );
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.enable_cae == key.enable_cae
            && self.tenant == key.tenant
            && self.user.map(|user| user.digest()) == key.user.as_ref()
            && self.scopes == key.scopes
    }
}
