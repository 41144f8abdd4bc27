//! Tokens are renewed beside their users, and a failed renewal costs nobody anything while the old token is valid.

use azidentity::{Credential, FailureKind};
use azure_core::credentials::TokenCredential;
use futures::FutureExt;

use crate::support::{Exchange, Held, SCOPE, expect_error, token_json};

impl Held {
    /// Fills the cache: a token that lives an hour and is to be renewed after half of it.
    async fn filled() -> Self {
        let mut held = Self::new();
        let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
            let request = held.wire.next().await;
            request.answer(200, token_json("AT-1", 3600, Some(1800)));
        });
        token.expect("a token");
        held
    }

    /// A call that must not wait.
    fn at_once(&self) -> String {
        let token = self.credential.get_token(&[SCOPE], None).now_or_never();
        token
            .expect("no wait")
            .expect("a token")
            .token
            .secret()
            .to_owned()
    }

    /// Lets background tasks run until nothing more happens.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    /// Takes the request that a background renewal sends, once it is due.
    async fn renewal(&mut self) -> Exchange {
        self.wire.next().await
    }
}

const REFUSED: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired"}"#;

#[tokio::test]
async fn a_due_renewal_delays_nobody_and_happens_once() {
    let mut held = Held::filled().await;
    held.advance(1799);
    assert_eq!(held.at_once(), "AT-1");
    held.settle().await;
    assert!(held.wire.try_next().is_none(), "not due yet");

    held.advance(1);
    for _ in 0..100 {
        assert_eq!(held.at_once(), "AT-1");
    }
    let renewal = held.renewal().await;
    held.settle().await;
    assert!(held.wire.try_next().is_none(), "one renewal is enough");
    assert_eq!(held.at_once(), "AT-1", "while the renewal is under way");

    renewal.answer_token("AT-2", 3600);
    held.settle().await;
    assert_eq!(held.at_once(), "AT-2");
}

#[tokio::test]
async fn a_failed_renewal_rests_for_half_a_minute() {
    let mut held = Held::filled().await;
    held.advance(1800);
    assert_eq!(held.at_once(), "AT-1");
    held.renewal().await.answer(401, REFUSED);
    held.settle().await;

    held.advance(29);
    assert_eq!(held.at_once(), "AT-1");
    held.settle().await;
    assert!(held.wire.try_next().is_none(), "within the pause");

    held.advance(1);
    assert_eq!(held.at_once(), "AT-1");
    held.renewal().await.answer_token("AT-2", 3600);
    held.settle().await;
    assert_eq!(held.at_once(), "AT-2");
}

#[tokio::test]
async fn a_token_without_renewal_time_is_renewed_five_minutes_before_its_end() {
    let mut held = Held::new();
    let (_, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-1", 3600);
    });
    held.advance(3299);
    assert_eq!(held.at_once(), "AT-1");
    held.settle().await;
    assert!(held.wire.try_next().is_none());
    held.advance(1);
    assert_eq!(held.at_once(), "AT-1");
    held.renewal().await.answer_token("AT-2", 3600);
}

#[tokio::test]
async fn with_a_minute_left_callers_wait_but_fall_back_to_the_valid_token() {
    let mut held = Held::filled().await;
    held.advance(3540);
    let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer(401, REFUSED);
    });
    assert_eq!(token.expect("still valid").token.secret(), "AT-1");
    assert_eq!(held.at_once(), "AT-1", "no further try within the pause");
    assert!(held.wire.try_next().is_none());

    held.advance(30);
    let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-2", 3600);
    });
    assert_eq!(token.expect("a token").token.secret(), "AT-2");
}

#[tokio::test]
async fn an_expired_token_is_never_handed_out() {
    let mut held = Held::filled().await;
    held.advance(3600);
    assert!(held.credential.cached(&[SCOPE], None).is_none());
    let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer(401, REFUSED);
    });
    expect_error(
        token,
        FailureKind::AuthenticationFailed,
        &["AADSTS7000222", "expired"],
    );
}

#[tokio::test]
async fn short_lived_tokens_are_not_renewed_without_end() {
    let mut held = Held::new();
    let (_, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-1", 200);
    });
    for _ in 0..29 {
        assert_eq!(held.at_once(), "AT-1");
        held.settle().await;
        held.advance(1);
    }
    assert!(
        held.wire.try_next().is_none(),
        "at least half a minute between requests"
    );
    held.advance(1);
    assert_eq!(held.at_once(), "AT-1");
    held.renewal().await.answer_token("AT-2", 200);
}

#[tokio::test]
async fn cached_starts_the_renewal_too_and_never_sends_by_itself() {
    let mut held = Held::filled().await;
    assert!(
        held.credential
            .cached(&["https://other.example/.default"], None)
            .is_none()
    );
    held.settle().await;
    assert!(held.wire.try_next().is_none());
    held.advance(1800);
    assert_eq!(
        held.credential
            .cached(&[SCOPE], None)
            .expect("a token")
            .token(),
        "AT-1"
    );
    held.renewal().await.answer_token("AT-2", 3600);
    held.settle().await;
    assert_eq!(
        held.credential
            .cached(&[SCOPE], None)
            .expect("a token")
            .token(),
        "AT-2"
    );
}

#[tokio::test]
async fn dropping_the_credential_cancels_its_renewal() {
    let mut held = Held::filled().await;
    held.advance(1800);
    assert_eq!(held.at_once(), "AT-1");
    let renewal = held.renewal().await;
    drop(held.credential);
    while !renewal.is_abandoned() {
        tokio::task::yield_now().await;
    }
}
