//! What the log says, at which level, and what it never says.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, Once},
};

use azidentity::{
    ChainedTokenCredential, ClientSecretCredential, Credential, DefaultAzureCredential,
    Environment, EnvironmentCredential, ManagedIdentityCredential, ManualClock,
    TokenRequestOptions,
};
use azure_core::credentials::TokenCredential;

use crate::support::{CLIENT, OTHER_SCOPE, SCOPE, SECRET, START, TENANT, Wire, token_json};

thread_local! {
    /// Where this thread's lines go, while a test collects them.
    static COLLECTING: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// Collects the lines of one test, whose runtime lives on the test's own thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

/// Ends the collecting.
pub(crate) struct Collecting;

impl Drop for Collecting {
    fn drop(&mut self) {
        COLLECTING.take();
    }
}

/// Hands each line to the log of the thread that writes it.
struct ToThreadsLog;

impl io::Write for ToThreadsLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        COLLECTING.with_borrow(|log| {
            if let Some(Log(lines)) = log {
                lines.lock().expect("unpoisoned").extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Starts to collect what this thread logs, from the most to the least detailed level.
    ///
    /// One subscriber for the whole process: with one for each test, `tracing` can lose an event that is met for the
    /// first time just when another test starts.
    pub(crate) fn start() -> (Self, Collecting) {
        static SUBSCRIBED: Once = Once::new();
        SUBSCRIBED.call_once(|| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .without_time()
                .with_writer(|| ToThreadsLog)
                .init();
        });
        tracing::callsite::rebuild_interest_cache();
        let log = Self::default();
        COLLECTING.set(Some(log.clone()));
        (log, Collecting)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.lock().expect("unpoisoned")).into_owned();
        for planted in ["pl4nted", "AT-secret", "header-secret"] {
            assert!(!text.contains(planted), "the log shows {planted}: {text}");
        }
        text.lines()
            .map(|line| line.trim_start().to_owned())
            .collect()
    }

    /// Exactly one line at this level of our own crate that holds all of `says`.
    fn expect(&self, level: &str, says: &[&str]) {
        let lines = self.lines();
        let found = lines
            .iter()
            .filter(|line| {
                line.starts_with(level)
                    && line.contains("azidentity")
                    && says.iter().all(|text| line.contains(text))
            })
            .count();
        assert_eq!(found, 1, "{level} {says:?} in {lines:#?}");
    }

    /// No line of our own crate above INFO.
    fn expect_calm(&self) {
        for line in self.lines() {
            assert!(
                !(line.starts_with("WARN") || line.starts_with("ERROR")),
                "{line}"
            );
        }
    }
}

fn credential(wire: &Wire) -> Arc<ClientSecretCredential> {
    ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(wire.client_options())
        .additionally_allowed_tenants(["*"])
        .environment(
            Environment::builder()
                .clock(Arc::new(ManualClock::skipping(START)))
                .build(),
        )
        .build()
        .expect("a valid configuration")
}

const REFUSED: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000215: pl4nted~Secret.Value+For/Tests is wrong"}"#;

#[tokio::test]
async fn success_is_news_and_memory_a_detail() {
    let (log, _guard) = Log::start();
    let mut wire = Wire::new();
    let credential = credential(&wire);
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.answer_token("AT-secret", 3600);
    });
    token.expect("a token");
    log.expect("INFO", &["token acquired", "client-secret"]);
    credential.get_token(&[SCOPE], None).await.expect("a token");
    log.expect("DEBUG", &["token from memory", "client-secret"]);
    log.expect_calm();
}

#[tokio::test]
async fn failure_is_a_warning_without_the_secret() {
    let (log, _guard) = Log::start();
    let mut wire = Wire::new();
    let credential = credential(&wire);
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.answer(401, REFUSED);
    });
    token.expect_err("refused");
    log.expect(
        "WARN",
        &["no token", "AADSTS7000215", "authentication_failed"],
    );
}

