//! `azid emulator`.

#![cfg(unix)]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use azidentity_emulator::World;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Site, VAULT_SCOPE, arg, azid, claims, run, std_azid};

/// A running `azid emulator` with a folder of its own for temporary files.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = std_azid(&["emulator"])
            .args(args)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            stdout,
            folder,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// The lines up to the last one that is printed, and the variables they set.
    fn exports(&mut self) -> (String, HashMap<String, String>) {
        let mut text = String::new();
        while !text.contains("IDENTITY_HEADER") {
            let line = self.line();
            assert!(!line.is_empty(), "ended early: {text}");
            text.push_str(&line);
        }
        let variables = text
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| {
                let value = value
                    .strip_prefix('\'')
                    .unwrap()
                    .strip_suffix('\'')
                    .unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        (text, variables)
    }

    /// Sends a signal; returns what was said on standard error. Nothing may be left.
    fn end(mut self, signal: &str) -> String {
        let status = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{signal} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(status.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{signal}");
        let left: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // For tests that fail; one that was ended is not there any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn its_lines_lead_clients_to_it_until_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let (text, variables) = server.exports();
        assert!(text.contains("\n# export IDENTITY_ENDPOINT='http://127.0.0.1:"));

        for (credential, client) in [
            ("client-secret", World::CLIENT_ID),
            ("default", World::CLIENT_ID),
            ("managed-identity", World::SYSTEM_ASSIGNED_CLIENT_ID),
        ] {
            let mut command = azid(&["token", "--disable-instance-discovery"]);
            command
                .args(["-c", credential, "-s", VAULT_SCOPE])
                .envs(&variables);
            assert_eq!(claims(&run(&mut command).success())["appid"], client);
        }

        let ca_file = Path::new(&variables["SSL_CERT_FILE"]);
        let pem = std::fs::read_to_string(ca_file).unwrap();
        assert!(pem.contains("BEGIN CERTIFICATE") && !pem.contains("PRIVATE KEY"));
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = ca_file.parent().unwrap().metadata().unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o700);
        }

        let said = server.end(signal);
        for hint in ["SSL_CERT_FILE", "--disable-instance-discovery"] {
            assert!(said.contains(hint), "{said}");
        }
    }
}

#[test]
fn programs_get_an_object_on_one_line() {
    let mut server = Server::start(&["--print", "json"]);
    let object: Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(object["environment"]["AZURE_TENANT_ID"], World::TENANT_ID);
    assert_eq!(
        object["environment"]["AZURE_AUTHORITY_HOST"],
        object["authority_host"]
    );
    let endpoint = object["http_endpoint"].as_str().unwrap();
    assert!(
        object["app_service"]["IDENTITY_ENDPOINT"]
            .as_str()
            .unwrap()
            .starts_with(endpoint)
    );
    let ca_file = object["ca_certificate_file"].as_str().unwrap();
    assert!(Path::new(ca_file).is_file());
    server.end("TERM");
}

#[test]
fn a_configuration_describes_another_world() {
    let site = Site::new();
    let config = site.file(
        "world.toml",
        r#"
        [[tenant]]
        id = "b2c1d3e4-0f5a-4b6c-8d7e-9f8a7b6c5d4e"

        [[application]]
        client_id = "0d9e8f7a-6b5c-4d3e-a2f1-0b9c8d7e6f5a"
        [[application.secret]]
        value = "it's $(only) for tests"
        "#,
    );
    let mut server = Server::start(&["--config", arg(&config)]);
    let (text, _) = server.exports();
    for line in [
        "export AZURE_TENANT_ID='b2c1d3e4-0f5a-4b6c-8d7e-9f8a7b6c5d4e'",
        "export AZURE_CLIENT_ID='0d9e8f7a-6b5c-4d3e-a2f1-0b9c8d7e6f5a'",
        r"export AZURE_CLIENT_SECRET='it'\''s $(only) for tests'",
    ] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    server.end("TERM");
}

#[test]
fn a_script_plays_its_faults() {
    let site = Site::new();
    let script = site.file(
        "faults.toml",
        r#"
        [[fault]]
        endpoint = "token"
        aadsts = 7000222
        "#,
    );
    let mut server = Server::start(&["--script", arg(&script)]);
    let (_, variables) = server.exports();
    let token = || {
        let mut command = azid(&["token", "--disable-instance-discovery"]);
        command
            .args(["-c", "environment", "-s", VAULT_SCOPE])
            .envs(&variables);
        run(&mut command)
    };
    assert!(
        token().failure(4).contains("AADSTS7000222"),
        "the first time"
    );
    token().success();
    server.end("TERM");
}

#[test]
fn a_wrong_configuration_is_told_with_its_line() {
    let site = Site::new();
    let config = site.file("world.toml", "https_port = 1\nunknown = 2\n");
    let message = run(&mut azid(&["emulator", "--config", arg(&config)])).failure(2);
    assert!(message.contains("world.toml: line 2"), "{message}");
    let message = run(&mut azid(&["emulator", "--config", "/nowhere.toml"])).failure(2);
    assert!(message.contains("/nowhere.toml"), "{message}");
    let message = run(&mut azid(&["emulator", "--script", arg(&config)])).failure(2);
    assert!(message.contains("world.toml: line 1"), "{message}");
    run(&mut azid(&["emulator", "--port", "70000"])).failure(2);
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--port", "--http-port"] {
        let message = run(&mut azid(&["emulator", option, &port])).failure(1);
        assert!(message.contains(&port), "{message}");
    }
}
