//! An application with a certificate that environment variables describe.

use std::sync::Arc;

use azidentity::{
    Credential, DefaultAzureCredential, Environment, EnvironmentCredential, FailureKind,
    ManualClock,
};
use azure_core::credentials::TokenCredential;
use ring::signature::RSA_PSS_2048_8192_SHA256;

use crate::{
    certificates::{PASSWORD, path},
    client_certificate::{assertion, verified},
    support::{CLIENT, SCOPE, START, TENANT, Wire, expect_error},
};

fn described(file: &str, more: &[(&str, &str)]) -> Environment {
    Environment::builder()
        .clock(Arc::new(ManualClock::new(START)))
        .variables([
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT),
            ("AZURE_CLIENT_CERTIFICATE_PATH", &path(file)),
        ])
        .variables(more.iter().copied())
        .build()
}

#[tokio::test]
async fn variables_describe_a_certificate() {
    let mut wire = Wire::new();
    let credential = EnvironmentCredential::builder()
        .client_options(wire.client_options())
        .environment(described(
            "modern.pfx",
            &[
                ("AZURE_CLIENT_CERTIFICATE_PASSWORD", PASSWORD),
                ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "true"),
            ],
        ))
        .build()
        .expect("a valid configuration");
    let sent = assertion(&mut wire, &*credential, SCOPE, None).await;
    let (header, _) = verified(&sent, &RSA_PSS_2048_8192_SHA256);
    assert_eq!(header["x5c"].as_array().map(Vec::len), Some(3));
    let info = credential.cached(&[SCOPE], None).expect("a token");
    assert_eq!(info.credential(), "environment");
    assert!(!format!("{credential:?}").contains("pl4nted"));
}

#[tokio::test]
async fn a_secret_comes_before_a_certificate() {
    let mut wire = Wire::new();
    let credential = EnvironmentCredential::builder()
        .client_options(wire.client_options())
        .environment(described(
            "there is no such file",
            &[("AZURE_CLIENT_SECRET", "pl4nted")],
        ))
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let exchange = wire.next().await;
        assert_eq!(exchange.form["client_secret"], "pl4nted");
        exchange.answer_token("AT-1", 3600);
    });
    token.expect("a token");
}

#[tokio::test]
async fn a_bad_file_fails_at_construction_but_in_the_default_chain_at_its_turn() {
    let environment = described("another-key.pem", &[]);
    let built = EnvironmentCredential::builder()
        .environment(environment.clone())
        .build();
    let error = expect_error(
        built,
        FailureKind::Configuration,
        &["another certificate", "another-key.pem"],
    );
    assert_eq!(error.credential(), Some("environment"));

    let wire = Wire::new();
    let chain = DefaultAzureCredential::builder()
        .client_options(wire.client_options())
        .environment(environment)
        .build()
        .expect("the constructor does not fail");
    expect_error(
        chain.get_token(&[SCOPE], None).await,
        FailureKind::AuthenticationFailed,
        &["environment", "another-key.pem"],
    );
}
