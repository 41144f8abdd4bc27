//! Streams that are gone or full.

use std::{
    io::pipe,
    process::{Command, Stdio},
};

use crate::support::{Site, VAULT_SCOPE, std_azid};

/// The writing end of a pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn machine_token(site: &Site, args: &[&str]) -> Command {
    let mut command = std_azid(&["token", "-c", "managed-identity", "-s", VAULT_SCOPE]);
    command.args(args).env(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        site.emulator.imds_host(),
    );
    command
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let site = Site::new();
    for mut command in [
        machine_token(&site, &[]),
        machine_token(&site, &["-o", "json"]),
        std_azid(&["completions", "bash"]),
        std_azid(&["--help"]),
    ] {
        let output = command.stdout(closed()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn messages_that_nobody_hears_change_nothing() {
    let site = Site::new();
    let mut loud = machine_token(&site, &["-vvv"]);
    let output = loud.stderr(closed()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"ey"));

    for (args, code) in [
        (&["token", "-s", "a b"][..], 2),
        (&["token", "-s", "a b", "-o", "json"], 2),
        (&["--unknown"], 2),
        (&["token", "-c", "environment", "-s", "x"], 3),
    ] {
        let status = std_azid(args).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let site = Site::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = machine_token(&site, &[]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("standard output"), "{message}");
}
