//! Tokens from memory: ours, the official crate's, and the limit itself (a look-up, a clock read and a copy).
//!
//! Compare within one run; `.ci/bench-table` prints the ratios.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark may fail by panicking"
)]

use std::{
    collections::HashMap,
    hint::black_box,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use azidentity::{ChainedTokenCredential, ClientSecretCredential, Credential};
use azure_core::{
    credentials::TokenCredential,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
        headers::Headers,
    },
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::{executor::block_on, future::join_all};

const SCOPE: &str = "https://vault.azure.net/.default";
const TENANT: &str = "00000000-0000-0000-0000-000000000001";

/// As long as a token for a service usually is, in bytes.
const TOKEN_LENGTH: usize = 1500;

/// Answers every request at once.
#[derive(Debug)]
struct Instantly;

#[async_trait]
impl HttpClient for Instantly {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = format!(
            r#"{{"token_type":"Bearer","expires_in":86000,"ext_expires_in":86000,"access_token":"{}"}}"#,
            "t".repeat(TOKEN_LENGTH)
        );
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            body,
        ))
    }
}

fn client_options() -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(Instantly))),
        ..Default::default()
    }
}

fn ours() -> Arc<ClientSecretCredential> {
    let options = azidentity::ClientSecretCredentialOptions {
        client_options: client_options(),
    };
    ClientSecretCredential::new(TENANT, "client".into(), "secret".into(), Some(options))
        .expect("valid")
}

fn official() -> Arc<azure_identity::ClientSecretCredential> {
    let options = azure_identity::ClientSecretCredentialOptions {
        client_options: client_options(),
    };
    azure_identity::ClientSecretCredential::new(
        TENANT,
        "client".into(),
        "secret".into(),
        Some(options),
    )
    .expect("valid")
}

/// Asks for `keys` different scopes, the usual one in the middle.
fn fill(credential: &dyn TokenCredential, keys: usize) {
    for key in 0..keys {
        let scope = format!("https://service-{key}.example/.default");
        let scope = if key == keys / 2 { SCOPE } else { &scope };
        block_on(credential.get_token(&[scope], None)).expect("a token");
    }
}

/// What no cache can do without: finding the token, reading the clock, copying the text.
struct Limit(HashMap<String, (String, u64)>);

impl Limit {
    fn new(keys: usize) -> Self {
        let token = "t".repeat(TOKEN_LENGTH);
        let mut map: HashMap<_, _> = (1..keys)
            .map(|key| {
                (
                    format!("https://service-{key}.example/.default"),
                    (token.clone(), u64::MAX),
                )
            })
            .collect();
        map.insert(SCOPE.into(), (token, u64::MAX));
        Self(map)
    }

    fn find(&self, scope: &str) -> &str {
        let (token, expires) = &self.0[scope];
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        assert!(now.as_secs() < *expires);
        token
    }
}

fn one_caller(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cached");
    for keys in [1, 1000, 100_000] {
        let limit = Limit::new(keys);
        group.bench_function(BenchmarkId::new("limit with copy", keys), |bench| {
            bench.iter(|| limit.find(black_box(SCOPE)).to_owned());
        });
        group.bench_function(BenchmarkId::new("limit without copy", keys), |bench| {
            bench.iter(|| limit.find(black_box(SCOPE)).len());
        });
        let credential = ours();
        fill(&*credential, keys);
        group.bench_function(BenchmarkId::new("get_token", keys), |bench| {
            bench.iter(|| block_on(credential.get_token(black_box(&[SCOPE]), None)));
        });
        group.bench_function(BenchmarkId::new("get_token_info", keys), |bench| {
            bench.iter(|| block_on(credential.get_token_info(black_box(&[SCOPE]), None)));
        });
        group.bench_function(BenchmarkId::new("cached", keys), |bench| {
            bench.iter(|| credential.cached(black_box(&[SCOPE]), None));
        });
        if keys <= 1000 {
            let credential = official();
            fill(&*credential, keys);
            group.bench_function(BenchmarkId::new("official get_token", keys), |bench| {
                bench.iter(|| block_on(credential.get_token(black_box(&[SCOPE]), None)));
            });
        }
    }
    let member = ours();
    fill(&*member, 1);
    let chain = ChainedTokenCredential::new(vec![member.into()]).expect("a chain");
    group.bench_function("chain get_token", |bench| {
        bench.iter(|| block_on(chain.get_token(black_box(&[SCOPE]), None)));
    });
    group.bench_function("chain cached", |bench| {
        bench.iter(|| chain.cached(black_box(&[SCOPE]), None));
    });
    group.finish();
}

/// Time for `calls` calls in all, shared by `threads` threads.
fn on_threads(credential: &dyn TokenCredential, threads: u64, calls: u64) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..calls / threads {
                    let _ = black_box(block_on(credential.get_token(black_box(&[SCOPE]), None)));
                }
            });
        }
    });
    start.elapsed()
}

fn many_callers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("threads");
    let credentials: [(&str, Arc<dyn TokenCredential>); 2] =
        [("ours", ours()), ("official", official())];
    for (name, credential) in credentials {
        fill(&*credential, 1);
        for threads in [1, 2] {
            group.bench_function(BenchmarkId::new(name, threads), |bench| {
                bench.iter_custom(|calls| on_threads(&*credential, threads, calls.max(threads)));
            });
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .expect("a runtime");
        group.bench_function(
            BenchmarkId::new(format!("{name}, 64 tasks of 100 calls"), 2),
            |bench| {
                bench.to_async(&runtime).iter(|| {
                    join_all((0..64).map(|_| {
                        let credential = credential.clone();
                        tokio::spawn(async move {
                            for _ in 0..100 {
                                let _ = black_box(credential.get_token(&[SCOPE], None).await);
                            }
                        })
                    }))
                });
            },
        );
    }
    group.finish();
}

fn building(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("building");
    group.bench_function("ours", |bench| bench.iter(ours));
    group.bench_function("official", |bench| bench.iter(official));
    group.finish();
}

criterion_group!(benches, one_caller, many_callers, building);
criterion_main!(benches);
