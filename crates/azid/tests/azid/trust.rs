//! Whom the program trusts.

use crate::support::{Site, run};

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let site = Site::new();
    for credential in ["client-secret", "default", "managed-identity,client-secret"] {
        let mut command = site.application_token(&["-c", credential, "-o", "json"]);
        command
            .env("SSL_CERT_FILE", "/nowhere/ca.pem")
            .env("IDENTITY_ENDPOINT", "http://127.0.0.1:9");
        let error = run(&mut command).error(2);
        assert_eq!(error["kind"], "configuration");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("SSL_CERT_FILE names /nowhere/ca.pem"),
            "{message}"
        );
    }
    assert_eq!(site.emulator.request_count(), 0);
}

#[test]
fn what_holds_no_certificate_is_named() {
    let site = Site::new();
    let empty = site.file("empty.pem", "no certificate\n");
    let mut command = site.application_token(&["-c", "client-secret"]);
    command.env("SSL_CERT_FILE", &empty);
    let message = run(&mut command).failure(2);
    assert!(
        message.contains(&format!("SSL_CERT_FILE={}", empty.display())),
        "{message}"
    );
}

#[test]
fn nothing_is_read_where_no_tls_is_needed() {
    let site = Site::new();
    let mut command = site.machine_token(&["-c", "managed-identity"]);
    command.env("SSL_CERT_FILE", "/nowhere/ca.pem");
    run(&mut command).success();
}

#[test]
fn a_folder_of_certificates_does_as_well() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "client-secret"]);
    command
        .env_remove("SSL_CERT_FILE")
        .env("SSL_CERT_DIR", site.ca_file().parent().unwrap());
    run(&mut command).success();
}

#[test]
fn strangers_are_not_trusted_and_not_asked_again() {
    let site = Site::new();
    let stranger = Site::new();
    let mut command = site.application_token(&["-c", "client-secret"]);
    command.env("SSL_CERT_FILE", stranger.ca_file());
    let message = run(&mut command).failure(1);
    assert!(message.contains("SSL_CERT_FILE"), "{message}");
    assert_eq!(site.emulator.request_count(), 0);
}
