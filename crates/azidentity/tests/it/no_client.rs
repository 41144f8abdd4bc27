//! Built without the HTTP client, and used without one of the caller's.

use azidentity::{ClientSecretCredential, FailureKind};
use azure_core::credentials::TokenCredential;

use crate::support::{CLIENT, SCOPE, SECRET, TENANT, expect_error};

#[tokio::test]
async fn a_missing_http_client_is_said_and_not_panicked_about() {
    let credential = ClientSecretCredential::new(TENANT, CLIENT.into(), SECRET.into(), None)
        .expect("a valid configuration");
    let result = credential.get_token(&[SCOPE], None).await;
    expect_error(
        result,
        FailureKind::Configuration,
        &["no HTTP client", "`reqwest`", "transport"],
    );
}
