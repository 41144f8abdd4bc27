//! Chains of credentials, ours and others'.

use std::sync::Arc;

use async_trait::async_trait;
use azidentity::{
    ChainMember, ChainedTokenCredential, Credential, Environment, EnvironmentCredential,
    FailureKind, TokenRequestOptions,
};
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions as CoreOptions},
    error::ErrorKind,
    time::{Duration, OffsetDateTime},
};

use crate::support::{Held, SCOPE, expect_error};

/// A credential that nobody here wrote: gives a token, or fails in its own way.
#[derive(Debug)]
struct Foreign(Option<&'static str>);

#[async_trait]
impl TokenCredential for Foreign {
    async fn get_token(
        &self,
        _scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let options = options.unwrap_or_default();
        let tenant =
            TokenRequestOptions::find(&options).and_then(|options| options.tenant_id.clone());
        match self.0 {
            Some(message) => Err(azure_core::Error::with_message(
                ErrorKind::Credential,
                message,
            )),
            None => Ok(AccessToken::new(
                format!("foreign for {}", tenant.as_deref().unwrap_or("nobody")),
                OffsetDateTime::now_utc() + Duration::hours(1),
            )),
        }
    }
}

/// Somebody's wrapper around one of ours, whose error says "unavailable" somewhere inside.
#[derive(Debug)]
struct Wrapper(Arc<EnvironmentCredential>);
#[async_trait]
impl TokenCredential for Wrapper {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.0
            .get_token(scopes, options)
            .await
            .map_err(|error| error.with_context("wrapped"))
    }
}

fn unavailable() -> ChainMember {
    EnvironmentCredential::builder()
        .environment(Environment::builder().build())
        .build()
        .expect("can always be made")
        .into()
}

fn foreign(message: Option<&'static str>) -> ChainMember {
    ChainMember::foreign("foreign", Arc::new(Foreign(message)))
}

#[tokio::test]
async fn the_first_member_with_a_token_wins_and_options_pass_through() {
    let chain = ChainedTokenCredential::new(vec![unavailable(), foreign(None)]).expect("a chain");
    let options = TokenRequestOptions {
        tenant_id: Some("fabrikam.example".into()),
        ..Default::default()
    };
    let info = chain
        .get_token_info(&[SCOPE], Some(options.into()))
        .await
        .expect("a token");
    assert_eq!(
        (info.token(), info.credential()),
        ("foreign for fabrikam.example", "foreign")
    );
}

#[tokio::test]
async fn a_chain_is_walked_from_its_start_each_time() {
    let mut held = Held::new();
    let chain = ChainedTokenCredential::new(vec![unavailable(), held.credential.clone().into()])
        .expect("a chain");
    let (token, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer_token("AT-1", 3600);
    });
    token.expect("a token");
    assert!(
        chain.cached(&[SCOPE], None).is_none(),
        "the first member has its turn again"
    );
    assert_eq!(
        chain
            .get_token(&[SCOPE], None)
            .await
            .expect("a token")
            .token
            .secret(),
        "AT-1"
    );

    let first = ChainedTokenCredential::new(vec![held.credential.clone().into(), foreign(None)])
        .expect("a chain");
    assert_eq!(
        first.cached(&[SCOPE], None).expect("a token").token(),
        "AT-1"
    );
}

#[tokio::test]
async fn a_refusal_stops_the_chain_and_the_report_lists_what_was_tried() {
    let mut held = Held::new();
    let chain = ChainedTokenCredential::new(vec![
        unavailable(),
        held.credential.clone().into(),
        foreign(None),
    ])
    .expect("a chain");
    let (result, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        held.wire.next().await.answer(
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: no"}"#,
        );
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &[
            "client-secret tried and failed",
            "environment: ",
            "AADSTS7000215",
        ],
    );
    let attempts: Vec<_> = error
        .attempts()
        .iter()
        .map(|attempt| (attempt.credential.as_str(), attempt.kind))
        .collect();
    assert_eq!(
        attempts,
        [
            ("environment", Some(FailureKind::Unavailable)),
            ("client-secret", Some(FailureKind::AuthenticationFailed))
        ]
    );
    assert_eq!(
        error.server().expect("the refusal").error_codes,
        [7_000_215]
    );
    assert_eq!(error.credential(), Some("chain"));
}

#[tokio::test]
async fn a_foreign_error_stops_unless_ours_is_in_it() {
    let stops = ChainedTokenCredential::new(vec![foreign(Some("its own words")), foreign(None)])
        .expect("a chain");
    let error = expect_error(
        stops.get_token(&[SCOPE], None).await,
        FailureKind::AuthenticationFailed,
        &["its own words"],
    );
    assert_eq!(error.attempts()[0].kind, None);

    let inner = EnvironmentCredential::builder()
        .environment(Environment::builder().build())
        .build()
        .expect("can always be made");
    let goes_on = ChainedTokenCredential::new(vec![
        ChainMember::foreign("wrapper", Arc::new(Wrapper(inner))),
        foreign(None),
    ])
    .expect("a chain");
    assert_eq!(
        goes_on
            .get_token_info(&[SCOPE], None)
            .await
            .expect("a token")
            .credential(),
        "foreign"
    );
}

#[tokio::test]
async fn nothing_available_and_nothing_asked() {
    let chain = ChainedTokenCredential::new(vec![unavailable(), unavailable()]).expect("a chain");
    let error = expect_error(
        chain.get_token(&[SCOPE], None).await,
        FailureKind::AuthenticationFailed,
        &["none of the credentials"],
    );
    assert_eq!(error.attempts().len(), 2);
    expect_error(
        chain.get_token(&[], None).await,
        FailureKind::Configuration,
        &["scope"],
    );
    expect_error(
        ChainedTokenCredential::new(vec![]),
        FailureKind::Configuration,
        &["at least one"],
    );
}
