//! Tokens that have to be fetched, and reads beside fetches: ours and the official crate's.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark may fail by panicking"
)]

use std::{hint::black_box, sync::Arc, time::Duration};

use async_trait::async_trait;
use azidentity::ClientSecretCredential;
use azidentity_emulator::{Config, Emulator, World};
use azure_core::{
    cloud::CustomConfiguration,
    credentials::TokenCredential,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
        headers::Headers,
    },
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures::future::join_all;
use tokio::runtime::Runtime;

const SCOPE: &str = "https://vault.azure.net/.default";

/// Answers after a while.
#[derive(Debug)]
struct Slowly {
    delay: Duration,
    expires_in: u32,
}

#[async_trait]
impl HttpClient for Slowly {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        // A token for the vault is there at once; the others take their time.
        let body: azure_core::Bytes = request.body().into();
        if !String::from_utf8_lossy(&body).contains("vault") {
            tokio::time::sleep(self.delay).await;
        }
        let body = format!(
            r#"{{"token_type":"Bearer","expires_in":{},"ext_expires_in":3600,"access_token":"{}"}}"#,
            self.expires_in,
            "t".repeat(1500)
        );
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            body,
        ))
    }
}

/// Both crates' credentials on one transport.
fn credentials(client: impl HttpClient + 'static) -> [(&'static str, Arc<dyn TokenCredential>); 2] {
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::new(client))),
        ..Default::default()
    };
    both(World::TENANT_ID, World::CLIENT_ID, "secret", client_options)
}

fn both(
    tenant: &str,
    client: &str,
    secret: &str,
    client_options: ClientOptions,
) -> [(&'static str, Arc<dyn TokenCredential>); 2] {
    let ours = azidentity::ClientSecretCredentialOptions {
        client_options: client_options.clone(),
    };
    let official = azure_identity::ClientSecretCredentialOptions { client_options };
    [
        (
            "ours",
            ClientSecretCredential::new(
                tenant,
                client.into(),
                secret.to_owned().into(),
                Some(ours),
            )
            .expect("valid"),
        ),
        (
            "official",
            azure_identity::ClientSecretCredential::new(
                tenant,
                client.into(),
                secret.to_owned().into(),
                Some(official),
            )
            .expect("valid"),
        ),
    ]
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// The server takes 5 ms for each; whoever asks one after the other needs a second.
fn scopes_at_once(criterion: &mut Criterion) {
    let runtime = runtime();
    let scopes: Vec<String> = (0..200)
        .map(|scope| format!("https://service-{scope}.example/.default"))
        .collect();
    let mut group = criterion.benchmark_group("200 scopes at once, server 5 ms");
    group.sample_size(10);
    for index in 0..2 {
        let (name, _) = &credentials(Slowly {
            delay: Duration::ZERO,
            expires_in: 1,
        })[index];
        group.bench_function(*name, |bench| {
            bench.to_async(&runtime).iter_batched(
                || {
                    let delay = Duration::from_millis(5);
                    credentials(Slowly {
                        delay,
                        expires_in: 3600,
                    })[index]
                        .1
                        .clone()
                },
                |credential| {
                    let scopes = &scopes;
                    async move {
                        let asked: Vec<[&str; 1]> =
                            scopes.iter().map(|scope| [scope.as_str()]).collect();
                        join_all(asked.iter().map(|scope| credential.get_token(scope, None))).await
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The official crate holds its lock while it fetches, so this is the rest of the fetch there.
fn read_beside_a_fetch(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("cached read beside a fetch of 20 ms");
    group.sample_size(10);
    for (name, credential) in credentials(Slowly {
        delay: Duration::from_millis(20),
        expires_in: 3600,
    }) {
        runtime
            .block_on(credential.get_token(&[SCOPE], None))
            .expect("a token");
        let mut slow = 0;
        group.bench_function(name, |bench| {
            bench.to_async(&runtime).iter_custom(|rounds| {
                let credential = credential.clone();
                slow += 1;
                let base = slow;
                async move {
                    let mut spent = Duration::ZERO;
                    for round in 0..rounds {
                        let fetching = credential.clone();
                        let scope = format!("https://slow-{base}-{round}.example/.default");
                        let fetch = tokio::spawn(async move {
                            fetching.get_token(&[&scope], None).await.is_ok()
                        });
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        let start = std::time::Instant::now();
                        let _ = black_box(credential.get_token(&[SCOPE], None).await);
                        spent += start.elapsed();
                        let _ = fetch.await;
                    }
                    spent
                }
            });
        });
    }
    group.finish();
}

/// A token with four minutes left is due in both crates: ours is renewed beside the caller.
fn due_renewal(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("valid token due for renewal, server 5 ms");
    group.sample_size(10);
    let scopes = &["https://storage.azure.com/.default"];
    for (name, credential) in credentials(Slowly {
        delay: Duration::from_millis(5),
        expires_in: 240,
    }) {
        runtime
            .block_on(credential.get_token(scopes, None))
            .expect("a token");
        group.bench_function(name, |bench| {
            bench
                .to_async(&runtime)
                .iter(|| credential.get_token(black_box(scopes), None));
        });
    }
    group.finish();
}

/// One more credential in a process that has a connection already: built, and its first token over loopback TLS.
fn one_more_credential(criterion: &mut Criterion) {
    let runtime = runtime();
    let emulator = Emulator::start(Config::default()).expect("an emulator");
    emulator.wait_until_ready();
    let secret = emulator
        .world()
        .client_secret(World::CLIENT_ID)
        .expect("the built-in world has one")
        .to_owned();
    let certificate =
        reqwest::Certificate::from_der(emulator.ca_certificate_der()).expect("a certificate");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client");
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = emulator.authority_host().into();
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::new(client.clone()))),
        cloud: Some(Arc::new(cloud.into())),
        ..Default::default()
    };
    let mut group = criterion.benchmark_group("one more credential, built and first token");
    group.sample_size(20);
    // The same request by the same client, with nothing around it.
    let form = format!(
        "client_id={}&grant_type=client_credentials&scope={SCOPE}&client_secret={secret}",
        World::CLIENT_ID
    );
    let endpoint = format!(
        "{}/{}/oauth2/v2.0/token",
        emulator.authority_host(),
        World::TENANT_ID
    );
    group.bench_function("limit", |bench| {
        bench.to_async(&runtime).iter(|| async {
            let answer = client
                .post(&endpoint)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.clone())
                .send()
                .await
                .expect("an answer");
            assert!(answer.status().is_success());
            answer.bytes().await.expect("a body")
        });
    });
    for index in 0..2 {
        let (name, _) = &both(
            World::TENANT_ID,
            World::CLIENT_ID,
            &secret,
            client_options.clone(),
        )[index];
        group.bench_function(*name, |bench| {
            bench.to_async(&runtime).iter(|| {
                let made = both(
                    World::TENANT_ID,
                    World::CLIENT_ID,
                    &secret,
                    client_options.clone(),
                );
                async move {
                    made[index]
                        .1
                        .get_token(&[SCOPE], None)
                        .await
                        .expect("a token")
                }
            });
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    scopes_at_once,
    read_beside_a_fetch,
    due_renewal,
    one_more_credential
);
criterion_main!(benches);
