//! How failures are told: exit codes, messages, objects.

use std::net::TcpListener;

use azidentity_emulator::World;
use serde_json::Value;

use crate::{
    stub::Stub,
    support::{Site, VAULT_SCOPE, azid, run},
};

#[test]
fn one_is_a_network_that_fails() {
    let site = Site::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}", closed.local_addr().unwrap().port());
    drop(closed);
    let mut command = site.application_token(&["-c", "client-secret", "-o", "json"]);
    command.env("AZURE_AUTHORITY_HOST", &address);
    let error = run(&mut command).error(1);
    assert_eq!(error["kind"], "transport");
    assert!(
        error["message"].as_str().unwrap().contains(&address),
        "{error}"
    );
}

#[test]
fn two_is_bad_usage_or_configuration() {
    let site = Site::new();
    for args in [
        &["-s", "a b"][..],
        &["-s", ""],
        &["--resource="],
        &["-s", "x", "--resource=y"],
        &["-c", "client-secret", "--tenant-id", "contoso/../evil"],
        &["-c", "client-secret", "--tenant-id", ""],
        &[
            "-c",
            "client-secret",
            "--authority-host",
            "http://localhost",
        ],
        &["-c", "client-secret", "--claims", "[]"],
        &["-c", "client-secret", "--object-id", "x"],
        &["-c", "client-secret", "--exclude", "environment"],
        &["-c", "managed-identity", "--tenant-id", "x"],
        &[
            "-c",
            "managed-identity",
            "--object-id",
            "x",
            "--client-id",
            "y",
        ],
        &[
            "-c",
            "managed-identity",
            "--object-id",
            "x",
            "--resource-id",
            "y",
        ],
        &[
            "-c",
            "managed-identity,client-secret",
            "--object-id",
            "x",
            "--client-id",
            "y",
        ],
        &["-c", "managed-identity", "-s", "a", "-s", "b"],
        &["-c", "unknown"],
        &["-c", ""],
        &["-c", "client-secret,"],
        &["--include", "unknown"],
        &["--include", "environment", "--exclude", "environment"],
        &[
            "--exclude",
            "environment",
            "--exclude",
            "workload-identity",
            "--exclude",
            "managed-identity",
        ],
        &["--client-secret-file", "/nowhere/secret"],
        &["-o", "yaml"],
        &["--unknown"],
        &["surplus"],
    ] {
        let message = run(&mut site.application_token(args)).failure(2);
        assert!(message.starts_with("error: "), "{args:?}: {message}");
        if !args.contains(&"yaml") {
            let mut args = args.to_vec();
            args.extend(["-o", "json"]);
            let error = run(&mut site.application_token(&args)).error(2);
            assert_eq!(error["kind"], "configuration", "{args:?}");
        }
    }
    assert_eq!(site.emulator.request_count(), 0);
}

#[test]
fn two_is_also_what_a_client_secret_lacks() {
    let site = Site::new();
    for (variable, option) in [
        ("AZURE_TENANT_ID", "--tenant-id"),
        ("AZURE_CLIENT_ID", "--client-id"),
        ("AZURE_CLIENT_SECRET", "--client-secret-file"),
    ] {
        for chain in ["client-secret", "managed-identity,client-secret"] {
            let mut command = site.application_token(&["-c", chain]);
            command.env(variable, "");
            let message = run(&mut command).failure(2);
            assert!(
                message.contains(variable) && message.contains(option),
                "{message}"
            );
        }
    }
}

#[test]
fn three_is_a_credential_that_could_not_try() {
    let site = Site::new();
    let error = run(&mut site.token(&["-c", "environment", "-o", "json"])).error(3);
    assert_eq!(error["kind"], "unavailable");
    assert_eq!(error["attempts"], Value::Array(Vec::new()));

    let mut command = site.token(&["-c", "managed-identity"]);
    command.env("IDENTITY_ENDPOINT", "http://127.0.0.1:9");
    let message = run(&mut command).failure(3);
    assert!(message.contains("IDENTITY_HEADER"), "{message}");
}

