//! Applications that another identity provider vouches for: pipelines, other clouds, programs.

use azidentity_emulator::{FederatedCredential, World};
use serde_json::Value;

use crate::{
    applications::APPLICATION,
    support::{Run, Site, arg, run},
};

impl Site {
    /// A token of a Kubernetes service account that the built-in application trusts.
    pub(crate) fn service_account_token(&self) -> String {
        let audience = FederatedCredential::AUDIENCE;
        self.emulator.service_account_token(audience, None).unwrap()
    }

    /// A file with it, as Kubernetes and editors leave it.
    pub(crate) fn service_account_file(&self) -> String {
        let token = format!("{}\n", self.service_account_token());
        arg(&self.file("service-account-token", token)).to_owned()
    }

    /// `azid token -c federated --assertion-from SOURCE` with the built-in application.
    pub(crate) fn federated(&self, source: &str, more: &[&str]) -> assert_cmd::Command {
        let mut args = APPLICATION.to_vec();
        args.extend(["-c", "federated", "--assertion-from", source]);
        args.extend(more);
        self.token(&args)
    }

    /// `azid token -c azure-pipelines` in a job.
    pub(crate) fn job(&self) -> assert_cmd::Command {
        let mut args = APPLICATION.to_vec();
        args.extend(["-c", "azure-pipelines"]);
        args.extend(["--service-connection-id", World::SERVICE_CONNECTION_ID]);
        let mut command = self.token(&args);
        command
            .env("SYSTEM_OIDCREQUESTURI", self.emulator.pipelines_oidc_uri())
            .env("SYSTEM_ACCESSTOKEN", self.emulator.pipelines_access_token());
        command
    }
}

pub(crate) fn in_json(command: &mut assert_cmd::Command) -> Run {
    run(command.args(["-o", "json"]))
}

#[track_caller]
fn is_of(json: &Value, credential: &str) {
    assert_eq!(json["credential"], credential);
    assert_eq!(json["tenant"], World::TENANT_ID);
}

#[test]
fn a_job_of_azure_pipelines_uses_its_service_connection() {
    let site = Site::new();
    is_of(&in_json(&mut site.job()).json(), "azure-pipelines");
    assert_eq!(site.emulator.request_count(), 2);
}

#[test]
fn a_job_of_azure_pipelines_is_told_what_it_lacks() {
    let site = Site::new();
    for (variable, value, code, words) in [
        ("SYSTEM_ACCESSTOKEN", "", 3, "SYSTEM_ACCESSTOKEN"),
        (
            "SYSTEM_ACCESSTOKEN",
            "$(System.AccessToken)",
            2,
            "SYSTEM_ACCESSTOKEN",
        ),
        ("SYSTEM_OIDCREQUESTURI", "", 3, "SYSTEM_OIDCREQUESTURI"),
        (
            "SYSTEM_OIDCREQUESTURI",
            "http://vstoken.example/",
            2,
            "SYSTEM_OIDCREQUESTURI",
        ),
        ("SYSTEM_ACCESSTOKEN", "not-the-jobs", 4, "access token"),
    ] {
        let mut command = site.job();
        command.env(variable, value);
        let error = in_json(&mut command).error(code);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{variable}={value}: {message}");
    }
    let mut args = APPLICATION.to_vec();
    args.extend(["-c", "azure-pipelines"]);
    let message = run(&mut site.token(&args)).failure(2);
    assert!(message.contains("--service-connection-id"), "{message}");
}

#[test]
fn a_job_of_github_actions_needs_no_secret() {
    let site = Site::new();
    let mut command = site.federated("github-actions", &[]);
    command
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            site.emulator.github_oidc_url(),
        )
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            site.emulator.github_request_token(),
        );
    is_of(&in_json(&mut command).json(), "federated");
}

/// Metadata servers are reached without any proxy.
#[test]
fn a_machine_of_google_cloud_needs_no_secret() {
    let site = Site::new();
    let host = site.emulator.http_endpoint().replace("http://", "");
    let mut command = site.federated("gcp", &[]);
    command
        .env("GCE_METADATA_HOST", host)
        .env("NO_PROXY", "localhost");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    is_of(&in_json(&mut command).json(), "federated");
}

#[test]
fn variables_and_files_hold_assertions() {
    let site = Site::new();
    let mut command = site.federated("env:GITLAB_TOKEN", &[]);
    command.env("GITLAB_TOKEN", site.service_account_token());
    is_of(&in_json(&mut command).json(), "federated");

    let source = format!("file:{}", site.service_account_file());
    is_of(
        &in_json(&mut site.federated(&source, &[])).json(),
        "federated",
    );
}

/// Arguments go to the program as they are, also those that look like options or mean something to a shell.
#[cfg(unix)]
#[test]
fn programs_print_assertions() {
    let site = Site::new();
    let file = site.service_account_file();
    let mut command = site.federated("exec:/bin/cat", &["--assertion-arg", &file]);
    is_of(&in_json(&mut command).json(), "federated");

    // Found in PATH.
    let mut command = site.federated("exec:cat", &["--assertion-arg", &file]);
    command.env("PATH", "/usr/bin:/bin");
    is_of(&in_json(&mut command).json(), "federated");

    let script = r#"[ "$1" = '$(id); "x"' ] && [ "$2" = -e ] && cat "$0""#;
    let args = ["-c", script, &file, r#"$(id); "x""#, "-e"];
    let args: Vec<&str> = args
        .into_iter()
        .flat_map(|arg| ["--assertion-arg", arg])
        .collect();
    is_of(
        &in_json(&mut site.federated("exec:/bin/sh", &args)).json(),
        "federated",
    );
}

#[cfg(unix)]
#[test]
fn programs_that_fail_are_an_authentication_that_failed() {
    let site = Site::new();
    for script in ["exit 3", "true", "echo two words", "printf '\\377'"] {
        let args = ["--assertion-arg", "-c", "--assertion-arg", script];
        let error = in_json(&mut site.federated("exec:/bin/sh", &args)).error(4);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("/bin/sh"), "{script}: {message}");
    }
    assert_eq!(site.emulator.request_count(), 0);
}

/// Only the command line says where assertions come from: a variable could have any program run.
#[test]
fn no_variable_names_a_source() {
    let site = Site::new();
    let mut args = APPLICATION.to_vec();
    args.extend(["-c", "federated"]);
    let mut command = site.token(&args);
    for name in [
        "ASSERTION_FROM",
        "AZID_ASSERTION_FROM",
        "AZURE_ASSERTION_FROM",
    ] {
        command.env(name, "github-actions");
    }
    let message = run(&mut command).failure(2);
    assert!(message.contains("--assertion-from"), "{message}");
}

#[test]
fn sources_that_make_no_sense_are_configuration_errors() {
    let site = Site::new();
    for (source, more, words) in [
        ("gitlab", &[][..], "--assertion-from"),
        ("env:", &[], "--assertion-from"),
        ("exec:", &[], "--assertion-from"),
        ("gcp:x", &[], "--assertion-from"),
        ("exec:./program", &[], "full path"),
        ("exec:folder/program", &[], "full path"),
        ("gcp", &["--assertion-arg", "x"], "--assertion-arg"),
        ("file:/", &[], "folder"),
    ] {
        let error = in_json(&mut site.federated(source, more)).error(2);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{source}: {message}");
    }
    let mut args = APPLICATION.to_vec();
    args.extend(["-c", "federated", "--assertion-arg", "x"]);
    let message = run(&mut site.token(&args)).failure(2);
    assert!(message.contains("--assertion-from"), "{message}");
    assert_eq!(site.emulator.request_count(), 0);
}
