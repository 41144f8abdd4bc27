//! An application that environment variables describe.

use azidentity::{Credential, Environment, EnvironmentCredential, FailureKind};
use azidentity_emulator::World;
use azure_core::credentials::TokenCredential;

use crate::support::{SCOPE, TestWorld, expect_error};

#[tokio::test]
async fn a_complete_set_gives_a_token_in_the_credentials_own_name() {
    let world = TestWorld::start();
    let environment = Environment::builder()
        .variables([
            ("AZURE_TENANT_ID", World::TENANT_ID),
            ("AZURE_CLIENT_ID", World::CLIENT_ID),
            ("AZURE_CLIENT_SECRET", &world.secret()),
            ("AZURE_AUTHORITY_HOST", world.emulator.authority_host()),
        ])
        .build();
    let credential = EnvironmentCredential::builder()
        .environment(environment)
        .disable_instance_discovery(true)
        .client_options(world.client_options())
        .build()
        .expect("a valid configuration");
    let info = credential
        .get_token_info(&[SCOPE], None)
        .await
        .expect("a token");
    assert_eq!(
        (credential.name(), info.credential()),
        ("environment", "environment")
    );
    assert!(credential.cached(&[SCOPE], None).is_some());
}

#[tokio::test]
async fn an_incomplete_set_is_unavailable_and_says_what_is_missing() {
    let set = |names: &[&str]| {
        EnvironmentCredential::builder()
            .environment(
                Environment::builder()
                    .variables(names.iter().map(|&name| (name, "pl4nted")))
                    .variable("AZURE_CLIENT_SECRET_IS_NOT_READ", "x")
                    .build(),
            )
            .build()
            .expect("can always be made")
    };
    for (names, says) in [
        (
            &[][..],
            &[
                "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH",
                "none",
            ][..],
        ),
        (
            &["AZURE_TENANT_ID", "AZURE_CLIENT_ID"],
            &[
                "AZURE_TENANT_ID, AZURE_CLIENT_ID set",
                "AZURE_CLIENT_SECRET not",
                "set AZURE_CLIENT_SECRET to use a client secret, or AZURE_CLIENT_CERTIFICATE_PATH to use a certificate",
            ],
        ),
        (
            &["AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"],
            &[
                "AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH set",
                "AZURE_TENANT_ID not; set AZURE_TENANT_ID to use a certificate",
            ],
        ),
        (
            &[
                "AZURE_TENANT_ID",
                "AZURE_CLIENT_SECRET",
                "AZURE_CLIENT_CERTIFICATE_PATH",
            ],
            &["AZURE_CLIENT_ID not; set AZURE_CLIENT_ID to use a client secret"],
        ),
        (
            &["AZURE_CLIENT_SECRET"],
            &[
                "AZURE_CLIENT_SECRET set",
                "AZURE_TENANT_ID, AZURE_CLIENT_ID not",
            ],
        ),
    ] {
        let credential = set(names);
        let error = expect_error(
            credential.get_token(&[SCOPE], None).await,
            FailureKind::Unavailable,
            says,
        );
        assert_eq!(error.credential(), Some("environment"));
        expect_error(
            credential.get_token(&[], None).await,
            FailureKind::Configuration,
            &["scope"],
        );
    }
}

#[test]
fn a_malformed_value_fails_at_construction() {
    let built = EnvironmentCredential::builder()
        .environment(
            Environment::builder()
                .variables([
                    ("AZURE_TENANT_ID", "not a tenant"),
                    ("AZURE_CLIENT_ID", "c"),
                    ("AZURE_CLIENT_SECRET", "pl4nted"),
                ])
                .build(),
        )
        .build();
    let error = expect_error(built, FailureKind::Configuration, &["not a tenant"]);
    assert_eq!(error.credential(), Some("environment"));
}

#[cfg(not(feature = "client_certificate"))]
#[tokio::test]
async fn a_certificate_needs_the_feature() {
    let credential = EnvironmentCredential::builder()
        .environment(
            Environment::builder()
                .variables([
                    ("AZURE_TENANT_ID", "contoso.example"),
                    ("AZURE_CLIENT_ID", "c"),
                    ("AZURE_CLIENT_CERTIFICATE_PATH", "app.pem"),
                ])
                .build(),
        )
        .build()
        .expect("can always be made");
    expect_error(
        credential.get_token(&[SCOPE], None).await,
        FailureKind::Unavailable,
        &[
            "AZURE_CLIENT_CERTIFICATE_PATH",
            "feature client_certificate",
        ],
    );
}
