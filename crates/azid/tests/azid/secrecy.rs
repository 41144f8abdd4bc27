//! No secret and no token is shown by anything but the command that is asked for it: not in the loudest log, not in a
//! message, not in part.

mod proofs;

use azidentity_emulator::World;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    stub::Stub,
    support::{Run, Site, arg, azid, run},
};

/// Looks like nothing else, so that any piece of it is recognised.
const PLANTED: &str = "zQ7~planted/Secret+value.Xy42";

/// Length of the shortest piece that counts.
const PIECE: usize = 8;

/// What must not be seen.
struct Secrets(Vec<String>);

impl Secrets {
    fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self(secrets.into_iter().map(str::to_owned).collect())
    }

    #[track_caller]
    fn are_not_in(&self, text: &str) {
        for secret in &self.0 {
            for piece in secret.as_bytes().windows(PIECE) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(!text.contains(piece), "{piece:?} of a secret in:\n{text}");
            }
        }
    }

    #[track_caller]
    fn are_nowhere_in(&self, run: &Run) {
        self.are_not_in(&run.stdout);
        self.are_not_in(&run.stderr);
    }
}

/// Every way to fail that has a form for people and one for programs, at the loudest.
const STYLES: [&[&str]; 3] = [&[], &["-vvv"], &["-vvv", "-o", "json"]];

#[test]
fn tokens_are_shown_on_standard_output_only() {
    let site = Site::new();
    let file = site.file("secret", site.secret());
    for args in [
        &["-c", "client-secret"][..],
        &["-c", "client-secret", "--client-secret-file", arg(&file)],
        &["-c", "environment"],
        &["-c", "managed-identity"],
        &["-c", "managed-identity,client-secret"],
        &["-c", "default"],
        &[
            "-c",
            "client-secret",
            "--enable-cae",
            "--claims",
            r#"{"access_token":{}}"#,
        ],
    ] {
        for form in ["token", "json", "header", "env"] {
            let mut command = site.application_token(args);
            command.args(["-vvv", "-o", form]).env(
                "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                site.emulator.imds_host(),
            );
            let run = run(&mut command);
            assert_eq!(run.code, 0, "{run:?}");
            assert!(run.stderr.contains("DEBUG"), "the log is on");
            let token = run
                .stdout
                .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
                .find(|word| word.starts_with("eyJ"))
                .unwrap();
            Secrets::new([token, site.secret()]).are_not_in(&run.stderr);
            Secrets::new([site.secret()]).are_not_in(&run.stdout);
        }
    }
}

#[test]
fn the_header_of_app_service_is_a_secret() {
    let site = Site::new();
    let mut command = site.token(&["-c", "managed-identity", "-vvv"]);
    command
        .env("IDENTITY_ENDPOINT", site.emulator.app_service_endpoint())
        .env("IDENTITY_HEADER", site.emulator.identity_header());
    let run = run(&mut command);
    assert_eq!(run.code, 0);
    Secrets::new([run.stdout.trim(), site.emulator.identity_header()]).are_not_in(&run.stderr);
    Secrets::new([site.emulator.identity_header()]).are_not_in(&run.stdout);
}

#[test]
fn refused_secrets_are_not_repeated() {
    let site = Site::new();
    let secrets = Secrets::new([PLANTED]);
    for credential in [
        "client-secret",
        "environment",
        "default",
        "client-secret,environment",
    ] {
        for style in STYLES {
            let mut command = site.application_token(&["-c", credential]);
            command.args(style).env("AZURE_CLIENT_SECRET", PLANTED);
            let run = run(&mut command);
            assert_eq!(run.code, 4, "{run:?}");
            secrets.are_nowhere_in(&run);
        }
    }
}

#[test]
fn other_failures_do_not_repeat_secrets() {
    let site = Site::new();
    let stranger = Site::new();
    let file = site.file("secret", PLANTED);
    let long = site.file("long", PLANTED.repeat(4_000));
    let binary = site.file("binary", [PLANTED.as_bytes(), &[0xff]].concat());
    let secrets = Secrets::new([PLANTED]);
    for style in STYLES {
        for (args, code) in [
            (&["--tenant-id", "a/b"][..], 2),
            (&["--authority-host", "http://localhost"], 2),
            (&["--claims", "[]"], 2),
            (&["-s", "a b"], 2),
            (&["--client-secret-file", arg(&long)], 2),
            (&["--client-secret-file", arg(&binary)], 2),
            (&["--client-secret-file", PLANTED], 2),
            (&["--client-secret", PLANTED], 2),
            (&["--client-secret=zQ7~planted/Secret+value.Xy42"], 2),
            (&[PLANTED], 2),
            (
                &[
                    "--request-tenant-id",
                    "other",
                    "--client-secret-file",
                    arg(&file),
                ],
                4,
            ),
        ] {
            let mut command = site.application_token(&["-c", "client-secret"]);
            command
                .args(args)
                .args(style)
                .env("AZURE_CLIENT_SECRET", PLANTED);
            let run = run(&mut command);
            assert_eq!(run.code, code, "{run:?}");
            secrets.are_nowhere_in(&run);
        }
        let mut command = site.application_token(&["-c", "client-secret"]);
        command
            .args(style)
            .env("SSL_CERT_FILE", stranger.ca_file())
            .env("AZURE_CLIENT_SECRET", PLANTED);
        let run = run(&mut command);
        assert_eq!(run.code, 1, "{run:?}");
        secrets.are_nowhere_in(&run);
    }
}

