//! Credentials without `async`, called from every kind of place.

use std::{
    sync::{Arc, Mutex, mpsc},
    thread::{self, ThreadId},
    time::Duration,
};

use async_trait::async_trait;
use azidentity::{
    AccessTokenInfo, ClientSecretCredential, Credential, FailureKind, TokenRequestOptions, blocking,
};
use azidentity_emulator::World;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions as CoreOptions},
    http::{
        ClientOptions, Context, Request,
        policies::{Policy, PolicyResult},
    },
    time::OffsetDateTime,
};
use futures::executor::block_on;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::LocalSet,
};

use crate::support::{
    Exchange, Held, OTHER_SCOPE, SCOPE, TestWorld, Wire, claims, expect_error, token_json,
};

const REFUSED: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired"}"#;

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn current_thread() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Makes one call on a thread of its own while the test answers.
fn answered<T: Send + 'static>(
    wire: &mut Wire,
    call: impl FnOnce() -> T + Send + 'static,
    answer: impl FnOnce(Exchange),
) -> T {
    let caller = thread::spawn(call);
    answer(block_on(wire.next()));
    caller.join().expect("no panic")
}

/// A credential that has a token which lives an hour and is to be renewed after half of it.
fn filled() -> (Held, blocking::Credential) {
    let mut held = Held::new();
    let credential = blocking::Credential::from(held.credential.clone());
    let caller = credential.clone();
    answered(
        &mut held.wire,
        move || caller.get_token(&[SCOPE], None),
        |request| request.answer(200, token_json("AT-1", 3600, Some(1800))),
    )
    .expect("a token");
    (held, credential)
}

fn text(credential: &blocking::Credential) -> String {
    let token = credential.get_token(&[SCOPE], None).expect("a token");
    token.token.secret().to_owned()
}

/// Calls until the token has changed: when is up to the background thread.
fn wait_for(credential: &blocking::Credential, expected: &str) {
    while text(credential) != expected {
        thread::yield_now();
    }
}

#[test]
fn works_in_every_kind_of_place() {
    type Place = fn(Box<dyn FnOnce() + Send>);
    let places: [(&str, Place); 6] = [
        ("a plain thread", |call| {
            thread::spawn(call).join().expect("no panic");
        }),
        ("block_on of a foreign executor", |call| {
            block_on(async { call() });
        }),
        ("block_on of a multi-thread runtime", |call| {
            multi_thread().block_on(async { call() });
        }),
        ("a task of a multi-thread runtime", |call| {
            let runtime = multi_thread();
            let task = runtime.spawn(async { call() });
            runtime.block_on(task).expect("no panic");
        }),
        ("a task of a current-thread runtime", |call| {
            let runtime = current_thread();
            let task = runtime.spawn(async { call() });
            runtime.block_on(task).expect("no panic");
        }),
        ("a local task", |call| {
            let tasks = LocalSet::new();
            let task = tasks.spawn_local(async { call() });
            tasks.block_on(&current_thread(), task).expect("no panic");
        }),
    ];
    for (name, place) in places {
        let world = TestWorld::start();
        let credential =
            ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, world.secret())
                .authority_host(world.emulator.authority_host())
                .disable_instance_discovery(true)
                .client_options(world.client_options())
                .build()
                .expect("a valid configuration");
        let credential = blocking::Credential::from(credential);
        assert_eq!(credential.name(), "client-secret");
        place(Box::new(move || {
            let token = credential.get_token(&[SCOPE], None).expect(name);
            assert_eq!(
                claims(token.token.secret())["aud"],
                "https://vault.azure.net"
            );
            assert!(token.expires_on > OffsetDateTime::now_utc());
            let again = credential.get_token_info(&[SCOPE], None).expect(name);
            assert_eq!(again.token(), token.token.secret());
            let cached = credential.cached(&[SCOPE], None).expect(name);
            assert_eq!(cached.token(), token.token.secret());
        }));
        assert_eq!(world.emulator.request_count(), 1, "{name}");
    }
}

/// One of ours, with a list of the threads that called it.
#[derive(Debug)]
struct Watched {
    inner: Arc<ClientSecretCredential>,
    calls: Mutex<Vec<(&'static str, ThreadId)>>,
}

impl Watched {
    fn note(&self, call: &'static str) {
        let mut calls = self.calls.lock().expect("no panic");
        calls.push((call, thread::current().id()));
    }

