//! Assertions that the application supplies itself.

use std::{
    fs, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use azidentity::{
    AssertionFile, AssertionFn, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, Credential, Environment, FailureKind, IdentityError,
    ManualClock, TokenRequestOptions,
};
use azure_core::{
    credentials::TokenCredential,
    error::ErrorKind,
    http::{ClientMethodOptions, Context},
};

use crate::support::{CLIENT, OTHER_SCOPE, SCOPE, START, TENANT, Wire, expect_error};

pub(crate) const ASSERTION: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbDRudGVkIn0.pl4nted-signature";

/// Counts how often it is asked.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn calls(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Counting {
    async fn secret(
        &self,
        _options: Option<ClientMethodOptions<'_>>,
    ) -> azure_core::Result<String> {
        let calls = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{ASSERTION}{calls}"))
    }
}

fn held<C: ClientAssertion>(
    assertion: C,
    clock: ManualClock,
) -> (Wire, Arc<ManualClock>, Arc<ClientAssertionCredential<C>>) {
    let wire = Wire::new();
    let clock = Arc::new(clock);
    let credential = ClientAssertionCredential::builder(TENANT, CLIENT, assertion)
        .client_options(wire.client_options())
        .environment(Environment::builder().clock(clock.clone()).build())
        .build()
        .expect("a valid configuration");
    (wire, clock, credential)
}

/// The error of a credential whose supplier gives `supplied`; nothing is sent.
async fn refused<C: ClientAssertion>(
    supplier: C,
    kind: FailureKind,
    says: &[&str],
) -> IdentityError {
    let (mut wire, _clock, credential) = held(supplier, ManualClock::new(START));
    let error = expect_error(credential.get_token(&[SCOPE], None).await, kind, says);
    assert_eq!(error.credential(), Some("client-assertion"));
    assert!(wire.try_next().is_none(), "nothing is sent");
    error
}

#[tokio::test]
async fn each_exchange_has_an_assertion_of_its_own_and_memory_needs_none() {
    let supplier = Counting::default();
    let (mut wire, _clock, credential) = held(supplier.clone(), ManualClock::new(START));
    assert_eq!(credential.name(), "client-assertion");
    for (scope, assertion) in [(SCOPE, "0"), (OTHER_SCOPE, "1")] {
        let scopes = [scope];
        let (token, ()) = futures::join!(credential.get_token(&scopes, None), async {
            let exchange = wire.next().await;
            assert_eq!(exchange.method, "POST");
            assert_eq!(
                exchange.url.as_str(),
                format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")
            );
            for (name, value) in [
                ("grant_type", "client_credentials"),
                ("client_id", CLIENT),
                ("scope", scope),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", &format!("{ASSERTION}{assertion}")),
            ] {
                assert_eq!(exchange.form.get(name).map(String::as_str), Some(value));
            }
            assert_eq!(exchange.form.len(), 5);
            exchange.answer_token("token", 3600);
        });
        token.expect("a token");
    }
    credential.get_token(&[SCOPE], None).await.expect("a token");
    assert!(credential.cached(&[OTHER_SCOPE], None).is_some());
    assert_eq!(supplier.calls(), 2);
}

#[tokio::test]
async fn another_try_sends_the_same_assertion() {
    let supplier = Counting::default();
    let (mut wire, _clock, credential) = held(supplier.clone(), ManualClock::skipping(START));
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.answer(503, "{}");
        let second = wire.next().await;
        assert!(second.form["client_assertion"].ends_with('0'));
        second.answer_token("token", 3600);
    });
    token.expect("a token");
    assert_eq!(supplier.calls(), 1);
}

#[tokio::test]
async fn the_context_of_the_request_reaches_the_supplier() {
    #[derive(Debug, Default)]
    struct Listening(Mutex<Option<String>>);

    #[async_trait::async_trait]
    impl ClientAssertion for Listening {
        async fn secret(
            &self,
            options: Option<ClientMethodOptions<'_>>,
        ) -> azure_core::Result<String> {
            let context = options.expect("options").context;
            let ours = context.value::<TokenRequestOptions>().expect("ours");
            assert!(ours.enable_cae);
            *self.0.lock().expect("unpoisoned") = context.value::<String>().cloned();
            Err(io::Error::other("heard").into())
        }
    }

    let (_wire, _clock, credential) = held(Listening::default(), ManualClock::new(START));
    let options = TokenRequestOptions {
        enable_cae: true,
        ..Default::default()
    };
    let context = Context::new()
        .with_value(options)
        .with_value("for the supplier".to_owned());
    let options = azure_core::credentials::TokenRequestOptions {
        method_options: ClientMethodOptions { context },
    };
    expect_error(
        credential.get_token(&[SCOPE], Some(options)).await,
        FailureKind::AuthenticationFailed,
        &["heard"],
    );
}

