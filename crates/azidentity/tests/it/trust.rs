//! Who is trusted with a secret: only servers with a good certificate, and only authorities that are known.

use std::sync::Arc;

use azidentity::{ClientSecretCredential, Environment, FailureKind, ManualClock};
use azidentity_emulator::World;
use azure_core::credentials::TokenCredential;

use crate::support::{OTHER_SCOPE, SCOPE, START, TestWorld, expect_error};

/// With the built-in client, which trusts the system's authorities and not the emulator's.
#[cfg(all(feature = "reqwest", feature = "tokio"))]
#[tokio::test]
async fn an_untrusted_certificate_fails_at_once() {
    let emulator = azidentity_emulator::Emulator::start(azidentity_emulator::Config::default())
        .expect("an emulator");
    let clock = Arc::new(ManualClock::skipping(START));
    let credential = ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, "pl4nted")
        .authority_host(emulator.authority_host())
        .disable_instance_discovery(true)
        .environment(Environment::builder().clock(clock.clone()).build())
        .build()
        .expect("a valid configuration");
    let result = credential.get_token(&[SCOPE], None).await;
    expect_error(
        result,
        FailureKind::Transport,
        &["certificate", "SSL_CERT_FILE", emulator.authority_host()],
    );
    assert!(clock.slept().is_empty(), "no retry");
    assert_eq!(emulator.request_count(), 0, "no secret was sent");
}

#[tokio::test]
async fn a_refused_connection_is_retried_and_named() {
    // A port that was free a moment ago; nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let world = TestWorld::start();
    let clock = Arc::new(ManualClock::skipping(START));
    let credential = ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, "pl4nted")
        .authority_host(format!("https://127.0.0.1:{port}"))
        .disable_instance_discovery(true)
        .client_options(world.client_options())
        .environment(Environment::builder().clock(clock.clone()).build())
        .build()
        .expect("a valid configuration");
    let result = credential.get_token(&[SCOPE], None).await;
    expect_error(
        result,
        FailureKind::Transport,
        &["refused", &port.to_string(), "tried 4 times"],
    );
    assert_eq!(clock.slept().len(), 3, "three retries");
}

fn unknown_authority(
    world: &TestWorld,
    host: &str,
    judge: &TestWorld,
) -> Arc<ClientSecretCredential> {
    ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, world.secret())
        .authority_host(host)
        .client_options(world.client_options())
        .environment(
            Environment::builder()
                .instance_discovery_host(judge.emulator.authority_host())
                .build(),
        )
        .build()
        .expect("a valid configuration")
}

#[tokio::test]
async fn an_unknown_authority_is_asked_about_once() {
    let world = TestWorld::start();
    let credential = unknown_authority(&world, world.emulator.authority_host(), &world);
    for scope in [SCOPE, OTHER_SCOPE] {
        credential.get_token(&[scope], None).await.expect("a token");
    }
    let paths: Vec<String> = world
        .emulator
        .requests()
        .iter()
        .map(|request| request.path().to_owned())
        .collect();
    let token = format!("/{}/oauth2/v2.0/token", World::TENANT_ID);
    assert_eq!(paths, ["/common/discovery/instance", &token, &token]);
}

#[tokio::test]
async fn an_authority_that_is_not_vouched_for_gets_no_secret() {
    let world = TestWorld::start();
    let credential = unknown_authority(&world, "https://login.evil.example", &world);
    let result = credential.get_token(&[SCOPE], None).await;
    expect_error(
        result,
        FailureKind::Configuration,
        &["login.evil.example", "disable_instance_discovery"],
    );
    assert_eq!(world.emulator.token_request_count(), 0);
}
