//! A service connection of Azure Pipelines.

use std::sync::Arc;

use azidentity::{
    AzurePipelinesCredential, AzurePipelinesCredentialOptions, ClientAssertionCredentialOptions,
    Credential, Environment, FailureKind, ManualClock,
};
use azure_core::credentials::TokenCredential;

use crate::{
    client_assertion::ASSERTION,
    logging::Log,
    support::{CLIENT, Exchange, OTHER_SCOPE, SCOPE, START, TENANT, Wire, expect_error},
};

const CONNECTION: &str = "a connection&with=odd#id";
const SYSTEM_TOKEN: &str = "pl4nted-system-access-token";
const ADDRESS: &str = "https://dev.azure.example/org/_apis/jobs/j/oidctoken";

fn make(wire: &Wire, address: &str) -> azure_core::Result<Arc<AzurePipelinesCredential>> {
    AzurePipelinesCredential::builder(TENANT, CLIENT, CONNECTION, SYSTEM_TOKEN)
        .client_options(wire.client_options())
        .environment(
            Environment::builder()
                .variable("SYSTEM_OIDCREQUESTURI", address)
                .clock(Arc::new(ManualClock::skipping(START)))
                .build(),
        )
        .build()
}

fn check_question(exchange: &Exchange) {
    assert_eq!(exchange.method, "POST");
    assert_eq!(
        exchange.url.as_str(),
        format!("{ADDRESS}?api-version=7.1&serviceConnectionId=a+connection%26with%3Dodd%23id")
    );
    for (name, value) in [
        ("authorization", format!("Bearer {SYSTEM_TOKEN}")),
        ("content-type", "application/json".into()),
        ("content-length", "0".into()),
        ("x-tfs-fedauthredirect", "Suppress".into()),
    ] {
        assert_eq!(exchange.headers.get(name), Some(&value), "{name}");
    }
    assert!(exchange.form.is_empty(), "no body");
}