    fn take(&self) -> Vec<(&'static str, ThreadId)> {
        std::mem::take(&mut self.calls.lock().expect("no panic"))
    }
}

#[async_trait]
impl TokenCredential for Watched {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        unreachable!("get_token_info says more")
    }
}

#[async_trait]
impl Credential for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    async fn get_token_info(
        &self,
        scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        self.note("get_token_info");
        self.inner.get_token_info(scopes, options).await
    }

    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.note("cached");
        self.inner.cached(scopes, options)
    }
}

#[test]
fn memory_is_read_by_the_thread_that_asks_and_all_else_done_by_one_other() {
    let mut held = Held::new();
    let watched = Arc::new(Watched {
        inner: held.credential.clone(),
        calls: Mutex::default(),
    });
    let credential = blocking::Credential::from(watched.clone());

    let mut others = Vec::new();
    for scope in [SCOPE, OTHER_SCOPE] {
        let caller = credential.clone();
        answered(
            &mut held.wire,
            move || caller.get_token(&[scope], None),
            |request| request.answer(200, token_json("AT-1", 3600, Some(1800))),
        )
        .expect("a token");
        others.extend(
            watched
                .take()
                .into_iter()
                .filter(|&(call, _)| call == "get_token_info")
                .map(|(_, thread)| thread),
        );
    }
    assert_eq!(others.len(), 2);
    assert_eq!(others[0], others[1], "one thread for all");

    // Valid, and then due: in neither case does anyone else take part.
    for seconds in [0, 1800] {
        held.advance(seconds);
        let here = thread::current().id();
        text(&credential);
        current_thread().block_on(async { text(&credential) });
        multi_thread().block_on(async { text(&credential) });
        for (call, thread) in watched.take() {
            assert_eq!((call, thread), ("cached", here));
            assert_ne!(thread, others[0]);
        }
    }
}

#[test]
fn threads_share_one_request() {
    for round in 0..50 {
        let mut held = Held::new();
        let credential = blocking::Credential::from(held.credential.clone());
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let credential = credential.clone();
                thread::spawn(move || text(&credential))
            })
            .collect();
        block_on(held.wire.next()).answer_token("AT-1", 3600);
        for caller in callers {
            assert_eq!(caller.join().expect("no panic"), "AT-1");
        }
        assert!(
            held.wire.try_next().is_none(),
            "round {round}: one request is enough"
        );
    }
}

#[tokio::test]
async fn a_call_holds_up_its_own_thread_only() {
    let mut held = Held::new();
    let credential = blocking::Credential::from(held.credential.clone());
    let waiting = tokio::task::spawn_blocking(move || text(&credential));
    held.wire.next().await.answer_token("AT-1", 3600);
    assert_eq!(waiting.await.expect("no panic"), "AT-1");
}

#[test]
fn errors_are_those_of_the_credential() {
    let mut held = Held::new();
    let credential = blocking::Credential::from(held.credential.clone());
    let caller = credential.clone();
    let refused = answered(
        &mut held.wire,
        move || caller.get_token(&[SCOPE], None),
        |request| request.answer(401, REFUSED),
    );
    let error = expect_error(
        refused,
        FailureKind::AuthenticationFailed,
        &["AADSTS7000222"],
    );
    assert_eq!(error.credential(), Some("client-secret"));
    assert_eq!(
        error.server().expect("the refusal").error_codes,
        [7_000_222]
    );

    for scopes in [&[][..], &["two scopes"]] {
        expect_error(
            credential.get_token(scopes, None),
            FailureKind::Configuration,
            &["scope"],
        );
    }
    let elsewhere = TokenRequestOptions {
        tenant_id: Some("stranger.example".into()),
        ..Default::default()
    };
    expect_error(
        credential.get_token_info(&[SCOPE], Some(elsewhere.clone())),
        FailureKind::AuthenticationFailed,
        &["stranger.example"],
    );
    assert!(credential.cached(&[SCOPE], Some(elsewhere)).is_none());
}

#[test]
fn options_reach_the_server() {
    let (mut held, credential) = filled();
    let options = TokenRequestOptions {
        claims: Some("{}".into()),
        tenant_id: Some("fabrikam.example".into()),
        enable_cae: true,
    };
    let caller = credential.clone();
    let info = answered(
        &mut held.wire,
        move || caller.get_token_info(&[SCOPE], Some(options)),
        |request| {
            assert_eq!(request.url.path(), "/fabrikam.example/oauth2/v2.0/token");
            assert!(request.form["claims"].contains("CP1"));
            request.answer_token("AT-2", 3600);
        },
    );
    assert_eq!(info.expect("a token").tenant(), Some("fabrikam.example"));
    let without_claims = TokenRequestOptions {
        tenant_id: Some("fabrikam.example".into()),
        enable_cae: true,
        ..Default::default()
    };
    let cached = credential.cached(&[SCOPE], Some(without_claims));
    assert_eq!(cached.expect("a token").token(), "AT-2");
    assert_eq!(text(&credential), "AT-1");
}

