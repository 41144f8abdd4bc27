//! Whatever is wrong with what callers, users and servers say gets an error that names it, and loses no secret.

use std::time::Duration;

use azidentity::{
    ClientSecretCredential, Environment, FailureKind, ManagedIdentityCredential, ManualClock,
    TokenRequestOptions, UserAssignedId,
};
use azure_core::{
    Bytes,
    credentials::TokenCredential,
    error::ErrorKind,
    http::{ClientOptions, UserAgentOptions},
};

use crate::{
    logging::Log,
    support::{CLIENT, Exchange, Held, SCOPE, SECRET, START, TENANT, Wire, expect_error},
};

#[tokio::test]
async fn scopes() {
    let mut held = Held::new();
    for (scopes, says) in [
        (&[][..], "no scope"),
        (&[""], "empty"),
        (
            &["https://vault.azure.net/.default https://graph.microsoft.com/.default"],
            "' '",
        ),
        (&["say \"cheese\""], "cheese"),
        (&["new\nline"], "new\\nline"),
        (&[SCOPE, "ünicode"], "ünicode"),
    ] {
        let result = held.credential.get_token(scopes, None).await;
        expect_error(result, FailureKind::Configuration, &[says]);
    }
    assert!(held.wire.try_next().is_none());
}

#[test]
fn constructor_arguments() {
    let build = |tenant: &str, client: &str, secret: &str| {
        ClientSecretCredential::new(tenant, client.into(), secret.to_owned().into(), None)
    };
    for (tenant, client, secret, says) in [
        ("contoso/../evil", CLIENT, SECRET, "contoso/../evil"),
        ("..", CLIENT, SECRET, "neither letter nor digit"),
        ("", CLIENT, SECRET, "tenant is empty"),
        ("a b", CLIENT, SECRET, "\"a b\""),
        (TENANT, "", SECRET, "client id is empty"),
        (TENANT, " ", SECRET, "client id is empty"),
        (TENANT, CLIENT, "", "client secret is empty"),
    ] {
        expect_error(
            build(tenant, client, secret),
            FailureKind::Configuration,
            &[says],
        );
    }
    for (host, says) in [
        ("http://login.example", "https"),
        (
            "https://pl4nted:pl4nted@login.example",
            "user name or password",
        ),
        ("https://login.example?tenant=x", "query"),
        ("https://login example", "no URL"),
    ] {
        let built = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
            .authority_host(host)
            .build();
        expect_error(built, FailureKind::Configuration, &[says, "authority host"]);
    }
    let built = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .environment(
            Environment::builder()
                .variable("AZURE_AUTHORITY_HOST", "http://login.example")
                .build(),
        )
        .build();
    expect_error(
        built,
        FailureKind::Configuration,
        &["AZURE_AUTHORITY_HOST", "http://login.example"],
    );
}

#[test]
fn application_ids_that_azure_core_would_panic_about() {
    for id in [
        "much too long to be an application id",
        "no spaces",
        "no/slash",
    ] {
        let options = ClientOptions {
            user_agent: UserAgentOptions {
                application_id: Some(id.into()),
            },
            ..Default::default()
        };
        let built = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
            .client_options(options)
            .build();
        expect_error(built, FailureKind::Configuration, &[id]);
    }
}

#[tokio::test]
async fn requested_tenants_and_claims() {
    let mut held = Held::new();
    let ask = |tenant_id: Option<&str>, claims: Option<&str>| {
        held.credential.get_token(
            &[SCOPE],
            Some(
                TokenRequestOptions {
                    tenant_id: tenant_id.map(Into::into),
                    claims: claims.map(Into::into),
                    ..Default::default()
                }
                .into(),
            ),
        )
    };
    expect_error(
        ask(Some("other.example"), None).await,
        FailureKind::AuthenticationFailed,
        &["other.example", "additionally_allowed_tenants"],
    );
    expect_error(
        ask(Some("a/b"), None).await,
        FailureKind::Configuration,
        &["a/b"],
    );
    expect_error(
        ask(None, Some("nonsense")).await,
        FailureKind::Configuration,
        &["claims"],
    );
    assert!(held.wire.try_next().is_none());
}

