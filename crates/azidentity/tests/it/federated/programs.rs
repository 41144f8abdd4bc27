//! Assertions that a program prints.

use std::{os::unix::fs::PermissionsExt, path::Path};

use super::*;

fn shell(script: &str) -> FederatedAssertion {
    "exec:/bin/sh"
        .parse::<FederatedAssertion>()
        .expect("a source")
        .with_args(["-c", script])
        .expect("a program")
}

/// The system's clock, by which nothing here takes long.
fn credential(wire: &Wire, source: FederatedAssertion) -> Arc<FederatedCredential> {
    let environment = Environment::builder().variable("PATH", "/usr/bin:/bin:.");
    make(wire, source, environment).expect("a valid configuration")
}

#[tokio::test]
async fn each_exchange_runs_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let counter = folder.path().join("runs");
    // Also says where it runs, and that there is nothing to read.
    let script = format!(
        r#"cat; echo x >>{0}; test "$PWD" = / && printf '{ASSERTION}%s\n' $(($(wc -l <{0})))"#,
        counter.display()
    );
    let mut wire = Wire::new();
    let credential = credential(&wire, shell(&script));
    for (scope, number) in [(SCOPE, 1), (OTHER_SCOPE, 2)] {
        let sent = format!("{ASSERTION}{number}");
        let scopes = [scope];
        let (token, ()) = futures::join!(
            credential.get_token(&scopes, None),
            exchange(&mut wire, &sent)
        );
        token.expect("a token");
    }
}

#[tokio::test]
async fn failures_say_what_happened_and_not_what_was_printed() {
    use FailureKind::{AuthenticationFailed, Configuration, Unavailable};

    let folder = tempfile::tempdir().expect("a folder");
    let plain = folder.path().join("plain");
    fs::write(&plain, "#!/bin/sh\n").expect("a file");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).expect("a mode");
    let program = |path: &Path| FederatedAssertion::Program {
        program: path.into(),
        args: Vec::new(),
    };
    for (source, kind, says) in [
        (
            shell("echo pl4nted; echo pl4nted >&2; exit 7"),
            AuthenticationFailed,
            &["/bin/sh", "exit status: 7", "by hand"][..],
        ),
        (shell("kill -9 $$"), AuthenticationFailed, &["signal: 9"]),
        (
            shell("echo pl4nted >&2"),
            AuthenticationFailed,
            &["printed nothing"],
        ),
        (
            shell("echo pl4nted pl4nted"),
            AuthenticationFailed,
            &["spaces", "/bin/sh"],
        ),
        (
            shell(r"printf '\377pl4nted'"),
            AuthenticationFailed,
            &["binary data"],
        ),
        (
            shell("while :; do echo pl4nted; done"),
            AuthenticationFailed,
            &["far more"],
        ),
        (
            program(Path::new("/no/such/program")),
            Unavailable,
            &["/no/such/program", "does not exist"],
        ),
        (
            program(Path::new("no-such-program")),
            Unavailable,
            &["no-such-program", "PATH"],
        ),
        (program(&plain), Configuration, &["plain", "executable"]),
    ] {
        let mut wire = Wire::new();
        let result = credential(&wire, source).get_token(&[SCOPE], None).await;
        expect_error(result, kind, says);
        assert!(wire.try_next().is_none());
    }
}

#[tokio::test]
async fn a_program_that_never_ends_is_stopped() {
    let clock = Arc::new(ManualClock::new(START));
    let wire = Wire::new();
    let environment = Environment::builder().clock(clock.clone());
    let credential = make(&wire, shell("exec sleep 1000"), environment).expect("valid");
    let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(30));
    });
    expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["/bin/sh", "within 30 seconds", "stopped"],
    );
}

#[tokio::test]
async fn a_bare_name_is_found_in_absolute_folders_only() {
    let mut wire = Wire::new();
    let source = FederatedAssertion::Program {
        program: "printf".into(),
        args: vec![ASSERTION.into()],
    };
    let shown = format!("{source:?}");
    assert!(
        shown.contains("printf") && !shown.contains("eyJ"),
        "{shown}"
    );
    let credential = credential(&wire, source);
    let (token, ()) = futures::join!(
        credential.get_token(&[SCOPE], None),
        exchange(&mut wire, ASSERTION)
    );
    token.expect("a token");

    for relative in ["./script", "folder/script", "..", "."] {
        let source = FederatedAssertion::Program {
            program: relative.into(),
            args: Vec::new(),
        };
        expect_error(
            make(&wire, source, world()),
            FailureKind::Configuration,
            &["full path"],
        );
    }
}
