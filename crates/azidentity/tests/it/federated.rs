//! Applications that another identity provider vouches for.

use std::{fs, sync::Arc, time::Duration};

use azidentity::{
    Credential, Environment, EnvironmentBuilder, FailureKind, FederatedAssertion,
    FederatedCredential, FederatedCredentialOptions, ManualClock,
};
use azure_core::{credentials::TokenCredential, error::ErrorKind};

use crate::{
    client_assertion::ASSERTION,
    support::{CLIENT, OTHER_SCOPE, SCOPE, START, TENANT, Wire, expect_error},
};

const JOBS_TOKEN: &str = "pl4nted-request-token";

fn make(
    wire: &Wire,
    assertion: FederatedAssertion,
    environment: EnvironmentBuilder,
) -> azure_core::Result<Arc<FederatedCredential>> {
    FederatedCredential::builder(TENANT, CLIENT, assertion)
        .client_options(wire.client_options())
        .environment(environment.build())
        .build()
}

fn world() -> EnvironmentBuilder {
    Environment::builder().clock(Arc::new(ManualClock::skipping(START)))
}

fn github() -> EnvironmentBuilder {
    world().variables([
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://run.actions.example/token?api-version=2.0",
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOBS_TOKEN),
    ])
}

/// Answers the exchange that follows, after a look at what was sent.
async fn exchange(wire: &mut Wire, assertion: &str) {
    let exchange = wire.next().await;
    assert_eq!(exchange.url.path(), format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(exchange.form["client_assertion"], assertion);
    exchange.answer_token("token", 3600);
}

#[tokio::test]
async fn github_gives_each_exchange_an_assertion() {
    let mut wire = Wire::new();
    let credential =
        make(&wire, FederatedAssertion::GitHubActions, github()).expect("a valid configuration");
    for (scope, number) in [(SCOPE, 1), (OTHER_SCOPE, 2)] {
        let scopes = [scope];
        let (info, ()) = futures::join!(credential.get_token_info(&scopes, None), async {
            let question = wire.next().await;
            assert_eq!(question.method, "GET");
            assert_eq!(
                question.url.as_str(),
                "https://run.actions.example/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
            );
            assert_eq!(
                question.headers["authorization"],
                format!("Bearer {JOBS_TOKEN}")
            );
            question.answer(
                200,
                format!(r#"{{"count":1,"value":"{ASSERTION}{number}"}}"#),
            );
            exchange(&mut wire, &format!("{ASSERTION}{number}")).await;
        });
        assert_eq!(info.expect("a token").credential(), "federated");
    }
}

#[tokio::test]
async fn github_is_unavailable_without_the_permission() {
    for missing in [
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ] {
        let mut wire = Wire::new();
        let environment = github().variable(missing, "");
        let credential = make(&wire, FederatedAssertion::GitHubActions, environment)
            .expect("can be made everywhere");
        let error = expect_error(
            credential.get_token(&[SCOPE], None).await,
            FailureKind::Unavailable,
            &[missing, "permissions: id-token: write"],
        );
        assert_eq!(error.credential(), Some("federated"));
        assert!(wire.try_next().is_none());
    }
}

#[tokio::test]
async fn github_refusals_show_nothing_secret() {
    for (status, body, says) in [
        (
            401,
            format!(r#"{{"message":"bad {JOBS_TOKEN}"}}"#),
            &["HTTP 401", "bad ***", "only while the job runs"][..],
        ),
        (302, String::new(), &["HTTP 302"]),
        (200, "<html>pl4nted".into(), &["HTTP 200"]),
        (200, r#"{"value":7}"#.into(), &["HTTP 200"]),
        (200, r#"{"value":""}"#.into(), &["is empty", "GitHub"]),
    ] {
        let mut wire = Wire::new();
        let credential = make(&wire, FederatedAssertion::GitHubActions, github())
            .expect("a valid configuration");
        let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
            wire.next().await.answer(status, body);
        });
        expect_error(result, FailureKind::AuthenticationFailed, says);
        assert!(wire.try_next().is_none());
    }
    for (name, value) in [
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "http://run.actions.example/pl4nted",
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "pl4nted\nx"),
    ] {
        let wire = Wire::new();
        let environment = github().variable(name, value);
        let credential = make(&wire, FederatedAssertion::GitHubActions, environment)
            .expect("can be made everywhere");
        expect_error(
            credential.get_token(&[SCOPE], None).await,
            FailureKind::Configuration,
            &[name],
        );
    }
}

#[tokio::test]
async fn google_cloud_vouches_for_its_machines() {
    let mut entra = Wire::new();
    let mut metadata = Wire::new();
    let credential = FederatedCredential::builder(TENANT, CLIENT, FederatedAssertion::GoogleCloud)
        .client_options(entra.client_options())
        .assertion_client_options(metadata.client_options())
        .audience("api://AzureADTokenExchangeUSGov")
        .environment(world().build())
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let question = metadata.next().await;
        assert_eq!(question.method, "GET");
        assert_eq!(
            question.url.as_str(),
            "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity\
             ?audience=api%3A%2F%2FAzureADTokenExchangeUSGov&format=full"
        );
        assert_eq!(question.headers["metadata-flavor"], "Google");
        question.answer_with(
            200,
            &[("metadata-flavor", "Google")],
            format!("{ASSERTION}\n"),
        );
        exchange(&mut entra, ASSERTION).await;
    });
    token.expect("a token");
}