#[test]
fn a_due_renewal_delays_nobody() {
    let (mut held, credential) = filled();
    held.advance(1800);
    for _ in 0..100 {
        assert_eq!(text(&credential), "AT-1", "nobody answers meanwhile");
    }
    let renewal = block_on(held.wire.next());
    assert!(held.wire.try_next().is_none(), "one renewal is enough");
    renewal.answer_token("AT-2", 3600);
    wait_for(&credential, "AT-2");
}

#[test]
fn a_renewal_does_not_need_the_callers_runtime() {
    let (mut held, credential) = filled();
    held.advance(1800);
    // The runtime's only thread never comes to run a task.
    current_thread().block_on(async {
        assert_eq!(text(&credential), "AT-1");
        block_on(held.wire.next()).answer_token("AT-2", 3600);
        wait_for(&credential, "AT-2");
    });
}

#[test]
fn cached_starts_the_renewal_too_and_never_waits() {
    let (mut held, credential) = filled();
    assert!(credential.cached(&[OTHER_SCOPE], None).is_none());
    held.advance(1800);
    let info = credential.cached(&[SCOPE], None).expect("a token");
    assert_eq!(info.token(), "AT-1");
    block_on(held.wire.next()).answer_token("AT-2", 3600);
    wait_for(&credential, "AT-2");

    held.advance(3600);
    assert!(credential.cached(&[SCOPE], None).is_none(), "expired");
    assert!(held.wire.try_next().is_none());
}

#[test]
fn a_failed_renewal_costs_nothing_while_the_token_lives() {
    let (mut held, credential) = filled();
    held.advance(3540);
    let caller = credential.clone();
    let token = answered(
        &mut held.wire,
        move || text(&caller),
        |request| request.answer(401, REFUSED),
    );
    assert_eq!(token, "AT-1", "a minute is left");
}

#[test]
fn dropping_the_last_handle_cancels_the_renewal() {
    let (mut held, credential) = filled();
    drop(held.credential);
    held.clock.advance(Duration::from_secs(1800));
    assert_eq!(text(&credential), "AT-1");
    let renewal = block_on(held.wire.next());
    let clone = credential.clone();
    drop(credential);
    assert_eq!(text(&clone), "AT-1");
    assert!(!renewal.is_abandoned());
    drop(clone);
    while !renewal.is_abandoned() {
        thread::yield_now();
    }
}

#[test]
fn a_time_limit_ends_the_call_and_its_request() {
    let mut held = Held::new();
    let patient = blocking::Credential::from(held.credential.clone());
    let hasty = patient.clone().with_time_limit(Duration::from_millis(1));
    let error = expect_error(
        hasty.get_token(&[SCOPE], None),
        FailureKind::Transport,
        &["1ms", "time limit"],
    );
    assert_eq!(error.credential(), Some("client-secret"));

    // Whether a request is sent within the limit is up to the machine.
    let request = loop {
        hasty.get_token(&[SCOPE], None).expect_err("an error");
        if let Some(request) = held.wire.try_next() {
            break request;
        }
    };
    while !request.is_abandoned() {
        thread::yield_now();
    }

    let waiting = thread::spawn(move || text(&patient));
    while !waiting.is_finished() {
        if let Some(request) = held.wire.try_next() {
            request.answer_token("AT-1", 3600);
        }
        thread::yield_now();
    }
    assert_eq!(waiting.join().expect("no panic"), "AT-1");
    assert_eq!(text(&hasty), "AT-1", "memory answers within any limit");
}

#[test]
fn who_gives_up_does_not_take_the_request_from_others() {
    let mut held = Held::new();
    let patient = blocking::Credential::from(held.credential.clone());
    let hasty = patient.clone().with_time_limit(Duration::from_millis(1));
    let waiting = thread::spawn(move || text(&patient));
    let request = block_on(held.wire.next());
    expect_error(
        hasty.get_token(&[SCOPE], None),
        FailureKind::Transport,
        &["time limit"],
    );
    assert!(!request.is_abandoned());
    request.answer_token("AT-1", 3600);
    assert_eq!(waiting.join().expect("no panic"), "AT-1");
}

