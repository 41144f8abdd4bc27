//! What applications prove themselves with, and what users bring.

use azidentity_emulator::World;

use super::{PLANTED, STYLES, Secrets};
use crate::{
    applications::{APPLICATION, PROTECTED},
    stub::Stub,
    support::{Run, Site, arg, run},
};

/// At the loudest, in every form; what was posted in a success is never told, and the token only where it is asked for.
fn is_discreet(mut command: assert_cmd::Command, secrets: &[&str]) {
    command.arg("-vvv");
    let run = run(&mut command);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("DEBUG"), "the log is on");
    Secrets::new(secrets.iter().copied()).are_not_in(&run.stderr);
    // Tokens begin alike, also the one that is printed; their signatures don't.
    let ends = secrets
        .iter()
        .filter_map(|secret| secret.rsplit('.').next());
    Secrets::new(ends).are_not_in(&run.stdout);
    let token = run
        .stdout
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .find(|word| word.starts_with("eyJ"));
    Secrets::new([token.unwrap()]).are_not_in(&run.stderr);
}

#[test]
fn proofs_that_are_accepted_are_not_shown() {
    let site = Site::new();
    let certificate = site.certificate();
    let password = site.file("password", PLANTED);
    let key = site.emulator.client_certificate().unwrap();
    let key: Vec<&str> = key
        .private_key_pem()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let mut secrets = key.clone();
    secrets.push(PLANTED);
    let mut command = site.token(&["-c", "certificate", "--certificate-path", &certificate]);
    command
        .args(APPLICATION)
        .args(["--certificate-password-file", arg(&password)]);
    is_discreet(command, &secrets);

    let file = site.service_account_file();
    let token = std::fs::read_to_string(&file).unwrap();
    for args in [
        ["-c", "client-assertion", "--assertion-file", &file],
        ["-c", "workload-identity", "--token-file-path", &file],
        ["-c", "default", "--token-file-path", &file],
    ] {
        let mut command = site.token(&args);
        command.args(APPLICATION);
        is_discreet(command, &[token.trim()]);
    }
    let mut command = site.federated("env:ASSERTION", &[]);
    command.env("ASSERTION", token.trim());
    is_discreet(command, &[token.trim()]);
    #[cfg(unix)]
    is_discreet(
        site.federated(
            "exec:/bin/sh",
            &[
                "--assertion-arg=-c",
                "--assertion-arg",
                r#"echo zQ7~planted/Secret+value.Xy42 >&2; cat "$0""#,
                "--assertion-arg",
                &file,
            ],
        ),
        &[token.trim(), PLANTED],
    );
    is_discreet(site.job(), &[site.emulator.pipelines_access_token()]);
    let mut command = site.federated("github-actions", &[]);
    let request_token = site.emulator.github_request_token();
    command
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            site.emulator.github_oidc_url(),
        )
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", request_token);
    is_discreet(command, &[request_token]);
}

#[test]
fn what_users_bring_is_not_shown() {
    let site = Site::new();
    let user = site.emulator.user_token(World::ORDERS_SCOPE).unwrap();
    let file = site.file("user", &user);
    let mut command = site.token(&["-c", "on-behalf-of", "--tenant-id", World::TENANT_ID]);
    command
        .args(["--client-id", World::API_CLIENT_ID])
        .args(["--user-assertion-file", arg(&file)])
        .env("AZURE_CLIENT_SECRET", site.api_secret());
    is_discreet(command, &[&user, site.api_secret()]);

    let (code, command) = site.code(World::AZURE_CLI_CLIENT_ID, "http://localhost");
    is_discreet(command, &[&code]);
}

/// Fails in every style, with this exit code, and shows nothing.
fn fails_discreetly(code: i32, secrets: &Secrets, make: impl Fn() -> assert_cmd::Command) {
    for style in STYLES {
        let run: Run = run(make().args(style));
        assert_eq!(run.code, code, "{run:?}");
        secrets.are_nowhere_in(&run);
    }
}

