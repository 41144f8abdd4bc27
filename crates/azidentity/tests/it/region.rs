//! Regional token endpoints.

use std::sync::Arc;

use azidentity::{ClientSecretCredential, Environment, EnvironmentBuilder, FailureKind};
use azure_core::credentials::TokenCredential;

use crate::support::{CLIENT, SCOPE, SECRET, TENANT, Wire, expect_error};

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
