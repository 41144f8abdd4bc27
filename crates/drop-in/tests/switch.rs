//! A program for the official crate changes one line of its `Cargo.toml`, and builds and runs with ours.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The variables by which a credential would know the machine that the test runs on.
const AZURE_VARIABLES: [&str; 4] = ["AZURE_", "IDENTITY_", "IMDS_", "MSI_"];

#[test]
fn one_line_switches_a_program() {
    let manifest = fs::read_to_string(here("program/Cargo.toml")).unwrap();
    let line = manifest
        .lines()
        .find(|line| line.starts_with("azure_identity = "))
        .expect("the program depends on the official crate");
    let ours = format!(
        "azure_identity = {{ package = \"azidentity\", path = '{}', default-features = false, features = [\"tokio\"] }}",
        here("../azidentity").display()
    );
    let switched = manifest.replace(line, &ours);
    assert_eq!(differing_lines(&manifest, &switched), [(line, &*ours)]);

    let before = Build::new(&manifest);
    let after = Build::new(&switched);
    let printed_before = before.run();
    let printed_after = after.run();

    assert!(before.packages().contains("azure_identity"));
    assert!(!before.packages().contains("azidentity"));
    assert!(after.packages().contains("azidentity"));
    assert!(!after.packages().contains("azure_identity"));
    assert_eq!(
        printed_before,
        "\
identity: client 11111111-2222-3333-4444-555555555555
asked: POST login.example/contoso.example/oauth2/v2.0/token
application: token-1, good for 60 minutes
application: token-1, good for 60 minutes
asked: GET 169.254.169.254/metadata/identity/oauth2/token
machine: token-2, good for 60 minutes
machine: token-2, good for 60 minutes
requests: 2
a wrong tenant: Credential
a tool, run as [\"tool\", \"--flag\"], which ended with Some(3)
no tool: nothing is run here
"
    );
    assert_eq!(printed_after, printed_before);
}

/// The program in a folder of its own, with one manifest or the other.
struct Build(tempfile::TempDir);

impl Build {
    fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        fs::create_dir(&source).unwrap();
        fs::copy(here("program/src/main.rs"), source.join("main.rs")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        // The versions that are tested, and that are here without a network.
        fs::copy(here("../../Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        Self(folder)
    }

    /// Builds and runs the program; returns what it prints.
    fn run(&self) -> String {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        // One folder for both, so that what they share is built once; kept, so that the next time is quick. It is not that of
        // the workspace, whose builds would have to wait.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("switch");
        let mut command = Command::new(cargo);
        command
            // Here, so that cargo finds the configuration that the workspace is built with.
            .current_dir(here(""))
            .args(["run", "--offline", "--quiet", "--manifest-path"])
            .arg(self.0.path().join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target)
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if AZURE_VARIABLES.iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        let output = command.output().expect("cargo runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names of the packages that went into the program, after a look at their versions.
    fn packages(&self) -> BTreeSet<String> {
        let mut locked = packages(&self.0.path().join("Cargo.lock"));
        assert!(locked.remove(&("night-watch".to_owned(), "0.0.0".to_owned())));
        let expected = packages(&here("../../Cargo.lock"));
        let strangers: Vec<_> = locked.difference(&expected).collect();
        assert!(strangers.is_empty(), "not in Cargo.lock: {strangers:?}");
        locked.into_iter().map(|(name, _)| name).collect()
    }
}

/// Name and version of each package in a lock file.
fn packages(lock: &Path) -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(lock).unwrap();
    let value = |line: Option<&str>, key| {
        let value = line?.strip_prefix(key)?.strip_prefix(" = ")?;
        Some(value.trim_matches('"').to_owned())
    };
    let mut lines = text.lines();
    let mut found = BTreeSet::new();
    while lines.any(|line| line == "[[package]]") {
        let name = value(lines.next(), "name").expect("a name");
        let version = value(lines.next(), "version").expect("a version");
        found.insert((name, version));
    }
    assert!(!found.is_empty());
    found
}

fn differing_lines<'a>(before: &'a str, after: &'a str) -> Vec<(&'a str, &'a str)> {
    assert_eq!(before.lines().count(), after.lines().count());
    let pairs = before.lines().zip(after.lines());
    pairs.filter(|(before, after)| before != after).collect()
}

/// A path within this crate.
fn here(path: &str) -> PathBuf {
    let root =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&root).join(path)
}