#[tokio::test]
async fn the_suppliers_error_decides_the_kind() {
    let error = refused(
        AssertionFn::new(|| async {
            Err(azure_core::Error::with_message(
                ErrorKind::Other,
                "the vault is sealed",
            ))
        }),
        FailureKind::AuthenticationFailed,
        &["application's own code", "the vault is sealed"],
    )
    .await;
    let source = std::error::Error::source(&error).expect("the supplier's error");
    assert_eq!(source.to_string(), "the vault is sealed");

    // One of ours speaks for itself.
    let error = refused(
        AssertionFn::new(|| async {
            Err(IdentityError::new(FailureKind::Unavailable, "no smart card; insert one").into())
        }),
        FailureKind::Unavailable,
        &[],
    )
    .await;
    assert_eq!(error.message(), "no smart card; insert one");

    // One with words around it keeps its kind.
    refused(
        AssertionFn::new(|| async {
            Err(azure_core::Error::with_error(
                ErrorKind::Other,
                azure_core::Error::from(IdentityError::new(FailureKind::Configuration, "inner")),
                "outer",
            ))
        }),
        FailureKind::Configuration,
        &["application's own code", "outer"],
    )
    .await;
}

#[tokio::test]
async fn a_credential_inside_the_supplier_does_not_take_the_blame() {
    let error = refused(
        AssertionFn::new(|| async {
            let inner = azidentity::EnvironmentCredential::builder()
                .environment(Environment::builder().build())
                .build()?;
            let token = inner.get_token(&[SCOPE], None).await?;
            Ok(token.token.secret().to_owned())
        }),
        FailureKind::Unavailable,
        &["application's own code", "AZURE_TENANT_ID"],
    )
    .await;
    assert_eq!(error.credential(), Some("client-assertion"));
}

#[tokio::test]
async fn a_panic_is_an_error_without_its_message() {
    refused(
        AssertionFn::new(|| async { panic!("pl4nted") }),
        FailureKind::AuthenticationFailed,
        &["panicked"],
    )
    .await;
}

#[tokio::test]
async fn a_supplier_that_never_returns_is_given_up() {
    let supplier = AssertionFn::new(std::future::pending);
    let (mut wire, clock, credential) = held(supplier, ManualClock::new(START));
    let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert_eq!(clock.sleepers(), 1, "not yet");
        clock.advance(Duration::from_secs(1));
    });
    expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["within 60 seconds", "waits for"],
    );
    assert!(wire.try_next().is_none());
}

#[tokio::test]
async fn what_is_no_assertion_is_not_sent() {
    for (bad, says) in [
        (String::new(), "is empty"),
        (format!("{ASSERTION}\n"), "line breaks"),
        (format!("pl4nted {ASSERTION}"), "spaces"),
        ("pl4nted\0".into(), "characters that no token has"),
        ("x".repeat(64 * 1024 + 1), "65537 bytes"),
    ] {
        let supplier = AssertionFn::new(move || std::future::ready(Ok(bad.clone())));
        refused(supplier, FailureKind::AuthenticationFailed, &[says]).await;
    }
}

#[tokio::test]
async fn a_file_is_read_for_each_exchange() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("assertion.jwt");
    let (mut wire, _clock, credential) = held(AssertionFile::new(&path), ManualClock::new(START));
    for (scope, content, sent) in [
        (SCOPE, format!("{ASSERTION}1\n"), format!("{ASSERTION}1")),
        (
            OTHER_SCOPE,
            format!("\u{feff}{ASSERTION}2\r\n"),
            format!("{ASSERTION}2"),
        ),
    ] {
        fs::write(&path, content).expect("a file");
        let scopes = [scope];
        let (token, ()) = futures::join!(credential.get_token(&scopes, None), async {
            let exchange = wire.next().await;
            assert_eq!(exchange.form["client_assertion"], sent);
            exchange.answer_token("token", 3600);
        });
        token.expect("a token");
    }
    fs::remove_file(&path).expect("it was there");
    let error = expect_error(
        credential
            .get_token(&["https://third.example/.default"], None)
            .await,
        FailureKind::Unavailable,
        &["assertion.jwt", "does not exist"],
    );
    assert!(
        !error.message().contains("application's own code"),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_of_an_assertion_is_shown() {
    let (mut wire, _clock, credential) = held(Counting::default(), ManualClock::new(START));
    let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS700027: bad {ASSERTION}0 and {ASSERTION}"}}"#
        );
        wire.next().await.answer(401, body);
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["AADSTS700027", "***"],
    );
    assert!(!error.message().contains("eyJ"), "{error}");
    let shown = format!("{credential:?}");
    assert!(shown.starts_with("ClientAssertionCredential"), "{shown}");
    assert!(shown.contains(CLIENT) && !shown.contains("eyJ"), "{shown}");
}

#[test]
fn the_constructor_checks_its_arguments() {
    let make = |tenant: &str, client: &str| {
        let options = ClientAssertionCredentialOptions::default();
        let supplier = Counting::default();
        ClientAssertionCredential::new(tenant.into(), client.into(), supplier, Some(options))
    };
    make(TENANT, CLIENT).expect("a valid configuration");
    expect_error(make("", CLIENT), FailureKind::Configuration, &["tenant"]);
    expect_error(make("a b", CLIENT), FailureKind::Configuration, &["tenant"]);
    expect_error(
        make(TENANT, " "),
        FailureKind::Configuration,
        &["client id"],
    );
}