#[tokio::test]
async fn each_exchange_asks_for_a_new_assertion() {
    let mut wire = Wire::new();
    let credential = make(&wire, &format!("{ADDRESS}/")).expect("a valid configuration");
    for (scope, number) in [(SCOPE, 1), (OTHER_SCOPE, 2)] {
        let scopes = [scope];
        let (info, ()) = futures::join!(credential.get_token_info(&scopes, None), async {
            let question = wire.next().await;
            check_question(&question);
            question.answer(200, format!(r#"{{"oidcToken":"{ASSERTION}{number}"}}"#));
            let exchange = wire.next().await;
            assert_eq!(
                exchange.form["client_assertion"],
                format!("{ASSERTION}{number}")
            );
            assert_eq!(exchange.form["client_id"], CLIENT);
            exchange.answer_token("token", 3600);
        });
        assert_eq!(info.expect("a token").credential(), "azure-pipelines");
    }
    credential.get_token(&[SCOPE], None).await.expect("a token");
    assert!(wire.try_next().is_none(), "memory answers");
}

#[tokio::test]
async fn passing_trouble_is_tried_again() {
    let mut wire = Wire::new();
    let credential = make(&wire, ADDRESS).expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.answer(503, "");
        let question = wire.next().await;
        check_question(&question);
        question.answer(200, format!(r#"{{"oidcToken":"{ASSERTION}"}}"#));
        wire.next().await.answer_token("token", 3600);
    });
    token.expect("a token");
}

#[tokio::test]
async fn refusals_say_what_to_do_and_show_nothing_secret() {
    let html = ("content-type", "text/html; charset=utf-8");
    let json = ("content-type", "application/json");
    let says_token = format!(r#"{{"message":"VS403: the token {SYSTEM_TOKEN} and {ASSERTION}"}}"#);
    let not_quoted = format!(r#"{{"oidcToken":"{ASSERTION}"}}"#);
    for (status, header, body, says) in [
        (
            302,
            ("location", "https://spsprodeus.example/_signin"),
            String::new(),
            &["HTTP 302", "sign-in page", "$(System.AccessToken)"][..],
        ),
        (
            203,
            html,
            "<html>pl4nted</html>".into(),
            &["HTTP 203", "sign-in page", "text/html"],
        ),
        (
            200,
            html,
            "<html>pl4nted</html>".into(),
            &["HTTP 200", "sign-in page"],
        ),
        (
            401,
            json,
            says_token,
            &["HTTP 401", "refused", "VS403: the token *** and ***"],
        ),
        (
            403,
            json,
            String::new(),
            &["HTTP 403", "an empty body", "refused"],
        ),
        (
            404,
            json,
            r#"{"message":"no such connection"}"#.into(),
            &["HTTP 404", "no such connection", "service connection id"],
        ),
        (
            200,
            json,
            r#"{"oidcToken":null}"#.into(),
            &["HTTP 200", "check the service connection"],
        ),
        (200, json, "[]".into(), &["HTTP 200"]),
        (201, json, not_quoted, &["HTTP 201"]),
        (
            200,
            json,
            r#"{"oidcToken":""}"#.into(),
            &["is empty", "Azure Pipelines"],
        ),
        (
            200,
            json,
            r#"{"oidcToken":"pl4nted pl4nted"}"#.into(),
            &["spaces", "Azure Pipelines"],
        ),
    ] {
        let (log, _collecting) = Log::start();
        let mut wire = Wire::new();
        let credential = make(&wire, ADDRESS).expect("a valid configuration");
        let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
            let ids = [
                header,
                ("x-vss-e2eid", "11111111-2222-3333-4444-555555555555"),
                (
                    "x-msedge-ref",
                    "Ref A: 0F1 Ref B: pl4nted-system-access-token",
                ),
            ];
            wire.next().await.answer_with(status, &ids, body);
        });
        let error = expect_error(result, FailureKind::AuthenticationFailed, says);
        assert!(!error.message().contains("eyJ"), "{error}");
        if !error.message().contains("it came from") {
            assert!(
                error.message().contains("x-vss-e2eid \"11111111-2222"),
                "{error}"
            );
            assert!(error.message().contains("Ref A: 0F1 Ref B: ***"), "{error}");
        }
        assert!(wire.try_next().is_none(), "nothing is followed");
        let lines = log.lines().concat();
        assert!(
            !lines.contains("pl4nted") && !lines.contains("eyJ"),
            "{lines}"
        );
    }
}

#[tokio::test]
async fn outside_of_a_job_it_is_unavailable() {
    let mut wire = Wire::new();
    let credential = make(&wire, "").expect("can be made everywhere");
    let error = expect_error(
        credential.get_token(&[SCOPE], None).await,
        FailureKind::Unavailable,
        &["SYSTEM_OIDCREQUESTURI"],
    );
    assert_eq!(error.credential(), Some("azure-pipelines"));
    assert!(wire.try_next().is_none());
}

#[test]
fn the_jobs_token_does_not_travel_in_the_clear() {
    let wire = Wire::new();
    make(&wire, "http://127.0.0.1:8080/oidc").expect("this machine");
    for address in [
        "http://dev.azure.example/",
        "https://u:pl4nted@dev.azure.example",
        "x",
    ] {
        expect_error(
            make(&wire, address),
            FailureKind::Configuration,
            &["SYSTEM_OIDCREQUESTURI"],
        );
    }
}

#[test]
fn the_constructor_checks_its_arguments() {
    let make = |tenant: &str, client: &str, connection: &str, token: &'static str| {
        AzurePipelinesCredential::new(
            tenant.into(),
            client.into(),
            connection,
            token,
            Some(AzurePipelinesCredentialOptions {
                credential_options: ClientAssertionCredentialOptions::default(),
            }),
        )
    };
    let made = make(TENANT, CLIENT, CONNECTION, SYSTEM_TOKEN).expect("a valid configuration");
    let shown = format!("{made:?}");
    assert!(!shown.contains("pl4nted"), "{shown}");
    for (result, says) in [
        (make("", CLIENT, CONNECTION, SYSTEM_TOKEN), "tenant"),
        (make("a b", CLIENT, CONNECTION, SYSTEM_TOKEN), "tenant"),
        (make(TENANT, "", CONNECTION, SYSTEM_TOKEN), "client id"),
        (
            make(TENANT, CLIENT, " ", SYSTEM_TOKEN),
            "service connection id",
        ),
        (
            make(TENANT, CLIENT, CONNECTION, ""),
            "system access token is empty",
        ),
        (
            make(TENANT, CLIENT, CONNECTION, "$(System.AccessToken)"),
            "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
        ),
        (
            make(TENANT, CLIENT, CONNECTION, "pl4nted\nx"),
            "line breaks",
        ),
    ] {
        let error = expect_error(result, FailureKind::Configuration, &[says]);
        assert_eq!(error.credential(), Some("azure-pipelines"));
    }
}
