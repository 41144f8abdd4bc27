//! Callers that need the same token cause one request, and one key never delays another.

use std::sync::Arc;

use azidentity::{Credential, FailureKind, TokenRequestOptions};
use azure_core::credentials::TokenCredential;
use futures::{FutureExt, future::join_all};

use crate::support::{Held, OTHER_SCOPE, SCOPE, expect_error};

const CALLERS: usize = 200;

#[tokio::test]
async fn a_cold_cache_sends_one_request_for_all_callers() {
    let mut held = Held::new();
    let credential = held.credential.clone();
    let callers = join_all((0..CALLERS).map(|_| credential.get_token(&[SCOPE], None)));
    let server = async {
        held.wire.next().await.answer_token("AT-1", 3600);
    };
    let (tokens, ()) = futures::join!(callers, server);
    assert_eq!(tokens.len(), CALLERS);
    for token in tokens {
        assert_eq!(token.expect("a token").token.secret(), "AT-1");
    }
    assert!(held.wire.try_next().is_none(), "one request is enough");
}

#[tokio::test]
async fn all_callers_share_one_failure() {
    let mut held = Held::new();
    let credential = held.credential.clone();
    let callers = join_all((0..CALLERS).map(|_| credential.get_token(&[SCOPE], None)));
    let server = async {
        held.wire.next().await.answer(
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: no","error_codes":[7000215]}"#,
        );
    };
    let (tokens, ()) = futures::join!(callers, server);
    for token in tokens {
        let error = expect_error(token, FailureKind::AuthenticationFailed, &["AADSTS7000215"]);
        assert_eq!(error.server().expect("an answer").error_codes, [7_000_215]);
    }
    assert!(held.wire.try_next().is_none());
    // A failure is shared, not remembered.
    let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-2", 3600);
    });
    assert_eq!(token.expect("a token").token.secret(), "AT-2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_share_one_request_too() {
    for round in 0..50 {
        let mut held = Held::new();
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let credential = held.credential.clone();
                tokio::spawn(async move { credential.get_token(&[SCOPE], None).await })
            })
            .collect();
        held.wire.next().await.answer_token("AT", 3600);
        for caller in callers {
            caller.await.expect("no panic").expect("a token");
        }
        assert!(
            held.wire.try_next().is_none(),
            "round {round}: one request is enough"
        );
    }
}

#[tokio::test]
async fn one_key_never_delays_another() {
    let mut held = Held::new();
    let (_, ()) = futures::join!(held.credential.get_token(&[OTHER_SCOPE], None), async {
        held.wire.next().await.answer_token("AT-B", 3600);
    });

    let hanging = held.credential.get_token(&[SCOPE], None);
    tokio::pin!(hanging);
    assert!(hanging.as_mut().now_or_never().is_none());
    let request_for_a = held.wire.next().await;

    let cached = held
        .credential
        .get_token(&[OTHER_SCOPE], None)
        .now_or_never();
    assert_eq!(
        cached.expect("no wait").expect("a token").token.secret(),
        "AT-B",
        "a read of B while A is fetched"
    );
    let (third, ()) = futures::join!(
        held.credential.get_token(&[SCOPE, OTHER_SCOPE], None),
        async {
            held.wire.next().await.answer_token("AT-C", 3600);
        }
    );
    assert_eq!(
        third.expect("a token").token.secret(),
        "AT-C",
        "a fetch of C while A is fetched"
    );

    request_for_a.answer_token("AT-A", 3600);
    assert_eq!(hanging.await.expect("a token").token.secret(), "AT-A");
}

#[tokio::test]
async fn a_cancelled_caller_changes_nothing_for_the_others() {
    let mut held = Held::new();
    let mut first = held.credential.get_token(&[SCOPE], None);
    assert!((&mut first).now_or_never().is_none());
    let mut second = held.credential.get_token(&[SCOPE], None);
    assert!((&mut second).now_or_never().is_none());
    let request = held.wire.next().await;

    drop(first);
    tokio::task::yield_now().await;
    assert!(!request.is_abandoned());
    request.answer_token("AT-1", 3600);
    assert_eq!(second.await.expect("a token").token.secret(), "AT-1");
    assert!(held.wire.try_next().is_none());
}

#[tokio::test]
async fn the_last_caller_takes_the_request_along() {
    let mut held = Held::new();
    let mut only = held.credential.get_token(&[SCOPE], None);
    assert!((&mut only).now_or_never().is_none());
    let request = held.wire.next().await;
    drop(only);
    while !request.is_abandoned() {
        tokio::task::yield_now().await;
    }

    let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-2", 3600);
    });
    assert_eq!(token.expect("a token").token.secret(), "AT-2");
}

fn with_claims(claims: &str) -> azure_core::credentials::TokenRequestOptions<'static> {
    TokenRequestOptions {
        claims: Some(claims.into()),
        ..Default::default()
    }
    .into()
}

