//! Applications for the users whose requests they serve.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use azidentity::{
    AssertionFn, Credential, Environment, FailureKind, ManualClock, OnBehalfOfClient,
    OnBehalfOfClientBuilder, OnBehalfOfCredential, OnBehalfOfCredentialBuilder,
    TokenRequestOptions,
};
use azure_core::credentials::TokenCredential;
use futures::future::join_all;

use crate::support::{
    CLIENT, OTHER_SCOPE, SCOPE, SECRET, START, TENANT, Wire, expect_error, token_json,
};

const ALICE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.pl4nted-alice";
const BOB: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib2IifQ.pl4nted-bob";
const REFRESH_TOKEN: &str = "pl4nted-refresh-token-1";

fn builder(wire: &Wire) -> OnBehalfOfCredentialBuilder {
    OnBehalfOfCredential::builder(TENANT, CLIENT, ALICE)
        .client_options(wire.client_options())
        .environment(Environment::builder().build())
}

fn client(wire: &Wire) -> OnBehalfOfClientBuilder {
    OnBehalfOfClient::builder(TENANT, CLIENT)
        .client_secret(SECRET)
        .client_options(wire.client_options())
        .environment(Environment::builder().build())
}

/// An answer that brings a refresh token, too.
fn with_refresh_token(token: &str, refresh_token: &str) -> String {
    let mut answer: serde_json::Value =
        serde_json::from_str(&token_json(token, 3600, None)).unwrap();
    answer["refresh_token"] = refresh_token.into();
    answer.to_string()
}

