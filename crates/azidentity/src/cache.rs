//! Answers from memory when it can; else one fetch per key, shared by all who wait; renews in the background.

mod flight;
mod key;
mod memory;

use async_trait::async_trait;

use crate::{
    IdentityError,
    token::{AccessTokenInfo, TokenRequest},
};

pub(crate) use key::KeyRef;
pub(crate) use memory::TokenCache;

/// Where tokens come from: the only thing that differs between credentials.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// Gets a token from outside, whatever that takes. Called once for all callers that wait for the same one.
    async fn acquire(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError>;
}
