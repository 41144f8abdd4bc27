//! Clients that others wrote, against the emulator: azure-identity and MSAL for
//! Python, and `PyJWT` as a judge of the tokens.
//!
//! The interpreter is the one in `AZIDENTITY_TEST_PYTHON`, else `python3`. What
//! it lacks is a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use azidentity_emulator::{Config, Emulator, FederatedCredential, SignIn, World};
use serde_json::json;
use tempfile::NamedTempFile;

const SCRIPT: &str = include_str!("python/clients.py");

/// Runs one case of the script with everything that an emulator gives away.
fn run(case: &str) {
    let emulator = Emulator::start(Config::default()).unwrap();
    let world = emulator.world();
    let secret = |id: &str| world.client_secret(id).unwrap().to_owned();
    let code = SignIn::new("https://vault.azure.net/.default offline_access openid")
        .client_id(World::WEB_CLIENT_ID);
    let settings = json!({
        "authority": emulator.authority_host(),
        "tenant": World::TENANT_ID,
        "username": World::USERNAME,
        "client_id": World::CLIENT_ID,
        "secret": secret(World::CLIENT_ID),
        "certificate": emulator.client_certificate().unwrap().pem(),
        "renewed": emulator.renewed_client_certificate().unwrap().pem(),
        "service_account_token": emulator.service_account_token(FederatedCredential::AUDIENCE, None).unwrap(),
        "service_connection_id": World::SERVICE_CONNECTION_ID,
        "system_access_token": emulator.pipelines_access_token(),
        "api_client_id": World::API_CLIENT_ID,
        "api_secret": secret(World::API_CLIENT_ID),
        "user_token": emulator.user_token(World::ORDERS_SCOPE).unwrap(),
        "foreign_user_token": emulator.user_token("https://vault.azure.net/.default").unwrap(),
        "web_client_id": World::WEB_CLIENT_ID,
        "web_secret": secret(World::WEB_CLIENT_ID),
        "redirect_uri": World::WEB_REDIRECT_URI,
        "code": emulator.authorization_code(&code).unwrap(),
        "public_client_id": World::AZURE_CLI_CLIENT_ID,
    });
    let mut ca = NamedTempFile::new().unwrap();
    ca.write_all(emulator.ca_certificate_pem().as_bytes())
        .unwrap();
    let python = env::var_os("AZIDENTITY_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut child = Command::new(&python)
        .args(["-c", SCRIPT, case])
        .env("REQUESTS_CA_BUNDLE", ca.path())
        .env("SSL_CERT_FILE", ca.path())
        .env("NO_PROXY", "localhost,127.0.0.1")
        .env("SYSTEM_OIDCREQUESTURI", emulator.pipelines_oidc_uri())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("no Python; name one in AZIDENTITY_TEST_PYTHON");
    let input = settings.to_string();
    // A script that ended at once does not read; its own words say why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{case}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

macro_rules! cases {
    ($($case:ident),+ $(,)?) => {$(
        #[test]
        #[ignore = "needs python3 with azure-identity 1.24.0 and msal"]
        fn $case() {
            run(stringify!($case));
        }
    )+};
}

cases!(
    secret,
    certificate,
    certificate_async,
    msal_certificate,
    assertion,
    workload,
    pipelines,
    on_behalf_of,
    authorization_code,
    msal_code_flow,
    browser,
);