#[tokio::test]
async fn the_users_token_is_exchanged_once() {
    let mut wire = Wire::new();
    let credential = builder(&wire).client_secret(SECRET).build().unwrap();
    let answer = async {
        let exchange = wire.next().await;
        let form = &exchange.form;
        assert_eq!(
            form["grant_type"],
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        );
        assert_eq!(form["requested_token_use"], "on_behalf_of");
        assert_eq!(form["assertion"], ALICE);
        assert_eq!(form["client_secret"], SECRET);
        assert_eq!(form["client_info"], "1");
        let mut scopes: Vec<&str> = form["scope"].split(' ').collect();
        scopes.sort_unstable();
        assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
        exchange.answer_token("first", 3600);
    };
    let (token, ()) = tokio::join!(credential.get_token(&[SCOPE], None), answer);
    assert_eq!(token.unwrap().token.secret(), "first");
    let again = credential.get_token_info(&[SCOPE], None).await.unwrap();
    assert_eq!(again.token(), "first");
    assert_eq!(again.credential(), "on-behalf-of");
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn the_refresh_token_serves_the_next_requests() {
    let mut wire = Wire::new();
    let credential = builder(&wire).client_secret(SECRET).build().unwrap();
    let answers = async {
        wire.next()
            .await
            .answer(200, with_refresh_token("first", REFRESH_TOKEN));
        let second = wire.next().await;
        assert_eq!(second.form["grant_type"], "refresh_token");
        assert_eq!(second.form["refresh_token"], REFRESH_TOKEN);
        assert!(!second.form.contains_key("assertion"));
        second.answer(200, with_refresh_token("second", "pl4nted-refresh-token-2"));
        let third = wire.next().await;
        assert_eq!(third.form["refresh_token"], "pl4nted-refresh-token-2");
        // Refused: the assertion is good for another try.
        third.answer(400, r#"{"error":"invalid_grant","error_description":"x"}"#);
        let fourth = wire.next().await;
        assert_eq!(fourth.form["assertion"], ALICE);
        fourth.answer_token("third", 3600);
        wire
    };
    let asks = async {
        for (scope, expected) in [
            (SCOPE, "first"),
            (OTHER_SCOPE, "second"),
            ("api://x", "third"),
        ] {
            let token = credential.get_token(&[scope], None).await.unwrap();
            assert_eq!(token.token.secret(), expected);
        }
    };
    let (mut wire, ()) = tokio::join!(answers, asks);
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn users_share_a_client_but_no_token() {
    let mut wire = Wire::new();
    let client = client(&wire).build().unwrap();
    let (alice, bob) = (
        client.for_user(ALICE).unwrap(),
        client.for_user(BOB).unwrap(),
    );
    let answers = async {
        for _ in 0..2 {
            let exchange = wire.next().await;
            let token = if exchange.form["assertion"] == ALICE {
                "alice's"
            } else {
                "bob's"
            };
            exchange.answer_token(token, 3600);
        }
        wire
    };
    let (mut wire, a, b) = tokio::join!(
        answers,
        alice.get_token(&[SCOPE], None),
        bob.get_token(&[SCOPE], None)
    );
    assert_eq!(a.unwrap().token.secret(), "alice's");
    assert_eq!(b.unwrap().token.secret(), "bob's");
    // Another object for the same user finds the token, also with the space that a header leaves.
    let again = client.for_user(format!(" {ALICE}\r\n")).unwrap();
    assert_eq!(again.cached(&[SCOPE], None).unwrap().token(), "alice's");
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn one_user_asks_once_however_many_wait() {
    let mut wire = Wire::new();
    let client = client(&wire).build().unwrap();
    let answers = async {
        wire.next().await.answer_token("shared", 3600);
        wire
    };
    let callers = join_all((0..50).map(|_| {
        let credential = client.for_user(ALICE).unwrap();
        async move { credential.get_token(&[SCOPE], None).await.unwrap() }
    }));
    let (mut wire, tokens) = tokio::join!(answers, callers);
    assert!(tokens.iter().all(|token| token.token.secret() == "shared"));
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn a_bound_keeps_the_tokens_that_live_longest() {
    let mut wire = Wire::new();
    let client = client(&wire)
        .most_cached_tokens(NonZeroUsize::new(8).unwrap())
        .build()
        .unwrap();
    for user in 0..20 {
        let credential = client.for_user(format!("user.{user}.x")).unwrap();
        let answer = async { wire.next().await.answer_token("t", 3600 + user) };
        let (token, ()) = tokio::join!(credential.get_token(&[SCOPE], None), answer);
        token.unwrap();
    }
    let held: Vec<i64> = (0..20)
        .filter(|user| {
            let credential = client.for_user(format!("user.{user}.x")).unwrap();
            credential.cached(&[SCOPE], None).is_some()
        })
        .collect();
    assert!(held.len() <= 8, "{held:?}");
    assert!(held.len() >= 7, "{held:?}");
    assert_eq!(held.last(), Some(&19), "the newest is among them");
    assert!(
        held.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{held:?}"
    );
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_token_that_is_due_is_renewed_for_its_user() {
    let mut wire = Wire::new();
    let clock = Arc::new(ManualClock::new(START));
    let client = client(&wire)
        .environment(Environment::builder().clock(clock.clone()).build())
        .build()
        .unwrap();
    let credential = client.for_user(ALICE).unwrap();
    let answer = async {
        wire.next()
            .await
            .answer(200, with_refresh_token("old", REFRESH_TOKEN));
    };
    let (token, ()) = tokio::join!(credential.get_token(&[SCOPE], None), answer);
    token.unwrap();
    clock.advance(Duration::from_secs(3400));
    let token = credential.get_token(&[SCOPE], None).await.unwrap();
    assert_eq!(token.token.secret(), "old", "it is still good");
    let renewal = wire.next().await;
    assert_eq!(renewal.form["refresh_token"], REFRESH_TOKEN);
    renewal.answer_token("new", 3600);
}

#[tokio::test]
async fn what_the_service_wants_of_the_user_is_passed_on() {
    let mut wire = Wire::new();
    let credential = builder(&wire).client_secret(SECRET).build().unwrap();
    let answer = async {
        let exchange = wire.next().await;
        exchange.answer(
            400,
            format!(
                r#"{{"error":"interaction_required","error_description":"AADSTS50076: for {ALICE}","error_codes":[50076],"claims":"{{\"access_token\":{{}}}}"}}"#
            ),
        );
    };
    let (result, ()) = tokio::join!(credential.get_token(&[SCOPE], None), answer);
    let error = expect_error(result, FailureKind::AuthenticationFailed, &["AADSTS50076"]);
    let server = error.server().unwrap();
    assert_eq!(server.claims.as_deref(), Some(r#"{"access_token":{}}"#));
    assert_eq!(server.error_codes, [50_076]);
}

#[tokio::test]
async fn claims_and_tenants_go_with_the_exchange() {
    let mut wire = Wire::new();
    let credential = builder(&wire)
        .client_assertion(AssertionFn::new(|| async {
            Ok("client.assertion.x".into())
        }))
        .additionally_allowed_tenants(["*"])
        .build()
        .unwrap();
    let options = TokenRequestOptions {
        claims: Some(r#"{"access_token":{"nbf":{"value":"1"}}}"#.into()),
        tenant_id: Some("fabrikam.example".into()),
        enable_cae: false,
    };
    let answer = async {
        let exchange = wire.next().await;
        assert!(exchange.url.path().starts_with("/fabrikam.example/"));
        assert!(exchange.form["claims"].contains("nbf"));
        assert_eq!(exchange.form["client_assertion"], "client.assertion.x");
        exchange.answer_token("t", 3600);
    };
    let (result, ()) = tokio::join!(credential.get_token(&[SCOPE], Some(options.into())), answer);
    result.unwrap();
}

#[test]
fn an_application_proves_itself_in_exactly_one_way() {
    let wire = Wire::new();
    expect_error(
        builder(&wire).build(),
        FailureKind::Configuration,
        &["client_secret", "--assertion-file"],
    );
    let two = builder(&wire)
        .client_secret(SECRET)
        .client_assertion(AssertionFn::new(|| async { Ok(String::new()) }))
        .build();
    expect_error(
        two,
        FailureKind::Configuration,
        &["client_secret and client_assertion"],
    );
    let empty = builder(&wire).client_secret("").build();
    expect_error(empty, FailureKind::Configuration, &["secret is empty"]);
}

#[test]
fn what_can_be_no_user_assertion_is_refused() {
    let wire = Wire::new();
    let client = client(&wire).build().unwrap();
    let long = "x".repeat(64 * 1024 + 1);
    for (bad, says) in [
        ("", "is empty"),
        (" \r\n", "is empty"),
        ("Bearer pl4nted", "without the word Bearer"),
        (long.as_str(), "65537 bytes"),
    ] {
        let error = expect_error(client.for_user(bad), FailureKind::Configuration, &[says]);
        assert_eq!(error.credential(), Some("on-behalf-of"));
        let alone = OnBehalfOfCredential::builder(TENANT, CLIENT, bad)
            .client_secret(SECRET)
            .build();
        expect_error(alone, FailureKind::Configuration, &[says]);
    }
}
