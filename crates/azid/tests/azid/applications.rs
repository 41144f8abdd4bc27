//! Applications that prove themselves with something else than a secret.

use azidentity_emulator::World;

use crate::support::{Site, arg, claims, run};

/// The variables and options of the built-in application.
pub(crate) const APPLICATION: [&str; 4] = [
    "--tenant-id",
    World::TENANT_ID,
    "--client-id",
    World::CLIENT_ID,
];

/// A certificate whose key has a password; nobody trusts it.
pub(crate) const PROTECTED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../azidentity/tests/it/certificates/aes256.pem"
);
const PASSWORD: &str = "pl4nted-p\u{e4}ssword";

impl Site {
    /// A file with the certificate of the built-in application.
    pub(crate) fn certificate(&self) -> String {
        let pem = self.emulator.client_certificate().unwrap().pem();
        arg(&self.file("app.pem", pem)).to_owned()
    }
}

#[test]
fn certificates_come_from_option_or_variable() {
    let site = Site::new();
    let certificate = site.certificate();
    let option = ["--certificate-path", certificate.as_str()];
    for (credential, supplier, options) in [
        ("certificate", "certificate", &option[..]),
        ("certificate", "certificate", &[]),
        ("environment", "environment", &option),
        ("environment", "environment", &[]),
        ("default", "environment", &option),
        ("default", "environment", &[]),
    ] {
        site.emulator.clear_requests();
        let mut command = site.token(&["-c", credential, "-o", "json"]);
        command.args(APPLICATION).args(options);
        if options.is_empty() {
            command.env("AZURE_CLIENT_CERTIFICATE_PATH", &certificate);
        } else {
            // Of less weight than an option.
            command
                .env("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/wrong.pem")
                .env("AZURE_CLIENT_SECRET", "wrong");
        }
        let json = run(&mut command).json();
        assert_eq!(json["credential"], supplier);
        let claims = claims(json["accessToken"].as_str().unwrap());
        assert_eq!(claims["appid"], World::CLIENT_ID);
        assert!(site.has_sent("client_assertion"));
        assert!(!site.has_sent("client_secret"));
    }
}

#[test]
fn of_variables_a_secret_wins_over_a_certificate() {
    let site = Site::new();
    for credential in ["environment", "default"] {
        site.emulator.clear_requests();
        let mut command = site.application_token(&["-c", credential]);
        command.env("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/wrong.pem");
        run(&mut command).success();
        assert!(site.has_sent("client_secret"));
    }
}

/// A certificate that is not registered is accepted with its chain only.
#[test]
fn the_chain_is_sent_when_option_or_variable_say_so() {
    let site = Site::new();
    let pem = site.emulator.renewed_client_certificate().unwrap().pem();
    let file = site.file("renewed.pem", pem);
    let with = |options: &[&str], variable: &str| {
        let mut command = site.token(&["-c", "certificate", "--certificate-path", arg(&file)]);
        command
            .args(APPLICATION)
            .args(options)
            .env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", variable);
        run(&mut command)
    };
    with(&["--send-certificate-chain"], "").success();
    with(&["--send-certificate-chain"], "false").success();
    with(&[], "1").success();
    with(&[], "True").success();
    for none in ["", "0", "false", "yes"] {
        with(&[], none).failure(4);
    }
}

#[test]
fn assertions_come_from_a_file() {
    let site = Site::new();
    let file = site.service_account_file();
    for (options, variable, supplier) in [
        (
            &["-c", "client-assertion", "--assertion-file", &file][..],
            "",
            "client-assertion",
        ),
        (
            &["-c", "workload-identity", "--token-file-path", &file],
            "/nowhere/wrong",
            "workload-identity",
        ),
        (&["-c", "workload-identity"], &file, "workload-identity"),
        (&["-c", "default"], &file, "workload-identity"),
        (
            &["-c", "default", "--token-file-path", &file],
            "",
            "workload-identity",
        ),
        (
            &["-c", "environment,workload-identity"],
            &file,
            "workload-identity",
        ),
    ] {
        let mut command = site.token(options);
        command
            .args(APPLICATION)
            .args(["-o", "json"])
            .env("AZURE_FEDERATED_TOKEN_FILE", variable);
        let json = run(&mut command).json();
        assert_eq!(json["credential"], supplier, "{options:?}");
        assert_eq!(json["tenant"], World::TENANT_ID);
    }
}

#[test]
fn the_webhooks_variables_are_enough_for_a_pod() {
    let site = Site::new();
    let mut command = site.token(&["-c", "workload-identity", "-o", "json"]);
    command
        .env("AZURE_TENANT_ID", World::TENANT_ID)
        .env("AZURE_CLIENT_ID", World::CLIENT_ID)
        .env("AZURE_FEDERATED_TOKEN_FILE", site.service_account_file())
        // The proxy of a cluster is not used unless somebody asks for it, and nothing here does.
        .env("AZURE_KUBERNETES_TOKEN_PROXY", "https://127.0.0.1:9/")
        .env("AZURE_KUBERNETES_CA_FILE", "/nowhere/ca.pem");
    assert_eq!(run(&mut command).json()["credential"], "workload-identity");
    assert_eq!(site.emulator.request_count(), 1);
}

