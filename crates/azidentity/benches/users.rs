//! A web API with many users: tokens on behalf of each, from memory. `.ci/bench-table` prints the ratios.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark may fail by panicking"
)]

use std::{hint::black_box, sync::Arc};

use async_trait::async_trait;
use azidentity::{Credential, OnBehalfOfClient, OnBehalfOfCredential};
use azure_core::{
    credentials::TokenCredential,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
        headers::Headers,
    },
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::executor::block_on;

const SCOPE: &str = "https://graph.microsoft.com/User.Read";

/// As long as tokens usually are, in bytes.
const TOKEN_LENGTH: usize = 1500;

/// Answers every request at once.
#[derive(Debug)]
struct Instantly;

#[async_trait]
impl HttpClient for Instantly {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let token = "t".repeat(TOKEN_LENGTH);
        let body =
            format!(r#"{{"token_type":"Bearer","expires_in":86000,"access_token":"{token}"}}"#);
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            body,
        ))
    }
}

fn assertion(user: usize) -> String {
    format!("{user:08}.{}", "a".repeat(TOKEN_LENGTH))
}

fn client(users: usize) -> (Arc<OnBehalfOfClient>, Arc<OnBehalfOfCredential>) {
    let client = OnBehalfOfClient::builder("contoso.example", "client")
        .client_secret("secret")
        .client_options(ClientOptions {
            transport: Some(Transport::new(Arc::new(Instantly))),
            ..Default::default()
        })
        .build()
        .expect("valid");
    for user in 0..users {
        let credential = client.for_user(assertion(user)).expect("valid");
        block_on(credential.get_token(&[SCOPE], None)).expect("a token");
    }
    let one = client.for_user(assertion(users / 2)).expect("valid");
    (client, one)
}

fn cached(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("on behalf of");
    // As a test, which only is to see that it still works, a few users are enough.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let counts: &[usize] = if quick {
        &[100]
    } else {
        &[100, 10_000, 100_000]
    };
    for &users in counts {
        let (client, one) = client(users);
        group.bench_function(BenchmarkId::new("get_token", users), |bench| {
            bench.iter(|| block_on(one.get_token(black_box(&[SCOPE]), None)));
        });
        group.bench_function(BenchmarkId::new("cached", users), |bench| {
            bench.iter(|| one.cached(black_box(&[SCOPE]), None).expect("a token"));
        });
        // All that a request costs: its user's credential is made from the assertion, and used once.
        let bearer = assertion(users / 2);
        group.bench_function(BenchmarkId::new("for_user and cached", users), |bench| {
            bench.iter(|| {
                let credential = client.for_user(black_box(&bearer)).expect("valid");
                credential.cached(&[SCOPE], None).expect("a token")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cached);
criterion_main!(benches);
