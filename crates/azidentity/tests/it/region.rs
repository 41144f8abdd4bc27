//! Regional token endpoints.

use std::sync::Arc;

use azidentity::{ClientSecretCredential, Environment, EnvironmentBuilder, FailureKind};
use azure_core::{credentials::TokenCredential, error::ErrorKind, http::RetryOptions};

use crate::support::{CLIENT, OTHER_SCOPE, SCOPE, SECRET, TENANT, TestWorld, Wire, expect_error};

fn credential(wire: &Wire, environment: EnvironmentBuilder) -> Arc<ClientSecretCredential> {
    ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(wire.client_options())
        .environment(environment.build())
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_named_region_is_asked() {
    let mut wire = Wire::new();
    let environment =
        Environment::builder().variable("AZURE_REGIONAL_AUTHORITY_NAME", "westeurope");
    let credential = credential(&wire, environment);
    let answer = async {
        let exchange = wire.next().await;
        assert_eq!(
            exchange.url.as_str(),
            format!("https://westeurope.login.microsoft.com/{TENANT}/oauth2/v2.0/token")
        );
        exchange.answer_token("t", 3600);
    };
    let (token, ()) = tokio::join!(credential.get_token(&[SCOPE], None), answer);
    token.unwrap();
}

#[tokio::test]
async fn a_malformed_region_is_told_at_the_first_request() {
    let mut wire = Wire::new();
    let environment =
        Environment::builder().variable("AZURE_REGIONAL_AUTHORITY_NAME", "evil.example/");
    let credential = credential(&wire, environment);
    let result = credential.get_token(&[SCOPE], None).await;
    expect_error(
        result,
        FailureKind::Configuration,
        &["AZURE_REGIONAL_AUTHORITY_NAME", "evil.example/"],
    );
    assert!(wire.try_next().is_none());
}

/// Off Azure the metadata service is not there, and the central endpoint does as well.
#[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
#[tokio::test]
async fn where_no_region_is_found_the_central_endpoint_is_asked() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let mut wire = Wire::new();
    let environment = Environment::builder()
        .variable("AZURE_REGIONAL_AUTHORITY_NAME", "tryautodetect")
        .imds_host(format!("http://{closed}"));
    let credential = credential(&wire, environment);
    let answer = async {
        let exchange = wire.next().await;
        assert_eq!(exchange.url.host_str(), Some("login.microsoftonline.com"));
        exchange.answer_token("t", 3600);
    };
    let (token, ()) = tokio::join!(credential.get_token(&[SCOPE], None), answer);
    token.unwrap();
}

/// The machine says where it is, and is asked by the transport for metadata, not by the one for the authority.
#[tokio::test]
async fn the_region_is_found_out_once() {
    let world = TestWorld::start();
    let mut wire = Wire::new();
    let environment = Environment::builder()
        .variable("AZURE_REGIONAL_AUTHORITY_NAME", "tryautodetect")
        .imds_host(world.emulator.imds_host());
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(wire.client_options())
        .metadata_client_options(world.client_options())
        .environment(environment.build())
        .build()
        .unwrap();
    for scope in [SCOPE, OTHER_SCOPE] {
        let answer = async {
            let exchange = wire.next().await;
            assert_eq!(
                exchange.url.host_str(),
                Some("westeurope.login.microsoft.com")
            );
            exchange.answer_token("t", 3600);
        };
        let scopes = [scope];
        let (token, ()) = tokio::join!(credential.get_token(&scopes, None), answer);
        token.unwrap();
    }
    let requests = world.emulator.requests();
    let paths: Vec<&str> = requests
        .iter()
        .map(azidentity_emulator::RecordedRequest::path)
        .collect();
    assert_eq!(paths, ["/metadata/instance/compute"]);
}

#[tokio::test]
async fn where_the_region_has_no_endpoint_the_variable_is_named() {
    let mut wire = Wire::new();
    let environment = Environment::builder().variable("MSAL_FORCE_REGION", "nowhere");
    let mut options = wire.client_options();
    options.retry = RetryOptions::none();
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(options)
        .environment(environment.build())
        .build()
        .unwrap();
    let failing = async {
        wire.next().await.fail(ErrorKind::Other, "no such host");
    };
    let (result, ()) = tokio::join!(credential.get_token(&[SCOPE], None), failing);
    expect_error(
        result,
        FailureKind::Transport,
        &["MSAL_FORCE_REGION", "nowhere", "unset it"],
    );
}
