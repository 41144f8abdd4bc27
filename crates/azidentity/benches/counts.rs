//! What is counted rather than timed: requests, tries and bytes, ours and the official crate's.
//!
//! `cargo bench -p azidentity --bench counts` prints the table of the README. The official crate takes a minute and a half
//! to report an untrusted certificate.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark may fail by panicking, and prints what it found"
)]

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use allocation_counter::measure;
use async_trait::async_trait;
use azidentity::{ClientSecretCredential, OnBehalfOfClient};
use azidentity_emulator::{Config, Emulator, World};
use azure_core::{
    cloud::CustomConfiguration,
    credentials::TokenCredential,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport,
        headers::Headers,
    },
};
use futures::future::join_all;
use tokio::runtime::Runtime;

const SCOPE: &str = "https://vault.azure.net/.default";

/// Answers after a moment, and counts.
#[derive(Debug, Default)]
struct Counting {
    requests: AtomicU32,
    refuses: bool,
}

#[async_trait]
impl HttpClient for Counting {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let (status, body) = if self.refuses {
            let refusal = r#"{"error":"invalid_client","error_description":"no"}"#;
            (StatusCode::Unauthorized, refusal.to_owned())
        } else {
            let token = "t".repeat(1500);
            let answer = format!(
                r#"{{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"{token}"}}"#
            );
            (StatusCode::Ok, answer)
        };
        Ok(AsyncRawResponse::from_bytes(status, Headers::new(), body))
    }
}

#[derive(Clone, Copy)]
enum Crate {
    Ours,
    Official,
}

impl Crate {
    fn credential(self, client_options: ClientOptions) -> Arc<dyn TokenCredential> {
        let (tenant, client) = (World::TENANT_ID, World::CLIENT_ID.to_owned());
        match self {
            Self::Ours => {
                let options = azidentity::ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(tenant, client, "secret".into(), Some(options))
                    .expect("valid")
            }
            Self::Official => {
                let options = azure_identity::ClientSecretCredentialOptions { client_options };
                azure_identity::ClientSecretCredential::new(
                    tenant,
                    client,
                    "secret".into(),
                    Some(options),
                )
                .expect("valid")
            }
        }
    }
}

/// How many requests 200 callers cause who want the same token at once, of which there is none yet.
async fn stampede(who: Crate, refuses: bool) -> String {
    let client = Arc::new(Counting {
        refuses,
        ..Default::default()
    });
    let credential = who.credential(ClientOptions {
        transport: Some(Transport::new(client.clone())),
        retry: RetryOptions::none(),
        ..Default::default()
    });
    let answers = join_all((0..200).map(|_| credential.get_token(&[SCOPE], None))).await;
    assert!(answers.iter().all(|answer| answer.is_err() == refuses));
    client.requests.load(Ordering::Relaxed).to_string()
}

fn bytes_to_build(who: Crate) -> String {
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::new(Counting::default()))),
        ..Default::default()
    };
    // What is made once for all is not this credential's.
    black_box(who.credential(client_options.clone()));
    let mut kept = None;
    let counted = measure(|| kept = Some(who.credential(client_options.clone())));
    format!("{} bytes", counted.bytes_current)
}

/// What each user takes in the cache of a web API that asks on behalf of them.
fn bytes_for_each_user(runtime: &Runtime) -> String {
    const USERS: i64 = 1000;
    let client = OnBehalfOfClient::builder(World::TENANT_ID, World::CLIENT_ID)
        .client_secret("secret")
        .client_options(ClientOptions {
            transport: Some(Transport::new(Arc::new(Counting::default()))),
            ..Default::default()
        })
        .build()
        .expect("valid");
    let ask = |user: i64| {
        let credential = client
            .for_user(format!("{user}.{}", "a".repeat(1500)))
            .expect("valid");
        async move { credential.get_token(&[SCOPE], None).await.is_ok() }
    };
    runtime.block_on(ask(0));
    let counted = measure(|| {
        let all = runtime.block_on(join_all((1..=USERS).map(ask)));
        assert!(all.into_iter().all(|answered| answered));
    });
    format!("{} bytes", counted.bytes_current / USERS)
}

/// How long it takes to say that the server's certificate is not trusted, with the crate's own client.
async fn untrusted(who: Crate, emulator: &Emulator) -> String {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = emulator.authority_host().into();
    let credential = who.credential(ClientOptions {
        cloud: Some(Arc::new(cloud.into())),
        ..Default::default()
    });
    let start = Instant::now();
    assert!(credential.get_token(&[SCOPE], None).await.is_err());
    format!("{:.3} s", start.elapsed().as_secs_f64())
}

async fn requests_for_the_first_token(who: Crate) -> String {
    let client = Arc::new(Counting::default());
    let credential = who.credential(ClientOptions {
        transport: Some(Transport::new(client.clone())),
        ..Default::default()
    });
    credential.get_token(&[SCOPE], None).await.expect("a token");
    client.requests.load(Ordering::Relaxed).to_string()
}

fn row(measure: &str, limit: &str, ours: &str, official: &str) {
    println!("| {measure} | {limit} | {ours} | {official} |");
}

fn main() {
    // CI runs benches as tests, to see that they still work.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let emulator = Emulator::start(Config::default()).expect("an emulator");
    emulator.wait_until_ready();

    println!("| counted | limit | ours | official crate |");
    println!("| --- | --- | --- | --- |");
    let both = |measure: fn(Crate) -> String| (measure(Crate::Ours), measure(Crate::Official));
    let (ours, official) = (
        runtime.block_on(requests_for_the_first_token(Crate::Ours)),
        runtime.block_on(requests_for_the_first_token(Crate::Official)),
    );
    row("requests for the first token", "1", &ours, &official);
    for (name, refuses) in [
        ("requests of 200 callers of one scope, none cached", false),
        ("the same where the server refuses", true),
    ] {
        let ours = runtime.block_on(stampede(Crate::Ours, refuses));
        let official = runtime.block_on(stampede(Crate::Official, refuses));
        row(name, "1", &ours, &official);
    }
    let (ours, official) = both(bytes_to_build);
    row("memory of one more credential", "", &ours, &official);
    row(
        "memory for each user on behalf of, a token of 1,500 bytes",
        "1500 bytes",
        &bytes_for_each_user(&runtime),
        "",
    );
    let ours = runtime.block_on(untrusted(Crate::Ours, &emulator));
    let official = if quick {
        "not measured".into()
    } else {
        runtime.block_on(untrusted(Crate::Official, &emulator))
    };
    row(
        "time to say that a certificate is not trusted",
        "a handshake",
        &ours,
        &official,
    );
}