#[tokio::test]
async fn claims_bypass_the_cache_and_are_shared_among_equals() {
    let mut held = Held::new();
    let (_, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-old", 3600);
    });

    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let credential = held.credential.clone();
    let callers =
        join_all((0..10).map(|_| credential.get_token(&[SCOPE], Some(with_claims(claims)))));
    let (tokens, ()) = futures::join!(callers, async {
        let request = held.wire.next().await;
        assert_eq!(request.form.get("claims").map(String::as_str), Some(claims));
        request.answer_token("AT-new", 3600);
    });
    for token in tokens {
        assert_eq!(token.expect("a token").token.secret(), "AT-new");
    }
    let later = held.credential.get_token(&[SCOPE], None).await;
    assert_eq!(
        later.expect("a token").token.secret(),
        "AT-new",
        "it replaced the old one"
    );
    assert!(held.wire.try_next().is_none());
}

#[tokio::test]
async fn what_becomes_of_claims_does_not_touch_the_token_at_hand() {
    let mut held = Held::new();
    let (_, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-1", 3600);
    });
    // One is refused, one is given up.
    let (refused, ()) = futures::join!(
        held.credential
            .get_token(&[SCOPE], Some(with_claims(r#"{"a":1}"#))),
        async {
            held.wire
                .next()
                .await
                .answer(400, r#"{"error":"invalid_grant"}"#);
        }
    );
    refused.expect_err("refused");
    let credential = held.credential.clone();
    let mut given_up = credential.get_token(&[SCOPE], Some(with_claims(r#"{"b":2}"#)));
    assert!((&mut given_up).now_or_never().is_none());
    let request = held.wire.next().await;
    drop(given_up);
    while !request.is_abandoned() {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        held.advance(31);
        let token = held.credential.get_token(&[SCOPE], None).await;
        assert_eq!(token.expect("a token").token.secret(), "AT-1");
        tokio::task::yield_now().await;
        assert!(held.wire.try_next().is_none(), "not due for long");
    }
}

#[tokio::test]
async fn an_older_fetch_does_not_replace_a_newer_token() {
    let mut held = Held::new();
    let mut plain = held.credential.get_token(&[SCOPE], None);
    assert!((&mut plain).now_or_never().is_none());
    let plain_request = held.wire.next().await;
    let (with_claims, ()) = futures::join!(
        held.credential.get_token(&[SCOPE], Some(with_claims("{}"))),
        async {
            held.wire.next().await.answer_token("AT-claims", 3600);
        }
    );
    assert_eq!(with_claims.expect("a token").token.secret(), "AT-claims");
    plain_request.answer_token("AT-plain", 3600);
    plain.await.expect("a token");
    let later = held.credential.get_token(&[SCOPE], None).await;
    assert_eq!(later.expect("a token").token.secret(), "AT-claims");
}

#[tokio::test]
async fn tenants_and_cae_are_kept_apart() {
    let mut held = Held::new();
    let options = |tenant: Option<&str>, enable_cae| {
        Some(
            TokenRequestOptions {
                tenant_id: tenant.map(Into::into),
                enable_cae,
                ..Default::default()
            }
            .into(),
        )
    };
    for (tenant, cae, token) in [
        (None, false, "AT-own"),
        (None, true, "AT-cae"),
        (Some("fabrikam.example"), false, "AT-other"),
    ] {
        let (got, ()) = futures::join!(
            held.credential
                .get_token_info(&[SCOPE], options(tenant, cae)),
            async {
                let request = held.wire.next().await;
                let expected =
                    format!("/{}/oauth2/v2.0/token", tenant.unwrap_or("contoso.example"));
                assert_eq!(request.url.path(), expected);
                assert_eq!(request.form.contains_key("claims"), cae);
                request.answer_token(token, 3600);
            }
        );
        let got = got.expect("a token");
        assert_eq!(
            (got.token(), got.tenant()),
            (token, Some(tenant.unwrap_or("contoso.example")))
        );
    }
    for (tenant, cae, token) in [
        (Some("CONTOSO.example"), false, "AT-own"),
        (None, true, "AT-cae"),
        (Some("fabrikam.example"), false, "AT-other"),
    ] {
        let got = held
            .credential
            .get_token_info(&[SCOPE], options(tenant, cae))
            .await;
        assert_eq!(got.expect("a token").token(), token);
    }
    assert!(held.wire.try_next().is_none());
}

#[tokio::test]
async fn a_panic_in_the_callers_code_is_an_error_for_all() {
    use azure_core::http::{
        ClientOptions, Context, Request,
        policies::{Policy, PolicyResult},
    };

    #[derive(Debug)]
    struct Panics;

    #[allow(elided_lifetimes_in_paths, reason = "as in the trait")]
    #[async_trait::async_trait]
    impl Policy for Panics {
        async fn send(&self, _: &Context, _: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
            panic!("pl4nted secret of a policy")
        }
    }

    let options = ClientOptions {
        per_call_policies: vec![Arc::new(Panics)],
        ..Held::new().wire.client_options()
    };
    let credential = azidentity::ClientSecretCredential::builder("t", "c", "s")
        .client_options(options)
        .build()
        .expect("a valid configuration");
    for result in join_all((0..3).map(|_| credential.get_token(&[SCOPE], None))).await {
        expect_error(result, FailureKind::AuthenticationFailed, &["panicked"]);
    }
}