#[test]
fn endpoints_that_echo_or_talk_nonsense_reveal_nothing() {
    let site = Site::new();
    let secrets = Secrets::new([PLANTED]);
    for (status, body) in [
        (
            "400 Bad Request",
            r#"{"error": "invalid_request", "error_description": "{echo}"}"#,
        ),
        (
            "403 Forbidden",
            r#"{"error": {"code": "x", "message": "{echo}"}}"#,
        ),
        ("401 Unauthorized", "{echo}"),
        (
            "200 OK",
            r#"{"access_token": "zQ7~planted/Secret+value.Xy42"}"#,
        ),
        (
            "200 OK",
            r#"{"access_token": "zQ7~planted/Secret+value.Xy42", "expires_on": "never"}"#,
        ),
        (
            "200 OK",
            r#"{"accessToken": "zQ7~planted/Secret+value.Xy42", "expires_in": 3600}"#,
        ),
        (
            "200 OK",
            r#"{"access_token": "zQ7~planted/Secret+value.Xy42", "expires_in": 36"#,
        ),
        (
            "302 Found",
            r#"{"access_token": "zQ7~planted/Secret+value.Xy42", "expires_in": 3600}"#,
        ),
    ] {
        let stub = Stub::new(status, body);
        for style in STYLES {
            let mut command = site.token(&["-c", "managed-identity"]);
            command
                .args(style)
                .env("IDENTITY_ENDPOINT", format!("{}/msi/token", stub.address()))
                .env("IDENTITY_HEADER", PLANTED);
            let run = run(&mut command);
            assert_ne!(run.code, 0, "{status} {body}: {run:?}");
            secrets.are_nowhere_in(&run);
        }
    }
}

#[test]
fn proxies_keep_their_passwords() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "client-secret", "-vvv"]);
    // No proxy speaks this way, so the attempt ends at once.
    let stub = Stub::new("407 Proxy Authentication Required", "");
    let proxy = stub
        .address()
        .replace("http://", "http://user:plantedPassword@");
    command.env("HTTPS_PROXY", proxy);
    let run = run(&mut command);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("the proxy on the way"), "{run:?}");
    Secrets::new(["plantedPassword", site.secret()]).are_nowhere_in(&run);
}

#[test]
fn inspecting_shows_no_token() {
    let payload = BASE64_URL_SAFE_NO_PAD.encode(r#"{"aud":"https://vault.azure.net"}"#);
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    let signature = "c2lnbmF0dXJlLXRoYXQtaXMtbm90LXNob3du";
    let token = format!("{header}.{payload}.{signature}");
    let secrets = Secrets::new([token.as_str(), PLANTED]);
    let broken = format!("{token}.{payload}");
    for style in STYLES {
        for input in [token.as_str(), &broken, PLANTED] {
            let mut command = azid(&["inspect"]);
            command.args(style).write_stdin(input);
            secrets.are_nowhere_in(&run(&mut command));
            let mut command = azid(&["inspect", input]);
            command.args(style);
            secrets.are_nowhere_in(&run(&mut command));
        }
    }
}

#[test]
fn the_demonstration_shows_no_token() {
    for style in STYLES {
        let mut command = azid(&["demo"]);
        command.args(style);
        let run = run(&mut command);
        assert_eq!(run.code, 0);
        // Its secrets are new at each start, so their look has to do.
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains("eyJ") && !text.contains("8Q~"), "{text}");
        }
    }
}

#[test]
fn a_configuration_of_the_emulator_is_not_repeated() {
    let site = Site::new();
    let secrets = Secrets::new([PLANTED]);
    for config in [
        format!("https_port = \"{PLANTED}\"\n"),
        format!(
            "[[application]]\nclient_id = \"{}\"\npublic = true\nsecret = [{{ value = \"{PLANTED}\" }}]\n",
            World::OTHER_TENANT_ID
        ),
        format!(
            "[[application]]\nclient_id = \"{}\"\nsecret = [{{ value = [\"{PLANTED}\"] }}]\n",
            World::OTHER_TENANT_ID
        ),
    ] {
        let file = site.file("world.toml", &config);
        for style in [&[][..], &["-vvv"]] {
            let mut command = azid(&["emulator", "--config", arg(&file)]);
            command.args(style);
            let run = run(&mut command);
            assert_eq!(run.code, 2, "{run:?}");
            secrets.are_nowhere_in(&run);
        }
    }
}

/// What a shell puts in place of a name is the value.
#[test]
fn tokens_in_place_of_names_are_not_repeated() {
    // As long as the parts of real ones are.
    const JWT: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9\
        .eyJhdWQiOiJodHRwczovL3ZhdWx0LmF6dXJlLm5ldCIsInN1YiI6InBsNG50ZWQiLCJleHAiOjE4MDAwMDM2MDB9\
        .cGw0bnRlZC1zaWduYXR1cmU";
    const PEM: &str =
        "-----BEGIN PRIVATE KEY-----\npl4ntedMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----";
    let site = Site::new();
    let variable = format!("env:{JWT}");
    let file = format!("file:{JWT}");
    let program = format!("exec:{JWT}");
    for args in [
        &["-c", "federated", "--assertion-from", &variable][..],
        &["-c", "federated", "--assertion-from", &file],
        &["-c", "federated", "--assertion-from", &program],
        &["-c", "client-assertion", "--assertion-file", JWT],
        &["-c", "workload-identity", "--token-file-path", JWT],
        &["-c", "certificate", "--certificate-path", JWT],
        &["-c", "certificate", "--certificate-path", PEM],
        &["-c", "client-secret", "--tenant-id", JWT],
    ] {
        for output in ["token", "json"] {
            let mut command = site.application_token(args);
            let run = run(command.args(["-o", output, "-vvv"]));
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(
                !said.contains("cGw0bnRlZC") && !said.contains("pl4nted"),
                "{args:?}: {said}"
            );
        }
    }
}
