//! Users who come back from their sign-in with a code.

use azidentity::{
    AuthorizationCodeCredential, AuthorizationCodeCredentialBuilder, Environment, FailureKind,
};
use azure_core::{credentials::TokenCredential, error::ErrorKind, http::RetryOptions};

use crate::support::{CLIENT, OTHER_SCOPE, SCOPE, SECRET, TENANT, Wire, expect_error, token_json};

const CODE: &str = "pl4nted-authorization-code";
const REDIRECT: &str = "http://localhost:8400/back";
const REFRESH_TOKEN: &str = "pl4nted-refresh-token";

fn builder(wire: &Wire) -> AuthorizationCodeCredentialBuilder {
    AuthorizationCodeCredential::builder(TENANT, CLIENT, CODE, REDIRECT)
        .client_options(wire.client_options())
        .environment(Environment::builder().build())
}

fn with_refresh_token(token: &str) -> String {
    let mut answer: serde_json::Value =
        serde_json::from_str(&token_json(token, 3600, None)).unwrap();
    answer["refresh_token"] = REFRESH_TOKEN.into();
    answer.to_string()
}

#[tokio::test]
async fn the_code_is_redeemed_and_then_the_refresh_token() {
    let mut wire = Wire::new();
    let credential = builder(&wire)
        .code_verifier("pl4nted-verifier")
        .build()
        .unwrap();
    let answers = async {
        let first = wire.next().await;
        assert_eq!(first.form["grant_type"], "authorization_code");
        assert_eq!(first.form["code"], CODE);
        assert_eq!(first.form["redirect_uri"], REDIRECT);
        assert_eq!(first.form["code_verifier"], "pl4nted-verifier");
        assert!(!first.form.contains_key("client_secret"));
        first.answer(200, with_refresh_token("first"));
        let second = wire.next().await;
        assert_eq!(second.form["grant_type"], "refresh_token");
        assert_eq!(second.form["refresh_token"], REFRESH_TOKEN);
        second.answer_token("second", 3600);
        wire
    };
    let asks = async {
        for (scope, expected) in [(SCOPE, "first"), (SCOPE, "first"), (OTHER_SCOPE, "second")] {
            let token = credential.get_token(&[scope], None).await.unwrap();
            assert_eq!(token.token.secret(), expected);
        }
    };
    let (mut wire, ()) = tokio::join!(answers, asks);
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn two_scopes_at_once_need_one_code() {
    let mut wire = Wire::new();
    let credential = builder(&wire).client_secret(SECRET).build().unwrap();
    let answers = async {
        let first = wire.next().await;
        assert_eq!(first.form["code"], CODE);
        assert_eq!(first.form["client_secret"], SECRET);
        assert!(wire.try_next().is_none(), "the other waits");
        first.answer(200, with_refresh_token("t"));
        let second = wire.next().await;
        assert_eq!(second.form["grant_type"], "refresh_token");
        second.answer_token("t", 3600);
    };
    let (scope, other) = ([SCOPE], [OTHER_SCOPE]);
    let (one, two, ()) = tokio::join!(
        credential.get_token(&scope, None),
        credential.get_token(&other, None),
        answers
    );
    assert!(one.is_ok() && two.is_ok());
}

/// Whatever became of the first request: the server may have seen the code.
#[tokio::test]
async fn the_code_is_never_sent_twice() {
    for (retries_of_ours, answer) in [
        (true, None),
        (true, Some(503)),
        (false, None),
        (true, Some(400)),
    ] {
        let mut wire = Wire::new();
        let mut options = wire.client_options();
        if !retries_of_ours {
            options.retry = RetryOptions::fixed(azure_core::http::FixedRetryOptions {
                delay: azure_core::time::Duration::milliseconds(1),
                ..Default::default()
            });
        }
        let credential = builder(&wire).client_options(options).build().unwrap();
        let failing = async {
            let exchange = wire.next().await;
            match answer {
                Some(status) => exchange.answer(
                    status,
                    format!(r#"{{"error":"invalid_grant","error_description":"no {CODE}"}}"#),
                ),
                None => exchange.fail(ErrorKind::Io, "connection reset"),
            }
            wire
        };
        let (result, mut wire) = tokio::join!(credential.get_token(&[SCOPE], None), failing);
        crate::support::typed(&result.unwrap_err());
        assert!(wire.try_next().is_none(), "no second try");
        let again = credential.get_token(&[SCOPE], None).await;
        expect_error(
            again,
            FailureKind::AuthenticationFailed,
            &["used up", "sign in again"],
        );
        assert!(wire.try_next().is_none());
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_the_code_along() {
    let mut wire = Wire::new();
    let credential = builder(&wire).build().unwrap();
    {
        let scopes = [SCOPE];
        let asked = credential.get_token(&scopes, None);
        tokio::pin!(asked);
        tokio::select! {
            _ = &mut asked => panic!("nobody has answered"),
            exchange = wire.next() => assert_eq!(exchange.form["code"], CODE),
        }
    }
    let again = credential.get_token(&[SCOPE], None).await;
    expect_error(again, FailureKind::AuthenticationFailed, &["used up"]);
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_is_forgotten() {
    let mut wire = Wire::new();
    let credential = builder(&wire).build().unwrap();
    let answers = async {
        wire.next().await.answer(200, with_refresh_token("first"));
        let refused = wire.next().await;
        refused.answer(
            400,
            format!(
                r#"{{"error":"invalid_grant","error_description":"AADSTS700082: {REFRESH_TOKEN}"}}"#
            ),
        );
        wire
    };
    let asks = async {
        credential.get_token(&[SCOPE], None).await.unwrap();
        let refused = credential.get_token(&[OTHER_SCOPE], None).await;
        expect_error(
            refused,
            FailureKind::AuthenticationFailed,
            &["AADSTS700082"],
        );
        let none_left = credential.get_token(&[OTHER_SCOPE], None).await;
        expect_error(
            none_left,
            FailureKind::AuthenticationFailed,
            &["offline_access"],
        );
    };
    let (mut wire, ()) = tokio::join!(answers, asks);
    assert!(wire.try_next().is_none());
}

#[test]
fn what_is_empty_is_named() {
    for (code, redirect, says) in [
        ("", REDIRECT, "authorization code"),
        (CODE, " ", "redirect URI"),
    ] {
        let result = AuthorizationCodeCredential::builder(TENANT, CLIENT, code, redirect).build();
        expect_error(result, FailureKind::Configuration, &[says]);
    }
}
