//! A pod in Kubernetes.

use std::{fs, path::Path, sync::Arc};

use azidentity::{
    ClientAssertionCredentialOptions, Credential, Environment, FailureKind, ManualClock,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use azure_core::credentials::TokenCredential;

use crate::{
    client_assertion::ASSERTION,
    support::{CLIENT, OTHER_SCOPE, SCOPE, START, TENANT, Wire, expect_error},
};

fn environment(token_file: &Path) -> Environment {
    Environment::builder()
        .variables([
            ("AZURE_TENANT_ID", TENANT),
            ("AZURE_CLIENT_ID", CLIENT),
            ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"),
        ])
        .variable(
            "AZURE_FEDERATED_TOKEN_FILE",
            token_file.to_str().expect("UTF-8"),
        )
        .clock(Arc::new(ManualClock::new(START)))
        .build()
}

fn in_pod(wire: &Wire, token_file: &Path) -> Arc<WorkloadIdentityCredential> {
    WorkloadIdentityCredential::builder()
        .client_options(wire.client_options())
        .environment(environment(token_file))
        .build()
        .expect("a valid configuration")
}

#[tokio::test]
async fn the_webhooks_variables_are_enough_and_the_file_is_read_for_each_exchange() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let mut wire = Wire::new();
    // The file need not be there yet.
    let credential = in_pod(&wire, &file);
    for (scope, content, sent) in [
        (SCOPE, format!("{ASSERTION}1"), "1"),
        (OTHER_SCOPE, format!("\u{feff}\n {ASSERTION}2\r\n"), "2"),
    ] {
        fs::write(&file, content).expect("a file");
        let scopes = [scope];
        let (info, ()) = futures::join!(credential.get_token_info(&scopes, None), async {
            let exchange = wire.next().await;
            assert_eq!(
                exchange.url.as_str(),
                format!("https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token")
            );
            for (name, value) in [
                ("grant_type", "client_credentials"),
                ("client_id", CLIENT),
                ("scope", scope),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", &format!("{ASSERTION}{sent}")),
            ] {
                assert_eq!(exchange.form.get(name).map(String::as_str), Some(value));
            }
            exchange.answer_token("token", 3600);
        });
        assert_eq!(info.expect("a token").credential(), "workload-identity");
    }
}

#[tokio::test]
async fn options_win_over_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, ASSERTION).expect("a file");
    let mut wire = Wire::new();
    let credential = WorkloadIdentityCredential::builder()
        .client_options(wire.client_options())
        .environment(environment(Path::new("/not/this/one")))
        .tenant_id("fabrikam.example")
        .client_id("another-client")
        .token_file_path(&file)
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let exchange = wire.next().await;
        assert_eq!(exchange.url.path(), "/fabrikam.example/oauth2/v2.0/token");
        assert_eq!(exchange.form["client_id"], "another-client");
        exchange.answer_token("token", 3600);
    });
    token.expect("a token");
}

#[tokio::test]
async fn the_official_options_are_a_full_literal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, ASSERTION).expect("a file");
    let mut wire = Wire::new();
    let credential = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions {
            client_options: wire.client_options(),
        },
        client_id: Some(CLIENT.into()),
        tenant_id: Some(TENANT.into()),
        token_file_path: Some(file),
    }))
    .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.answer_token("token", 3600);
    });
    token.expect("a token");
}

#[test]
fn what_is_missing_is_listed_at_once() {
    const NAMES: [&str; 3] = [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
    ];
    for given in 0..=NAMES.len() {
        let environment = Environment::builder()
            .variables(NAMES.map(|name| (name, "")))
            .variables(NAMES[..given].iter().map(|&name| (name, "given")))
            .build();
        let result = WorkloadIdentityCredential::builder()
            .environment(environment)
            // An empty option is none.
            .client_id("")
            .tenant_id("")
            .token_file_path("")
            .build();
        if given == NAMES.len() {
            result.expect("a valid configuration");
            continue;
        }
        let error = expect_error(result, FailureKind::Unavailable, &NAMES[given..]);
        assert_eq!(error.credential(), Some("workload-identity"));
        for name in &NAMES[..given] {
            assert!(!error.message().contains(name), "{error}");
        }
    }
}