#[test]
fn four_is_a_refusal_with_what_the_server_said() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "client-secret", "-o", "json"]);
    command.env("AZURE_CLIENT_SECRET", "not-the-secret");
    let error = run(&mut command).error(4);
    assert_eq!(error["kind"], "authentication_failed");
    assert_eq!(error["error"], "invalid_client");
    assert_eq!(error["error_codes"], serde_json::json!([7_000_215]));
    for id in ["correlation_id", "trace_id"] {
        assert_eq!(error[id].as_str().map(str::len), Some(36), "{error}");
    }
    assert!(
        error["message"].as_str().unwrap().contains("AADSTS7000215"),
        "{error}"
    );
}

#[test]
fn four_is_also_a_tenant_that_is_not_allowed() {
    let site = Site::new();
    let other = World::OTHER_TENANT_ID;
    let message =
        run(&mut site.application_token(&["-c", "client-secret", "--request-tenant-id", other]))
            .failure(4);
    assert!(
        message.contains(other) && message.contains("--additionally-allowed-tenant"),
        "{message}"
    );
    assert_eq!(site.emulator.request_count(), 0);
}

#[test]
fn a_chain_tells_every_attempt_in_order() {
    let site = Site::new();
    let stub = Stub::new(
        "400 Bad Request",
        r#"{"error": "invalid_request", "error_description": "Identity not found"}"#,
    );
    for (chain, members) in [
        (
            "default",
            &["environment", "workload-identity", "managed-identity"][..],
        ),
        (
            "environment,managed-identity",
            &["environment", "managed-identity"],
        ),
    ] {
        let mut command = site.token(&["-c", chain, "-o", "json"]);
        command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", stub.address());
        let error = run(&mut command).error(4);
        assert_eq!(error["kind"], "authentication_failed");
        let attempts: Vec<(&str, &str)> = error["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| {
                assert!(!attempt["message"].as_str().unwrap().is_empty());
                (
                    attempt["credential"].as_str().unwrap(),
                    attempt["kind"].as_str().unwrap(),
                )
            })
            .collect();
        let expected: Vec<(&str, &str)> = members
            .iter()
            .map(|&member| (member, "unavailable"))
            .collect();
        assert_eq!(attempts, expected);
    }
}

#[test]
fn a_refusal_stops_a_chain() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "environment,managed-identity", "-o", "json"]);
    command.env("AZURE_CLIENT_SECRET", "not-the-secret").env(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        site.emulator.imds_host(),
    );
    let error = run(&mut command).error(4);
    assert_eq!(error["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(error["error"], "invalid_client");
    assert_eq!(site.emulator.request_count(), 1);
}

#[test]
fn servers_cannot_write_to_the_terminal() {
    let stub = Stub::new(
        "400 Bad Request",
        "{\"error\": \"invalid_request\", \"error_description\": \"\\u001b[2Jgone\\u009b1m\\u202e\"}",
    );
    for args in [&[][..], &["-o", "json"], &["-vvv"]] {
        let mut command = azid(&["token", "-c", "managed-identity", "-s", VAULT_SCOPE]);
        command
            .args(args)
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", stub.address());
        let message = run(&mut command).failure(3);
        for command in ['\u{1b}', '\u{9b}', '\u{202e}'] {
            assert!(!message.contains(command), "{args:?}: {message:?}");
        }
    }
}

#[test]
fn help_and_version_succeed() {
    for args in [
        &["--help"][..],
        &["token", "--help"],
        &["token", "-o", "json", "-h"],
    ] {
        assert!(run(&mut azid(args)).success().contains("Usage:"));
    }
    let version = run(&mut azid(&["--version"])).success();
    assert_eq!(version, format!("azid {}\n", env!("CARGO_PKG_VERSION")));
}