#[test]
fn proofs_that_are_refused_are_not_shown() {
    const FORGED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.zQ7planted-forged-signature";
    let site = Site::new();
    let secrets = Secrets::new([PLANTED, FORGED]);
    let planted = site.file("planted", PLANTED);
    let planted = arg(&planted);
    let forged = site.file("forged", FORGED);
    let forged = arg(&forged);
    let certificate = site.certificate();
    for (args, code) in [
        // Passed on, and refused by the server.
        (
            &["-c", "client-assertion", "--assertion-file", forged][..],
            4,
        ),
        (&["-c", "workload-identity", "--token-file-path", forged], 4),
        (&["-c", "on-behalf-of", "--user-assertion-file", planted], 4),
        (&["-c", "federated", "--assertion-from", "env:PLANTED"], 4),
        (
            &[
                "-c",
                "authorization-code",
                "--authorization-code",
                PLANTED,
                "--redirect-uri",
                "http://localhost",
            ],
            4,
        ),
        // No token at all, and so not sent.
        (&["-c", "client-assertion", "--assertion-file", planted], 2),
        (
            &["-c", "workload-identity", "--token-file-path", planted],
            2,
        ),
        // Given in the wrong place.
        (&["-c", "client-assertion", "--assertion-from", PLANTED], 2),
        (&["-c", "federated", "--assertion-from", PLANTED], 2),
        (&["-c", "on-behalf-of", "--user-assertion-file", PLANTED], 2),
        (&["-c", "certificate", "--certificate-path", planted], 2),
        (
            &[
                "-c",
                "certificate",
                "--certificate-path",
                &certificate,
                "--certificate-password-file",
                PLANTED,
            ],
            2,
        ),
        (
            &["-c", "authorization-code", "--authorization-code", PLANTED],
            2,
        ),
        (&["-c", "client-secret", "--authorization-code", PLANTED], 2),
        (&["-c", "federated", "--assertion-arg", PLANTED], 2),
        (
            &[
                "-c",
                "federated",
                "--assertion-from",
                "gcp",
                "--assertion-arg",
                PLANTED,
            ],
            2,
        ),
        (&["--user-assertion", PLANTED], 2),
        (&["--certificate-password", PLANTED], 2),
        (&["--authorisation-code=zQ7~planted/Secret+value.Xy42"], 2),
    ] {
        fails_discreetly(code, &secrets, || {
            let mut command = site.application_token(args);
            command.env("PLANTED", PLANTED);
            command
        });
    }
}

#[test]
fn passwords_are_not_shown() {
    let site = Site::new();
    let secrets = Secrets::new([PLANTED]);
    let file = site.file("password", PLANTED);
    for credential in ["certificate", "environment", "on-behalf-of", "default"] {
        for by_file in [true, false] {
            // The default chain reports a member that can't be made as an attempt.
            let code = if credential == "default" { 4 } else { 2 };
            fails_discreetly(code, &secrets, || {
                let mut command = site.token(&["-c", credential, "--certificate-path", PROTECTED]);
                command.args(APPLICATION);
                if credential == "on-behalf-of" {
                    command.args(["--user-assertion-file", arg(&file)]);
                }
                if by_file {
                    command.args(["--certificate-password-file", arg(&file)]);
                } else {
                    command.env("AZURE_CLIENT_CERTIFICATE_PASSWORD", PLANTED);
                }
                command
            });
        }
    }
}

#[test]
fn a_job_keeps_its_token() {
    let site = Site::new();
    let secrets = Secrets::new([PLANTED]);
    for (status, body) in [
        ("401 Unauthorized", "{echo}"),
        ("400 Bad Request", r#"{"message": "{echo}"}"#),
        ("302 Found", "{echo}"),
        (
            "200 OK",
            r#"{"oidcToken": "zQ7~planted/Secret+value.Xy42 {echo}"}"#,
        ),
        (
            "200 OK",
            r#"{"value": "zQ7~planted/Secret+value.Xy42 {echo}"}"#,
        ),
    ] {
        let stub = Stub::new(status, body);
        fails_discreetly(4, &secrets, || {
            let mut command = site.job();
            command
                .env("SYSTEM_OIDCREQUESTURI", stub.address())
                .env("SYSTEM_ACCESSTOKEN", PLANTED);
            command
        });
        fails_discreetly(4, &secrets, || {
            let mut command = site.federated("github-actions", &[]);
            command
                .env("ACTIONS_ID_TOKEN_REQUEST_URL", stub.address())
                .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", PLANTED);
            command
        });
    }
}