#[test]
fn malformed_settings_are_a_configuration_error() {
    let make = |tenant: &str| {
        WorkloadIdentityCredential::builder()
            .environment(environment(Path::new("/token")))
            .tenant_id(tenant)
            .build()
    };
    let error = expect_error(make("a b"), FailureKind::Configuration, &["a b"]);
    assert_eq!(error.credential(), Some("workload-identity"));
}

#[tokio::test]
async fn bad_files_are_named_with_what_is_wrong() {
    use FailureKind::{Configuration, Unavailable};

    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        fs::write(folder.path().join(name), content).expect("a file");
    };
    write("empty", b"");
    write("blank", b"\xef\xbb\xbf \r\n\n");
    write("long", "x".repeat(64 * 1024 + 1).as_bytes());
    let longest = format!("a.b.{}", "x".repeat(64 * 1024 - 4));
    write("longest", longest.as_bytes());
    write("binary", b"\x00\xff\xfepl4nted");
    write("utf-16", b"\xff\xfep\0l\x004\0");
    write("two-words", b"pl4nted pl4nted");
    write("two-lines", b"pl4nted\npl4nted\n");
    for (name, kind, says) in [
        ("absent", Unavailable, "does not exist"),
        ("empty", Unavailable, "is empty"),
        ("blank", Unavailable, "is empty"),
        (".", Configuration, "is a folder"),
        ("long", Configuration, "longer than 65536 bytes"),
        ("binary", Configuration, "binary data"),
        ("utf-16", Configuration, "UTF-16"),
        ("two-words", Configuration, "spaces"),
        ("two-lines", Configuration, "line breaks"),
    ] {
        let mut wire = Wire::new();
        let path = folder.path().join(name);
        let credential = in_pod(&wire, &path);
        expect_error(
            credential.get_token(&[SCOPE], None).await,
            kind,
            &[path.to_str().expect("UTF-8"), says],
        );
        assert!(wire.try_next().is_none(), "{name}: nothing is sent");
    }

    let mut wire = Wire::new();
    let credential = in_pod(&wire, &folder.path().join("longest"));
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let exchange = wire.next().await;
        assert_eq!(exchange.form["client_assertion"].len(), 64 * 1024);
        exchange.answer_token("token", 3600);
    });
    token.expect("a token");
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_and_pipes_are_not_waited_for() {
    use std::{os::unix::fs::symlink, process::Command};

    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let wire = Wire::new();
    expect_error(
        in_pod(&wire, &pipe).get_token(&[SCOPE], None).await,
        FailureKind::Configuration,
        &["pipe", "no regular file"],
    );
    expect_error(
        in_pod(&wire, Path::new("/dev/zero"))
            .get_token(&[SCOPE], None)
            .await,
        FailureKind::Configuration,
        &["/dev/zero", "no regular file"],
    );

    // As Kubernetes lays its volumes out: token -> ..data/token, ..data -> ..2024.
    let version = folder.path().join("..2024");
    fs::create_dir(&version).expect("a folder");
    fs::write(version.join("token"), ASSERTION).expect("a file");
    symlink("..2024", folder.path().join("..data")).expect("a link");
    symlink("..data/token", folder.path().join("token")).expect("a link");
    let mut wire = Wire::new();
    let credential = in_pod(&wire, &folder.path().join("token"));
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let exchange = wire.next().await;
        assert_eq!(exchange.form["client_assertion"], ASSERTION);
        exchange.answer_token("token", 3600);
    });
    token.expect("a token");
}

#[tokio::test]
async fn a_refusal_that_repeats_the_assertion_shows_none_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, ASSERTION).expect("a file");
    let mut wire = Wire::new();
    let credential = in_pod(&wire, &file);
    let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS7000215: Invalid value '{ASSERTION}' for {ASSERTION}_was_sent","error_codes":[7000215]}}"#
        );
        wire.next().await.answer(401, body);
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["AADSTS7000215"],
    );
    assert!(!error.message().contains("eyJ"), "{error}");
}