#[tokio::test]
async fn elsewhere_google_cloud_is_unavailable() {
    use FailureKind::{AuthenticationFailed, Unavailable};

    let google = [("metadata-flavor", "Google")];
    for (status, headers, body, kind, says) in [
        (200, &[][..], ASSERTION, Unavailable, "somebody else's"),
        (404, &google, "", Unavailable, "no service account"),
        (403, &google, "pl4nted", AuthenticationFailed, "HTTP 403"),
        (200, &google, "", AuthenticationFailed, "is empty"),
    ] {
        let mut wire = Wire::new();
        let environment = world().variable("GCE_METADATA_HOST", "127.0.0.1:8080");
        let credential = make(&wire, FederatedAssertion::GoogleCloud, environment)
            .expect("a valid configuration");
        let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
            let question = wire.next().await;
            assert_eq!(question.url.authority(), "127.0.0.1:8080");
            question.answer_with(status, headers, body.to_owned());
        });
        expect_error(result, kind, &[says]);
    }

    let mut wire = Wire::new();
    let credential =
        make(&wire, FederatedAssertion::GoogleCloud, world()).expect("a valid configuration");
    let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.fail(ErrorKind::Other, "no such host");
    });
    expect_error(
        result,
        Unavailable,
        &["metadata.google.internal", "could not be asked"],
    );

    for bad in ["a b", "host/path", "host?x", "host#x", "user@host"] {
        expect_error(
            make(
                &Wire::new(),
                FederatedAssertion::GoogleCloud,
                world().variable("GCE_METADATA_HOST", bad),
            ),
            FailureKind::Configuration,
            &["GCE_METADATA_HOST"],
        );
    }
}

#[tokio::test]
async fn a_variable_is_tidied_and_its_absence_unavailable() {
    let source = || FederatedAssertion::Variable("GITLAB_TOKEN".into());
    let mut wire = Wire::new();
    let environment = world().variable("GITLAB_TOKEN", format!(" {ASSERTION}\r\n"));
    let credential = make(&wire, source(), environment).expect("a valid configuration");
    let (token, ()) = futures::join!(
        credential.get_token(&[SCOPE], None),
        exchange(&mut wire, ASSERTION)
    );
    token.expect("a token");

    for (value, kind, says) in [
        ("", FailureKind::Unavailable, "is not set"),
        (" \n", FailureKind::Unavailable, "is not set"),
        ("pl4nted x", FailureKind::AuthenticationFailed, "spaces"),
    ] {
        let environment = world().variable("GITLAB_TOKEN", value);
        let credential = make(&wire, source(), environment).expect("a valid configuration");
        expect_error(
            credential.get_token(&[SCOPE], None).await,
            kind,
            &["GITLAB_TOKEN", says],
        );
    }
}

#[tokio::test]
async fn a_file_is_read_for_each_exchange() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let mut wire = Wire::new();
    let credential = make(&wire, FederatedAssertion::File(path.clone()), world())
        .expect("a valid configuration");
    for (scope, number) in [(SCOPE, 1), (OTHER_SCOPE, 2)] {
        fs::write(&path, format!("{ASSERTION}{number}\n")).expect("a file");
        let sent = format!("{ASSERTION}{number}");
        let scopes = [scope];
        let (token, ()) = futures::join!(
            credential.get_token(&scopes, None),
            exchange(&mut wire, &sent)
        );
        token.expect("a token");
    }
}

#[cfg(unix)]
mod programs;

#[test]
fn sources_are_read_from_text() {
    use FederatedAssertion::{File, GitHubActions, GoogleCloud, Program, Variable};

    for (text, expected) in [
        ("github-actions", GitHubActions),
        ("gcp", GoogleCloud),
        ("env:A:B", Variable("A:B".into())),
        ("file:/a:b", File("/a:b".into())),
        (
            "exec:/usr/bin/spire",
            Program {
                program: "/usr/bin/spire".into(),
                args: Vec::new(),
            },
        ),
    ] {
        assert_eq!(text.parse::<FederatedAssertion>().expect(text), expected);
    }
    for bad in [
        "", "aws", "env", "env:", "file:", "exec:", "gcp:", "gcp:x", "GCP", "pl4nted",
    ] {
        let error = bad.parse::<FederatedAssertion>().expect_err(bad);
        assert_eq!(error.kind(), FailureKind::Configuration);
        assert!(error.message().contains("github-actions"), "{error}");
        assert!(!error.message().contains("pl4nted"), "{error}");
    }
    GitHubActions.with_args([] as [&str; 0]).expect("none");
    expect_error(
        GitHubActions.with_args(["pl4nted"]),
        FailureKind::Configuration,
        &["no program", "exec:PROGRAM"],
    );
}

#[test]
fn the_constructor_checks_its_arguments() {
    let make = |tenant: &str, client: &str, name: &str, audience: Option<&str>| {
        FederatedCredential::new(
            tenant,
            client,
            FederatedAssertion::Variable(name.into()),
            Some(FederatedCredentialOptions {
                audience: audience.map(str::to_owned),
                ..Default::default()
            }),
        )
    };
    make(TENANT, CLIENT, "V", None).expect("a valid configuration");
    for (result, says) in [
        (make("", CLIENT, "V", None), "tenant"),
        (make(TENANT, "", "V", None), "client id"),
        (make(TENANT, CLIENT, "", None), "variable"),
        (make(TENANT, CLIENT, "A=B", None), "variable"),
        (make(TENANT, CLIENT, "V", Some(" ")), "audience"),
    ] {
        let error = expect_error(result, FailureKind::Configuration, &[says]);
        assert_eq!(error.credential(), Some("federated"));
    }
}
