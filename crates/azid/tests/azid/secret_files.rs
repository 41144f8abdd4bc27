//! Files that hold a secret: what they may be, and what must not keep the program waiting.

use crate::support::{Site, arg, run};

const OPTIONS: [(&str, &str); 3] = [
    ("client-secret", "--client-secret-file"),
    ("certificate", "--certificate-password-file"),
    ("on-behalf-of", "--user-assertion-file"),
];

#[track_caller]
fn refused(site: &Site, credential: &str, option: &str, path: &str, words: &str) {
    let mut command = site.application_token(&["-c", credential, option, path]);
    let message = run(&mut command).failure(2);
    assert!(
        message.contains(option) && message.contains(words),
        "{option} {path}: {message}"
    );
    assert!(path == "/" || !message.contains(path), "{message}");
}

#[test]
fn what_can_be_no_secret_is_refused() {
    let site = Site::new();
    let empty = site.file("empty", "\r\n");
    let long = site.file("long", "x".repeat(65_537));
    let binary = site.file("binary", [0xff, 0xfe, 0]);
    for (credential, option) in OPTIONS {
        refused(
            &site,
            credential,
            option,
            "/nowhere/pl4nted",
            "cannot be read",
        );
        refused(&site, credential, option, "/", "folder");
        refused(&site, credential, option, arg(&empty), "empty");
        refused(&site, credential, option, arg(&long), "too long");
        refused(&site, credential, option, arg(&binary), "UTF-8");
    }
}

/// Nobody writes into the pipe, and the device never ends.
#[cfg(unix)]
#[test]
fn nothing_that_could_keep_it_waiting_is_read() {
    let site = Site::new();
    let pipe = site.file("pipe", "");
    std::fs::remove_file(&pipe).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let pipe = arg(&pipe);
    for (credential, option) in OPTIONS {
        refused(&site, credential, option, pipe, "pipe");
        refused(&site, credential, option, "/dev/zero", "device");
    }
    // Those that the library reads.
    for (credential, option) in [
        ("certificate", "--certificate-path"),
        ("client-assertion", "--assertion-file"),
        ("workload-identity", "--token-file-path"),
    ] {
        for path in [pipe, "/dev/zero"] {
            let mut command = site.application_token(&["-c", credential, option, path]);
            command.env("AZURE_CLIENT_CERTIFICATE_PATH", "");
            let message = run(&mut command).failure(2);
            assert!(message.contains(path), "{message}");
        }
    }
}

/// `<(…)` of a shell is a pipe that somebody writes into.
#[cfg(target_os = "linux")]
#[test]
fn pipes_of_shells_are_read() {
    let site = Site::new();
    let certificate = site.certificate();
    for path in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let mut command =
            site.application_token(&["-c", "client-secret", "--client-secret-file", path]);
        command
            .env("AZURE_CLIENT_SECRET", "wrong")
            .write_stdin(format!("{}\n", site.secret()));
        run(&mut command).success();
    }
    // A password that nothing needs does no harm.
    let mut command = site.application_token(&[
        "-c",
        "certificate",
        "--certificate-path",
        &certificate,
        "--certificate-password-file",
        "-",
    ]);
    run(command.write_stdin("unneeded\r\n")).success();
}

#[test]
fn standard_input_is_for_one_of_them() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "on-behalf-of"]);
    command
        .args(["--user-assertion-file", "-", "--client-secret-file", "-"])
        .write_stdin("pl4nted");
    let message = run(&mut command).failure(2);
    for option in ["--user-assertion-file", "--client-secret-file"] {
        assert!(message.contains(option), "{message}");
    }
    for (credential, option) in [
        ("client-assertion", "--assertion-file"),
        ("workload-identity", "--token-file-path"),
    ] {
        let mut command = site.application_token(&["-c", credential, option, "-"]);
        let message = run(command.write_stdin("pl4nted")).failure(2);
        assert!(message.contains("standard input"), "{message}");
    }
}
