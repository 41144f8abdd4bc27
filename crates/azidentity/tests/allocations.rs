//! What the hot path allocates, counted. An executable of its own, since a process has one allocator.

#![allow(clippy::expect_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use allocation_counter::measure;
use async_trait::async_trait;
use azidentity::{ChainedTokenCredential, ClientSecretCredential, Credential};
use azure_core::{
    credentials::TokenCredential,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
        headers::Headers,
    },
};
use futures::{FutureExt, executor::block_on};

const SCOPES: &[&str] = &["https://vault.azure.net/.default"];

#[derive(Debug)]
struct OneToken;

#[async_trait]
impl HttpClient for OneToken {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = format!(
            r#"{{"access_token":"{}","expires_in":3600}}"#,
            "t".repeat(1500)
        );
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            body,
        ))
    }
}

fn filled() -> Arc<ClientSecretCredential> {
    let credential = ClientSecretCredential::builder("tenant", "client", "secret")
        .client_options(ClientOptions {
            transport: Some(Transport::new(Arc::new(OneToken))),
            ..Default::default()
        })
        .build()
        .expect("a valid configuration");
    block_on(credential.get_token(SCOPES, None)).expect("a token");
    credential
}

/// The future in its box and the copy of the token: `azure_core`'s signature forces both.
#[test]
fn a_cached_get_token_makes_two_allocations() {
    let credential = filled();
    let counted = measure(|| {
        let token = credential.get_token(SCOPES, None).now_or_never();
        assert!(token.is_some_and(|token| token.is_ok()));
    });
    assert_eq!(counted.count_total, 2);
}

#[test]
fn get_token_info_allocates_its_future_only() {
    let credential = filled();
    let counted = measure(|| {
        let info = credential.get_token_info(SCOPES, None).now_or_never();
        assert!(info.is_some_and(|info| info.is_ok()));
    });
    assert_eq!(counted.count_total, 1);
}

#[test]
fn cached_allocates_nothing_in_a_chain_too() {
    let credential = filled();
    let chain = ChainedTokenCredential::new(vec![credential.clone().into()]).expect("a chain");
    let counted = measure(|| {
        assert!(credential.cached(SCOPES, None).is_some());
        assert!(chain.cached(SCOPES, None).is_some());
    });
    assert_eq!(counted.count_total, 0);
}