#[test]
fn managed_identity_settings() {
    let build = |variables: &[(&str, &str)], id: Option<UserAssignedId>| {
        let mut builder = ManagedIdentityCredential::builder().environment(
            Environment::builder()
                .variables(variables.iter().copied())
                .build(),
        );
        if let Some(id) = id {
            builder = builder.user_assigned_id(id);
        }
        builder.build()
    };
    for endpoint in ["not a url", "localhost:8080/msi", "ftp://x/", "/msi/token"] {
        let built = build(
            &[
                ("IDENTITY_ENDPOINT", endpoint),
                ("IDENTITY_HEADER", "pl4nted"),
            ],
            None,
        );
        expect_error(
            built,
            FailureKind::Configuration,
            &["IDENTITY_ENDPOINT", endpoint],
        );
    }
    let built = build(
        &[
            ("IDENTITY_ENDPOINT", "http://x/"),
            ("IDENTITY_HEADER", "pl4nted\n"),
        ],
        None,
    );
    expect_error(built, FailureKind::Configuration, &["IDENTITY_HEADER"]);
    let built = build(&[("IDENTITY_ENDPOINT", "http://x/")], None);
    expect_error(
        built,
        FailureKind::Unavailable,
        &["IDENTITY_HEADER", "IMDS_ENDPOINT"],
    );
    let built = build(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "nonsense")], None);
    expect_error(
        built,
        FailureKind::Configuration,
        &["AZURE_POD_IDENTITY_AUTHORITY_HOST"],
    );
    let built = build(&[], Some(UserAssignedId::ClientId(String::new())));
    expect_error(built, FailureKind::Configuration, &["client id", "empty"]);
}

/// What a token endpoint may answer, and what the caller is told.
#[tokio::test]
async fn answers_that_are_no_token() {
    let refusal = format!(
        r#"{{"error":"invalid_client","error_description":"AADSTS7000215: bad {SECRET} and pl4nted~Sec\r\nTrace ID: x","error_codes":[7000215],"correlation_id":"0f3c2f8e-0001-4000-8000-00000000c0de"}}"#
    );
    let failed = FailureKind::AuthenticationFailed;
    for (status, kind, body, says) in [
        (
            200,
            "text/html",
            "<html>Sign in to the hotel's network</html>",
            &["text/html", "no token answer"][..],
        ),
        (
            200,
            "application/json",
            r#"{"access_token":"pl4nted"#,
            &["no token answer"],
        ),
        (200, "application/json", "", &["an empty body"]),
        (200, "application/json", "[]", &["no token answer"]),
        (200, "application/json", "null", &["no token answer"]),
        (
            200,
            "application/json",
            r#"{"token_type":"Bearer","expires_in":3600}"#,
            &["without a usable access_token"],
        ),
        (
            200,
            "application/json",
            r#"{"access_token":"","expires_in":3600}"#,
            &["without a usable access_token"],
        ),
        (
            200,
            "application/json",
            r#"{"access_token":"pl4nted"}"#,
            &["without an expires_in"],
        ),
        (
            200,
            "application/json",
            r#"{"access_token":"pl4nted","expires_in":-5}"#,
            &["expired 5 seconds ago"],
        ),
        (
            200,
            "application/json",
            r#"{"access_token":"pl4nted","expires_in":"soon"}"#,
            &["expires_in is no number"],
        ),
        (
            200,
            "application/json",
            r#"{"access_token":{"x":1},"expires_in":3600}"#,
            &["no token answer"],
        ),
        (302, "text/html", "", &["redirect", "not followed"]),
        (
            404,
            "application/json",
            r#"{"access_token":"pl4nted","expires_in":3600}"#,
            &["HTTP 404"],
        ),
        (
            401,
            "application/json",
            &refusal,
            &["AADSTS7000215", "***", "invalid_client"],
        ),
        (
            400,
            "application/json",
            r#"{"error":{"odd":"shape"}}"#,
            &["HTTP 400"],
        ),
    ] {
        let mut held = Held::with_clock(ManualClock::skipping(START));
        let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
            let request = held.wire.next().await;
            let kind: &'static str = match kind {
                "text/html" => "text/html",
                _ => "application/json",
            };
            request.answer_with(status, &[("content-type", kind)], body.into());
        });
        let error = expect_error(result, failed, says);
        assert_eq!(error.credential(), Some("client-secret"));
        assert!(
            held.wire.try_next().is_none(),
            "no retry after {status} {body}"
        );
    }
}