#[tokio::test]
async fn inside_a_chain_members_are_details_and_the_chain_is_the_news() {
    let (log, _guard) = Log::start();
    let mut wire = Wire::new();
    let nothing = EnvironmentCredential::builder()
        .environment(Environment::builder().build())
        .build()
        .expect("can always be made");
    let chain = ChainedTokenCredential::new(vec![nothing.into(), credential(&wire).into()])
        .expect("a chain");
    let (token, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        wire.next().await.answer_token("AT-secret", 3600);
    });
    token.expect("a token");
    log.expect(
        "INFO",
        &["token acquired", "chain=\"chain\"", "client-secret"],
    );
    log.expect("DEBUG", &["token acquired", "credential=\"client-secret\""]);
    log.expect("DEBUG", &["no token", "credential=\"environment\""]);
    log.expect_calm();

    let (token, ()) = futures::join!(chain.get_token(&[OTHER_SCOPE], None), async {
        wire.next().await.answer(401, REFUSED);
    });
    token.expect_err("refused");
    log.expect("WARN", &["no token", "client-secret tried and failed"]);
}

#[tokio::test]
async fn a_default_chain_that_succeeds_warns_of_nothing() {
    let (log, _guard) = Log::start();
    let mut wire = Wire::new();
    let chain = DefaultAzureCredential::builder()
        .client_options(wire.client_options())
        .environment(
            Environment::builder()
                .variables([("AZURE_CLIENT_ID", CLIENT), ("AZURE_CLIENT_SECRET", SECRET)])
                .variable("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
                .build(),
        )
        .build()
        .expect("a chain");
    let (token, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        wire.next().await.answer_token("AT-secret", 3600);
    });
    token.expect("a token");
    log.expect(
        "INFO",
        &["incomplete", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"],
    );
    log.expect(
        "INFO",
        &["managed identity endpoint chosen", "client id", CLIENT],
    );
    log.expect(
        "INFO",
        &["token acquired", "chain=\"default\"", "managed-identity"],
    );
    log.expect("DEBUG", &["stays with this credential", "managed-identity"]);
    log.expect_calm();
}

#[test]
fn incomplete_variables_are_a_warning_where_they_were_asked_for() {
    let (log, _guard) = Log::start();
    EnvironmentCredential::builder()
        .environment(
            Environment::builder()
                .variable("AZURE_CLIENT_SECRET", SECRET)
                .build(),
        )
        .build()
        .expect("can always be made");
    log.expect(
        "WARN",
        &["incomplete", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"],
    );
}

#[tokio::test]
async fn the_endpoints_own_secret_and_another_tenant() {
    let (log, _guard) = Log::start();
    let mut wire = Wire::new();
    let identity = ManagedIdentityCredential::builder()
        .client_options(wire.client_options())
        .environment(
            Environment::builder()
                .variables([
                    ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi"),
                    ("IDENTITY_HEADER", "header-secret"),
                ])
                .build(),
        )
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(identity.get_token(&[SCOPE], None), async {
        wire.next()
            .await
            .answer(400, r#"{"message":"header-secret is wrong"}"#);
    });
    token.expect_err("refused");
    log.expect("INFO", &["App Service", "system-assigned"]);

    let credential = credential(&wire);
    let options = TokenRequestOptions {
        tenant_id: Some("fabrikam.example".into()),
        ..Default::default()
    };
    let (token, ()) = futures::join!(
        credential.get_token(&[SCOPE], Some(options.into())),
        async {
            wire.next().await.answer_token("AT-secret", 3600);
        }
    );
    token.expect("a token");
    assert!(
        log.lines()
            .iter()
            .any(|line| line.starts_with("INFO") && line.contains("tenant that the request names"))
    );
}

#[tokio::test]
async fn identifiers_only_for_support() {
    for enabled in [false, true] {
        let (log, _guard) = Log::start();
        let mut wire = Wire::new();
        let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
            .client_options(wire.client_options())
            .enable_support_logging(enabled)
            .build()
            .expect("a valid configuration");
        // {"appid":"the-app","oid":"the-object","secret":"pl4nted"}
        let token = "e30.eyJhcHBpZCI6InRoZS1hcHAiLCJvaWQiOiJ0aGUtb2JqZWN0Iiwic2VjcmV0IjoicGw0bnRlZCJ9.AT-secret";
        let (result, ()) = futures::join!(credential.get_token_info(&[SCOPE], None), async {
            wire.next().await.answer(200, token_json(token, 3600, None));
        });
        result.expect("a token");
        if enabled {
            log.expect(
                "DEBUG",
                &["identifiers", "the-app", "the-object", "upn=\"none\""],
            );
        } else {
            assert!(
                !log.lines()
                    .iter()
                    .any(|line| line.contains("the-app") || line.contains("the-object"))
            );
        }
    }
}
