//! Fetches live on runtimes, and runtimes end.

use std::{sync::mpsc, thread};

use azidentity::{ClientSecretCredential, Environment};
use azidentity_emulator::World;
use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, Transport},
};
use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};

use crate::support::{Held, SCOPE, TestWorld, trusting};

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn a_runtime_that_ends_wakes_its_followers_to_try_again() {
    let mut held = Held::new();
    let first = runtime();
    let leading = held.credential.clone();
    let mut leader = leading.get_token(&[SCOPE], None);
    first.block_on(async {
        assert!((&mut leader).now_or_never().is_none());
    });
    let held_request = first.block_on(held.wire.next());

    let credential = held.credential.clone();
    let (following, follows) = mpsc::channel();
    let follower = thread::spawn(move || {
        runtime().block_on(async {
            let mut call = credential.get_token(&[SCOPE], None);
            assert!(
                (&mut call).now_or_never().is_none(),
                "waits for the other runtime's fetch"
            );
            following.send(()).expect("the test still listens");
            call.await
        })
    });
    follows.recv().expect("the follower started");
    assert!(
        held.wire.try_next().is_none(),
        "the follower sent nothing of its own"
    );
    drop(leader);
    drop(first);
    assert!(held_request.is_abandoned());

    futures::executor::block_on(held.wire.next()).answer_token("AT-2", 3600);
    let token = follower.join().expect("no panic").expect("a token");
    assert_eq!(token.token.secret(), "AT-2");
}

#[test]
fn a_runtime_that_stands_still_is_waited_for_a_while_only() {
    let mut held = Held::new();
    let idle = runtime();
    let credential = held.credential.clone();
    let mut leader = credential.get_token(&[SCOPE], None);
    idle.block_on(async {
        assert!((&mut leader).now_or_never().is_none());
    });
    let _held_request = idle.block_on(held.wire.next());

    let second = runtime();
    let mut follower = credential.get_token(&[SCOPE], None);
    second.block_on(async {
        assert!((&mut follower).now_or_never().is_none());
        assert!(held.wire.try_next().is_none());
        held.advance(5);
        let (token, ()) = futures::join!(follower, async {
            held.wire.next().await.answer_token("AT-2", 3600);
        });
        assert_eq!(token.expect("a token").token.secret(), "AT-2");
    });
}

#[test]
fn one_credential_serves_two_runtimes_in_succession() {
    let world = TestWorld::start();
    let credential =
        ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, world.secret())
            .authority_host(world.emulator.authority_host())
            .disable_instance_discovery(true)
            .client_options(world.client_options())
            .environment(Environment::builder().build())
            .build()
            .expect("a valid configuration");
    for (scope, requests) in [
        (SCOPE, 1),
        (SCOPE, 1),
        ("https://storage.azure.com/.default", 2),
    ] {
        runtime()
            .block_on(credential.get_token(&[scope], None))
            .expect("a token");
        assert_eq!(world.emulator.token_request_count(), requests);
    }
}

/// A transport that makes its client, and with it its pool, for the runtime that asks: what the built-in transport does,
/// here with the emulator's certificate.
#[test]
fn a_client_of_an_ended_runtime_does_not_break_the_next() {
    let world = TestWorld::start();
    let credential = |transport: Transport| {
        ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, world.secret())
            .authority_host(world.emulator.authority_host())
            .disable_instance_discovery(true)
            .client_options(ClientOptions {
                transport: Some(transport),
                ..Default::default()
            })
            .build()
            .expect("a valid configuration")
    };
    let shared = credential(trusting(&world.emulator));
    for scope in ["https://a.example/.default", "https://b.example/.default"] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime
            .block_on(shared.get_token(&[scope], None))
            .expect("a token");
    }
}

/// While a runtime shuts down it drops new tasks on the spot. A credential that is asked there must neither hang nor
/// stay broken for other runtimes.
#[test]
fn a_runtime_that_shuts_down_gets_no_token_and_breaks_nothing() {
    /// Asks for a token when it is dropped, which happens in the midst of the shutdown.
    struct AsksAtTheEnd {
        credential: std::sync::Arc<ClientSecretCredential>,
        answers: mpsc::Sender<bool>,
    }

    impl Drop for AsksAtTheEnd {
        fn drop(&mut self) {
            let mut call = self.credential.get_token(&[SCOPE], None);
            let answer = (&mut call).now_or_never();
            // The test may have failed and gone.
            let _ = self
                .answers
                .send(answer.is_some_and(|answer| answer.is_err()));
        }
    }

    let mut held = Held::new();
    let (answers, answer) = mpsc::channel();
    let ending = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let asks = AsksAtTheEnd {
        credential: held.credential.clone(),
        answers,
    };
    ending.spawn(async move {
        let _asks = asks;
        std::future::pending::<()>().await;
    });
    ending.block_on(tokio::task::yield_now());
    drop(ending);
    assert!(answer.recv().expect("the call came back"), "with an error");
    assert!(held.wire.try_next().is_none());

    runtime().block_on(async {
        let (token, ()) = futures::join!(held.credential.get_token(&[SCOPE], None), async {
            held.wire.next().await.answer_token("AT-2", 3600);
        });
        assert_eq!(token.expect("a token").token.secret(), "AT-2");
    });
}
