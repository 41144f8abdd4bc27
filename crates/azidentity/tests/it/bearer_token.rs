//! A token's text without arguments, for other SDKs.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use azidentity::{Credential, FailureKind, bearer_token_provider};
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use futures::FutureExt;

use crate::support::{Held, OTHER_SCOPE, SCOPE, START, expect_error};

/// How another SDK would keep it.
type Callback = Box<dyn Fn() -> Text + Send + Sync>;
type Text = Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send>>;

#[tokio::test]
async fn the_bare_text_comes_from_the_credentials_own_memory() {
    let mut held = Held::new();
    let tokens = bearer_token_provider(held.credential.clone(), &[SCOPE]).expect("a provider");
    assert!(held.wire.try_next().is_none(), "nothing is sent yet");
    let (token, ()) = futures::join!(tokens.token(), async {
        let request = held.wire.next().await;
        assert_eq!(request.form["scope"], SCOPE);
        request.answer_token("AT-1", 3600);
    });
    assert_eq!(token.expect("a token").secret(), "AT-1");

    let again = tokens.access_token().now_or_never().expect("no wait");
    assert_eq!(
        again.expect("a token").expires_on.unix_timestamp(),
        START + 3600
    );
    let callback: Callback = Box::new(tokens.clone().into_fn());
    assert_eq!(
        callback()
            .now_or_never()
            .expect("no wait")
            .expect("a token"),
        "AT-1"
    );
    assert!(held.wire.try_next().is_none());

    held.advance(3600);
    let (token, ()) = futures::join!(callback(), async {
        held.wire.next().await.answer_token("AT-2", 3600);
    });
    assert_eq!(token.expect("a token"), "AT-2");
}

#[tokio::test]
async fn a_failed_renewal_is_not_the_callers_matter() {
    let mut held = Held::new();
    let tokens = bearer_token_provider(held.credential.clone(), &[SCOPE]).expect("a provider");
    let (token, ()) = futures::join!(tokens.token(), async {
        held.wire.next().await.answer_token("AT-1", 3600);
    });
    token.expect("a token");
    held.advance(3540);
    let (token, ()) = futures::join!(tokens.token(), async {
        held.wire
            .next()
            .await
            .answer(401, r#"{"error":"invalid_client"}"#);
    });
    assert_eq!(token.expect("still valid").secret(), "AT-1");

    held.advance(60);
    let (token, ()) = futures::join!(tokens.token(), async {
        held.wire
            .next()
            .await
            .answer(401, r#"{"error":"invalid_client"}"#);
    });
    expect_error(token, FailureKind::AuthenticationFailed, &[]);
}

/// A credential that nobody here wrote: says what it was asked for.
#[derive(Debug)]
struct Foreign;

#[async_trait]
impl TokenCredential for Foreign {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert!(options.is_none());
        Ok(AccessToken::new(
            scopes.join(" and "),
            OffsetDateTime::UNIX_EPOCH,
        ))
    }
}

#[tokio::test]
async fn every_kind_of_credential_will_do() {
    let tokens =
        bearer_token_provider(Arc::new(Foreign), &[SCOPE, OTHER_SCOPE]).expect("a provider");
    assert_eq!(
        tokens.token().await.expect("a token").secret(),
        format!("{SCOPE} and {OTHER_SCOPE}")
    );
    let ours: Arc<dyn Credential> = Held::new().credential;
    bearer_token_provider(ours, &[SCOPE]).expect("a provider");
}

#[test]
fn scopes_are_checked_at_once() {
    for scopes in [&[][..], &[""], &["two scopes"]] {
        expect_error(
            bearer_token_provider(Arc::new(Foreign), scopes),
            FailureKind::Configuration,
            &["scope"],
        );
    }
}

#[test]
fn debug_shows_no_secret() {
    let tokens = bearer_token_provider(Held::new().credential, &[SCOPE]).expect("a provider");
    let shown = format!("{tokens:?}");
    assert!(
        shown.contains(SCOPE) && !shown.contains("pl4nted"),
        "{shown}"
    );
}

#[cfg(feature = "blocking")]
mod without_async {
    use azidentity::blocking::{self, bearer_token_provider};
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn the_bare_text_comes_from_the_credentials_own_memory() {
        let mut held = Held::new();
        let tokens = bearer_token_provider(held.credential.clone(), &[SCOPE]).expect("a provider");
        let caller = tokens.clone();
        let caller = std::thread::spawn(move || caller.token());
        block_on(held.wire.next()).answer_token("AT-1", 3600);
        let token = caller.join().expect("no panic").expect("a token");
        assert_eq!(token.secret(), "AT-1");

        let again = tokens.access_token().expect("a token");
        assert_eq!(again.expires_on.unix_timestamp(), START + 3600);
        let callback: Box<dyn Fn() -> azure_core::Result<String> + Send + Sync> =
            Box::new(tokens.into_fn());
        assert_eq!(callback().expect("a token"), "AT-1");
        assert!(held.wire.try_next().is_none());
    }

    #[test]
    fn every_kind_of_credential_will_do() {
        let foreign = blocking::Credential::foreign("theirs", Arc::new(Foreign));
        let tokens = bearer_token_provider(foreign.clone(), &[SCOPE]).expect("a provider");
        assert_eq!(tokens.token().expect("a token").secret(), SCOPE);
        for scopes in [&[][..], &["two scopes"]] {
            expect_error(
                bearer_token_provider(foreign.clone(), scopes),
                FailureKind::Configuration,
                &["scope"],
            );
        }
    }
}