#[test]
fn what_is_not_there_is_unavailable() {
    let site = Site::new();
    let empty = site.file("empty", "\n");
    for (options, words) in [
        (
            &["-c", "client-assertion", "--assertion-file", "/nowhere/a"][..],
            "/nowhere/a",
        ),
        (
            &["-c", "client-assertion", "--assertion-file", arg(&empty)],
            "empty",
        ),
        (
            &["-c", "workload-identity", "--token-file-path", "/nowhere/t"],
            "/nowhere/t",
        ),
        (&["-c", "workload-identity"], "AZURE_FEDERATED_TOKEN_FILE"),
        (
            &["-c", "azure-pipelines", "--service-connection-id", "x"],
            "SYSTEM_ACCESSTOKEN",
        ),
        (
            &["-c", "federated", "--assertion-from", "github-actions"],
            "ACTIONS_ID_TOKEN_REQUEST_URL",
        ),
        (
            &["-c", "federated", "--assertion-from", "env:NOT_SET"],
            "NOT_SET",
        ),
        (
            &["-c", "federated", "--assertion-from", "file:/nowhere/f"],
            "/nowhere/f",
        ),
        (
            &[
                "-c",
                "federated",
                "--assertion-from",
                "exec:no-such-program",
            ],
            "no-such-program",
        ),
    ] {
        let mut args = APPLICATION.to_vec();
        args.extend(options);
        let message = run(&mut site.token(&args)).failure(3);
        assert!(message.contains(words), "{options:?}: {message}");

        // A chain goes on.
        let chain = format!("{},managed-identity", options[1]);
        let mut args = APPLICATION.to_vec();
        args.extend(["-c", chain.as_str(), "-o", "json"]);
        args.extend(&options[2..]);
        let stub = crate::stub::Stub::new(
            "200 OK",
            r#"{"access_token": "AT", "expires_in": "3600", "token_type": "Bearer"}"#,
        );
        let mut command = site.token(&args);
        command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", stub.address());
        assert_eq!(run(&mut command).json()["credential"], "managed-identity");
    }
}

#[test]
fn attempts_bear_their_credentials_name_once() {
    let site = Site::new();
    let mut args = APPLICATION.to_vec();
    args.extend(["-c", "azure-pipelines,workload-identity"]);
    args.extend(["--service-connection-id", "x"]);
    let message = run(&mut site.token(&args)).failure(4);
    for name in ["azure-pipelines:", "workload-identity:"] {
        assert_eq!(message.matches(name).count(), 1, "{message}");
    }
}

#[test]
fn certificates_that_are_of_no_use_are_configuration_errors() {
    let site = Site::new();
    let certificate = site.emulator.client_certificate().unwrap();
    let key = site.file("key.pem", certificate.private_key_pem());
    let lone = site.file("lone.pem", certificate.certificate_pem());
    for (options, words) in [
        (&[][..], "AZURE_CLIENT_CERTIFICATE_PATH"),
        (&["--certificate-path", "/nowhere/c.pem"], "/nowhere/c.pem"),
        (&["--certificate-path", "/"], "folder"),
        (&["--certificate-path", ""], "--certificate-path"),
        (&["--certificate-path", "-"], "standard input"),
        (&["--certificate-path", arg(&key)], "no certificate"),
        (&["--certificate-path", arg(&lone)], "private key"),
    ] {
        let mut args = APPLICATION.to_vec();
        args.extend(["-c", "certificate"]);
        args.extend(options);
        let message = run(&mut site.token(&args)).failure(2);
        assert!(message.contains(words), "{options:?}: {message}");
    }
    assert_eq!(site.emulator.request_count(), 0);
}

/// What can be read is refused by the server only, since it is registered for nobody.
#[test]
fn passwords_come_from_file_or_variable() {
    let site = Site::new();
    let right = site.file("right", format!("{PASSWORD}\n"));
    let wrong = site.file("wrong", "wrong");
    let option = "--certificate-password-file";
    for (options, variable, code) in [
        (&[option, arg(&right)][..], "", 4),
        (&[option, arg(&right)], "wrong", 4),
        (&[], PASSWORD, 4),
        (&[], "", 2),
        (&[], "wrong", 2),
        (&[option, arg(&wrong)], PASSWORD, 2),
    ] {
        for credential in ["certificate", "environment"] {
            let mut command = site.token(&["-c", credential, "--certificate-path", PROTECTED]);
            command
                .args(APPLICATION)
                .args(options)
                .env("AZURE_CLIENT_CERTIFICATE_PASSWORD", variable);
            let message = run(&mut command).failure(code);
            assert!(code == 4 || message.contains("password"), "{message}");
        }
    }
}

/// The emulator says where it is; whether the host of that region has an address is the machine's business.
#[test]
fn the_region_is_found_out_by_the_transport_for_metadata() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "client-secret", "-o", "json"]);
    command
        .env("AZURE_REGIONAL_AUTHORITY_NAME", "tryautodetect")
        .env(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            site.emulator.imds_host(),
        )
        // Never for this machine's own services.
        .env("HTTP_PROXY", "http://127.0.0.1:9");
    let run = run(&mut command);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let requests = site.emulator.requests();
    assert_eq!(requests[0].path(), "/metadata/instance/compute");
}
