//! Certificates: what loading one costs, and an assertion beside the bare signature that it can't do without.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark may fail by panicking"
)]

use std::{hint::black_box, sync::Arc, time::Duration};

use async_trait::async_trait;
use azidentity::{ClientCertificate, ClientCertificateCredential, Environment, ManualClock};
use azure_core::{
    credentials::TokenCredential,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
        headers::Headers,
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PSS_SHA256};
use tokio::runtime::Runtime;

const SCOPE: &str = "https://vault.azure.net/.default";
const PASSWORD: &str = "pl4nted-pässword";

fn fixture(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/it/certificates/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read(path).expect("a file")
}

fn bare_key() -> KeyPair {
    KeyPair::from_pkcs8(&fixture("key.der")).expect("a key")
}

/// Answers at once, with a token that is as good as expired, so that each call fetches one.
#[derive(Debug)]
struct AtOnce;

#[async_trait]
impl HttpClient for AtOnce {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            r#"{"token_type":"Bearer","expires_in":1,"access_token":"t"}"#,
        ))
    }
}

/// A credential, and the clock that it sees.
fn credential(file: &str, password: &str) -> (Arc<ClientCertificateCredential>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(1_800_000_000));
    let credential = ClientCertificateCredential::builder(
        "contoso.example",
        "7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31",
        ClientCertificate::from_bytes(fixture(file)),
    )
    .password(password.to_owned())
    .client_options(ClientOptions {
        transport: Some(Transport::new(Arc::new(AtOnce))),
        ..Default::default()
    })
    .environment(Environment::builder().clock(clock.clone()).build())
    .build()
    .expect("valid");
    (credential, clock)
}

fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a credential from a certificate");
    let der = fixture("key.der");
    group.bench_function("limit: the bare key", |bench| {
        bench.iter(|| KeyPair::from_pkcs8(black_box(&der)).expect("a key"));
    });
    for (name, file, password) in [
        ("PEM", "app.pem", ""),
        ("PEM, AES-256", "aes256.pem", PASSWORD),
        ("PFX", "empty-password.pfx", ""),
        ("PFX, RC2 and 3DES", "legacy.pfx", PASSWORD),
    ] {
        group.bench_function(name, |bench| bench.iter(|| credential(file, password)));
    }
    group.finish();
}

fn assertions(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("a fetch with an assertion");
    let key = bare_key();
    let mut signature = vec![0; key.public().modulus_len()];
    group.bench_function("limit: the bare signature", |bench| {
        bench.iter(|| {
            key.sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                black_box(&[7; 700]),
                &mut signature,
            )
            .expect("a signature");
        });
    });
    for (name, step) in [("fresh", 540), ("reused", 0)] {
        let (credential, clock) = credential("app.pem", "");
        group.bench_function(name, |bench| {
            bench.iter(|| {
                clock.advance(Duration::from_secs(step));
                runtime
                    .block_on(credential.get_token(&[SCOPE], None))
                    .expect("a token")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, loading, assertions);
criterion_main!(benches);
