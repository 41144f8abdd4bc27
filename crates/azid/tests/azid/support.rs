//! The program in an environment that holds nothing but what a test puts there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use azidentity_emulator::{Config, Emulator, World};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const VAULT: &str = "https://vault.azure.net";
pub(crate) const VAULT_SCOPE: &str = "https://vault.azure.net/.default";

/// What a program needs on any machine to run at all.
const ESSENTIAL: [&str; 3] = ["SystemRoot", "LLVM_PROFILE_FILE", "LD_LIBRARY_PATH"];

/// `azid ARGS…`, with an empty environment.
pub(crate) fn azid(args: &[&str]) -> Command {
    Command::from_std(std_azid(args))
}

pub(crate) fn std_azid(args: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_azid"));
    command.env_clear().args(args);
    for name in ESSENTIAL {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// The result of a run that succeeded, and said nothing besides.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        self.stdout
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.success()).unwrap()
    }

    /// The message of a run that failed with this exit code, and printed nothing.
    #[track_caller]
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        self.stderr
    }

    #[track_caller]
    pub(crate) fn error(self, code: i32) -> Value {
        let object: Value = serde_json::from_str(&self.failure(code)).unwrap();
        object["error"].clone()
    }
}

/// An emulator, and a folder for files.
pub(crate) struct Site {
    pub(crate) emulator: Emulator,
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let site = Self {
            emulator: Emulator::start(config).unwrap(),
            folder: TempDir::new().unwrap(),
        };
        site.file("ca.pem", site.emulator.ca_certificate_pem());
        site
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn secret(&self) -> &str {
        let world = self.emulator.world();
        world.client_secret(World::CLIENT_ID).unwrap()
    }

    /// `azid token ARGS…` for a vault, where the emulator is the authority and nobody is signed in.
    pub(crate) fn token(&self, args: &[&str]) -> Command {
        let mut command = azid(&["token", "--disable-instance-discovery"]);
        if !args
            .iter()
            .any(|arg| arg.starts_with("-s") || arg.starts_with("--resource="))
        {
            command.args(["-s", VAULT_SCOPE]);
        }
        command
            .args(args)
            .env("SSL_CERT_FILE", self.ca_file())
            .env("AZURE_AUTHORITY_HOST", self.emulator.authority_host());
        command
    }

    /// The same with the variables of the built-in application.
    pub(crate) fn application_token(&self, args: &[&str]) -> Command {
        let mut command = self.token(args);
        command
            .env("AZURE_TENANT_ID", World::TENANT_ID)
            .env("AZURE_CLIENT_ID", World::CLIENT_ID)
            .env("AZURE_CLIENT_SECRET", self.secret());
        command
    }

    /// The same on a virtual machine.
    pub(crate) fn machine_token(&self, args: &[&str]) -> Command {
        let mut command = self.token(args);
        command.env(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            self.emulator.imds_host(),
        );
        command
    }

    /// Whether the only request so far had a parameter in its form. Of secrets no more is recorded.
    #[track_caller]
    pub(crate) fn has_sent(&self, parameter: &str) -> bool {
        let requests = self.emulator.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].form().contains(parameter)
    }

    /// A parameter of the only request so far, from its form or query.
    #[track_caller]
    pub(crate) fn sent(&self, parameter: &str) -> Option<String> {
        let requests = self.emulator.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        let fields = [requests[0].form(), requests[0].query()];
        fields
            .into_iter()
            .find_map(|fields| fields.get(parameter))
            .map(str::to_owned)
    }
}

/// The claims of a token.
#[track_caller]
pub(crate) fn claims(token: &str) -> Value {
    let mut command = azid(&["inspect", "-o", "json"]);
    command.write_stdin(token);
    run(&mut command).json()["claims"].clone()
}

/// `path` as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}