/// Runs a closure where a request would be sent.
struct Runs<F>(F);

impl<F> std::fmt::Debug for Runs<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Runs")
    }
}

#[allow(elided_lifetimes_in_paths, reason = "as in the trait")]
#[async_trait]
impl<F: Fn() + Send + Sync> Policy for Runs<F> {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        (self.0)();
        next[0].send(context, request, &next[1..]).await
    }
}

/// A credential on a wire, with code of the caller's in its pipeline.
fn with_policy(policy: impl Fn() + Send + Sync + 'static) -> (Wire, blocking::Credential) {
    let wire = Wire::new();
    let options = ClientOptions {
        per_call_policies: vec![Arc::new(Runs(policy))],
        ..wire.client_options()
    };
    let credential = ClientSecretCredential::builder("t", "c", "s")
        .client_options(options)
        .build()
        .expect("a valid configuration");
    (wire, credential.into())
}

#[test]
fn a_panic_in_the_callers_code_is_an_error_and_harms_no_one_else() {
    let (mut held, healthy) = filled();
    held.advance(3600);
    let waiting = healthy.clone();
    let waiting = thread::spawn(move || text(&waiting));
    let request = block_on(held.wire.next());

    let (_wire, panics) = with_policy(|| panic!("pl4nted secret of a policy"));
    for _ in 0..2 {
        expect_error(
            panics.get_token(&[SCOPE], None),
            FailureKind::AuthenticationFailed,
            &["panicked"],
        );
    }

    assert!(!request.is_abandoned());
    request.answer_token("AT-2", 3600);
    assert_eq!(waiting.join().expect("no panic"), "AT-2");
    assert!(held.wire.try_next().is_none(), "it was not sent again");
}

#[test]
fn a_call_by_code_on_the_background_thread_is_an_error_instead_of_a_deadlock() {
    let (held, inner) = filled();
    let (said, results) = mpsc::channel();
    let (mut wire, outer) = with_policy(move || {
        let cached = inner.get_token(&[SCOPE], None);
        let fetched = inner.get_token(&[OTHER_SCOPE], None);
        said.send((cached, fetched)).expect("the test listens");
    });
    let token = answered(
        &mut wire,
        move || text(&outer),
        |request| request.answer_token("AT-outer", 3600),
    );
    assert_eq!(token, "AT-outer");
    let (cached, fetched) = results.recv().expect("the policy ran");
    assert_eq!(cached.expect("from memory").token.secret(), "AT-1");
    expect_error(
        fetched,
        FailureKind::Configuration,
        &["asynchronous credential"],
    );
    drop(held);
}

/// A credential that nobody here wrote.
#[derive(Debug)]
struct Foreign;

#[async_trait]
impl TokenCredential for Foreign {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_ne!(scopes, [OTHER_SCOPE], "pl4nted");
        // Needs a runtime that is alive, timer included.
        tokio::task::spawn_blocking(|| ()).await.expect("no panic");
        tokio::time::sleep(Duration::from_nanos(1)).await;
        let options = options.unwrap_or_default();
        let tenant = TokenRequestOptions::find(&options).and_then(|ours| ours.tenant_id.as_deref());
        Ok(AccessToken::new(
            format!(
                "{} on {:?}",
                tenant.unwrap_or("nobody"),
                Handle::current().id()
            ),
            OffsetDateTime::now_utc(),
        ))
    }
}

#[test]
fn foreign_credentials_run_on_the_background_thread_too() {
    let credential = blocking::Credential::foreign("theirs", Arc::new(Foreign));
    assert_eq!(credential.name(), "theirs");
    assert!(credential.cached(&[SCOPE], None).is_none());
    let get = || {
        let options = TokenRequestOptions {
            tenant_id: Some("fabrikam.example".into()),
            ..Default::default()
        };
        let info = credential
            .get_token_info(&[SCOPE], Some(options))
            .expect("a token");
        assert_eq!(info.credential(), "theirs");
        info.token().to_owned()
    };
    let outside = get();
    assert!(outside.starts_with("fabrikam.example on "), "{outside}");
    assert_eq!(current_thread().block_on(async { get() }), outside);

    let error = expect_error(
        credential.get_token(&[OTHER_SCOPE], None),
        FailureKind::AuthenticationFailed,
        &["panicked"],
    );
    assert_eq!(error.credential(), Some("theirs"));
    assert_eq!(get(), outside, "the thread lives on");
}