/// Whatever header a server repeats a secret in, neither the error nor the log shows it.
#[tokio::test]
async fn headers_that_repeat_the_secret() {
    for name in [
        "content-type",
        "etag",
        "server",
        "traceparent",
        "x-ms-request-id",
        "www-authenticate",
    ] {
        let (log, _guard) = Log::start();
        let mut held = Held::with_clock(ManualClock::skipping(START));
        let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
            let request = held.wire.next().await;
            request.answer_with(400, &[(name, SECRET)], "x".into());
        });
        expect_error(
            result,
            FailureKind::AuthenticationFailed,
            &["HTTP 400 and 1 bytes of"],
        );
        let lines = log.lines();
        assert!(
            lines.iter().any(|line| line.contains("Response")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn tokens_that_no_header_can_carry() {
    for token in [r"AT\r\nX-Evil: 1", "A B", r"\u001b[2J", r"\u00c4"] {
        let mut held = Held::new();
        let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
            let body = format!(r#"{{"access_token":"{token}","expires_in":3600}}"#);
            held.wire.next().await.answer(200, body);
        });
        expect_error(
            result,
            FailureKind::AuthenticationFailed,
            &["usable access_token"],
        );
    }
}

#[tokio::test]
async fn more_error_codes_than_anybody_reads() {
    let mut held = Held::new();
    let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        let codes = vec!["7000215"; 100_000].join(",");
        let body = format!(r#"{{"error":"invalid_client","error_codes":[{codes}]}}"#);
        held.wire.next().await.answer(401, body);
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["AADSTS7000215"],
    );
    assert!(error.message().len() < 1000, "{}", error.message().len());
}

#[tokio::test]
async fn numbers_as_text_are_fine() {
    let mut held = Held::new();
    let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        let request = held.wire.next().await;
        request.answer(
            200,
            r#"{"access_token":"AT","expires_in":"3600","refresh_in":"1800"}"#,
        );
    });
    let token = result.expect("a token");
    assert_eq!(token.expires_on.unix_timestamp(), START + 3600);
}

#[tokio::test]
async fn lifetimes_beyond_every_calendar_are_cut() {
    let mut held = Held::new();
    let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        let request = held.wire.next().await;
        request.answer(200, r#"{"access_token":"AT","expires_in":1e300}"#);
    });
    assert_eq!(result.expect("a token").expires_on.year(), 9999);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let mut held = Held::with_clock(ManualClock::skipping(START));
    let megabyte = Bytes::from(vec![b' '; 1024 * 1024]);
    let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire
            .next()
            .await
            .answer_in_chunks(vec![megabyte; 10], true);
    });
    expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["more than 4 MiB"],
    );
    assert!(held.wire.try_next().is_none(), "no retry");
}

#[tokio::test]
async fn an_answer_that_stalls_after_its_headers_is_given_up() {
    let mut held = Held::new();
    let clock = held.clock.clone();
    let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        // After three tries of a minute each, it is too late for another.
        for _ in 0..3 {
            let request = next_moving(&mut held.wire, &clock).await;
            request.answer_in_chunks(vec![Bytes::from_static(b"{\"access_token\":")], false);
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(60));
        }
    });
    expect_error(
        result,
        FailureKind::Transport,
        &["within 60 seconds", "https://login.microsoftonline.com"],
    );
}

/// The next request, moving the clock while a retry waits.
async fn next_moving(wire: &mut Wire, clock: &ManualClock) -> Exchange {
    loop {
        if let Some(request) = wire.try_next() {
            return request;
        }
        clock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_transports_own_errors_are_retried_only_where_that_can_help() {
    for (kind, tries) in [
        (ErrorKind::Io, 4),
        (ErrorKind::Connection, 4),
        (ErrorKind::Other, 1),
    ] {
        let mut held = Held::with_clock(ManualClock::skipping(START));
        let (result, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
            for _ in 0..tries {
                held.wire
                    .next()
                    .await
                    .fail(kind.clone(), "the cable is cut");
            }
        });
        expect_error(
            result,
            FailureKind::Transport,
            &["the cable is cut", "login.microsoftonline.com"],
        );
        assert!(held.wire.try_next().is_none());
    }
}
