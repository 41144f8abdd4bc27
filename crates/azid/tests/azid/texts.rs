//! The words: help and the messages that people meet most.

use std::fmt::Write;

use crate::{
    stub::Stub,
    support::{Site, azid, run},
};

#[test]
fn help() {
    for (name, args) in [
        ("help", &["--help"][..]),
        ("help_token", &["token", "--help"]),
        ("help_token_short", &["token", "-h"]),
        ("help_inspect", &["inspect", "--help"]),
        ("help_emulator", &["emulator", "--help"]),
        ("help_demo", &["demo", "--help"]),
        ("help_completions", &["completions", "--help"]),
    ] {
        insta::assert_snapshot!(name, run(&mut azid(args)).success());
    }
}

/// The messages of all these runs, one after the other.
fn told<'a>(runs: impl IntoIterator<Item = &'a [&'a str]>, site: &Site) -> String {
    let mut told = String::new();
    for args in runs {
        let run = run(&mut site.application_token(args));
        assert!(run.stdout.is_empty() && run.code != 0, "{run:?}");
        let _ = writeln!(told, "$ azid token {}", args.join(" "));
        told.push_str(&run.stderr);
        let _ = write!(told, "=> {}\n\n", run.code);
    }
    told.replace(site.emulator.authority_host(), "https://AUTHORITY")
}

#[test]
fn usage() {
    let site = Site::new();
    let runs: [&[&str]; 9] = [
        &["-s", "a b"],
        &["-s", "x", "--resource=y"],
        &["-c", "unknown"],
        &["--client-secret", "value"],
        &["surplus"],
        &["-c", "managed-identity", "--tenant-id", "x"],
        &["-c", "client-secret", "--resource-id", "x"],
        &[
            "-c",
            "managed-identity",
            "--client-id",
            "x",
            "--object-id",
            "y",
        ],
        &["--include", "environment", "--exclude", "environment"],
    ];
    insta::assert_snapshot!("usage", told(runs, &site));
    insta::assert_snapshot!("usage_no_scope", run(&mut azid(&["token"])).failure(2));
    insta::assert_snapshot!("usage_no_command", run(&mut azid(&[])).failure(2));
}

#[cfg(unix)]
#[test]
fn configuration() {
    let site = Site::new();
    let runs: [&[&str]; 4] = [
        &[
            "-c",
            "client-secret",
            "--client-secret-file",
            "/nowhere/secret",
        ],
        &["-c", "client-secret", "--client-secret-file", "/dev/null"],
        &["-c", "client-secret", "--tenant-id", "a/b"],
        &[
            "-c",
            "client-secret",
            "--authority-host",
            "http://localhost",
        ],
    ];
    insta::assert_snapshot!("configuration", told(runs, &site));

    let mut command = site.application_token(&["-c", "client-secret"]);
    command.env("AZURE_CLIENT_SECRET", "");
    insta::assert_snapshot!("no_client_secret", run(&mut command).failure(2));
    let mut command = site.application_token(&["-c", "client-secret"]);
    command.env("SSL_CERT_FILE", "/nowhere/ca.pem");
    insta::assert_snapshot!("no_certificates", run(&mut command).failure(2));
}

#[cfg(unix)]
#[test]
fn proofs() {
    let site = Site::new();
    let runs: [&[&str]; 14] = [
        &["-c", "certificate"],
        &["-c", "certificate", "--certificate-path", "/nowhere/a.pem"],
        &["-c", "certificate", "--certificate-path", "-"],
        &["-c", "client-secret", "--send-certificate-chain"],
        &["-c", "client-assertion"],
        &["-c", "client-assertion", "--assertion-file", "/nowhere/jwt"],
        &["-c", "workload-identity"],
        &["-c", "azure-pipelines"],
        &["-c", "azure-pipelines", "--service-connection-id", "x"],
        &["-c", "federated"],
        &["-c", "federated", "--assertion-from", "gitlab"],
        &["-c", "on-behalf-of"],
        &["-c", "on-behalf-of", "--user-assertion-file", "/"],
        &["-c", "authorization-code", "--authorization-code", "x"],
    ];
    insta::assert_snapshot!("proofs", told(runs, &site));
}

#[test]
fn chains() {
    let site = Site::new();
    let stub = Stub::new(
        "400 Bad Request",
        r#"{"error": "invalid_request", "error_description": "Identity not found"}"#,
    );
    let mut command = site.token(&[]);
    command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", stub.address());
    let message = run(&mut command).failure(4);
    insta::assert_snapshot!("default", message.replace(stub.address(), "http://IMDS"));
}

#[test]
fn inspection() {
    let mut told = String::new();
    for input in [
        "",
        "opaque",
        "a.b",
        "a b",
        "!.!.!",
        "e30.W10.x",
        "eyJlbmMiOiJBMjU2R0NNIn0.a.b.c.d",
    ] {
        let mut command = azid(&["inspect"]);
        command.write_stdin(input);
        let _ = writeln!(told, "{input}\n{}", run(&mut command).failure(2));
    }
    insta::assert_snapshot!("inspection", told);
}

#[cfg(unix)]
#[test]
fn inspection_of_a_file() {
    insta::assert_snapshot!(
        "inspection_file",
        run(&mut azid(&["inspect", "/nowhere/token"])).failure(2)
    );
}
