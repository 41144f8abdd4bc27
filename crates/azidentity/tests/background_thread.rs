//! What happens when the thread of the blocking credentials dies. An executable of its own, since a process has one such
//! thread.

#![cfg(feature = "blocking")]
#![allow(clippy::expect_used, reason = "a test may fail by panicking")]

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Wake, Waker},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use azidentity::{FailureKind, IdentityError, blocking};
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};

const SCOPES: &[&str] = &["https://vault.azure.net/.default"];

/// Panics where no task is at hand to catch it: in the timer of the runtime.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("pl4nted");
    }
}

/// Kills the thread that it runs on so many times before it gives a token.
#[derive(Debug)]
struct Killer(AtomicUsize);

#[async_trait]
impl TokenCredential for Killer {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let left = self.0.load(Ordering::Relaxed);
        if left > 0 {
            self.0.store(left - 1, Ordering::Relaxed);
            let mut sleep = pin!(tokio::time::sleep(Duration::from_millis(1)));
            let bomb = Waker::from(Arc::new(Bomb));
            let _ = sleep.as_mut().poll(&mut Context::from_waker(&bomb));
            std::future::pending::<()>().await;
        }
        Ok(AccessToken::new("AT", OffsetDateTime::now_utc()))
    }
}

/// Says when it is asked; gives a token at the second time.
#[derive(Debug)]
struct Bystander(mpsc::Sender<()>, AtomicUsize);

#[async_trait]
impl TokenCredential for Bystander {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.0.send(()).expect("the test listens");
        if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
            std::future::pending::<()>().await;
        }
        Ok(AccessToken::new("AT", OffsetDateTime::now_utc()))
    }
}

fn killer(times: usize) -> blocking::Credential {
    blocking::Credential::foreign("killer", Arc::new(Killer(AtomicUsize::new(times))))
}

#[test]
fn a_thread_that_dies_is_replaced_and_nobody_hangs() {
    let (asked, asks) = mpsc::channel();
    let bystander = Bystander(asked, AtomicUsize::new(0));
    let bystander = blocking::Credential::foreign("bystander", Arc::new(bystander));
    let bystander = thread::spawn(move || bystander.get_token(SCOPES, None));
    asks.recv().expect("it was asked");

    killer(1).get_token(SCOPES, None).expect("a token");
    bystander.join().expect("no panic").expect("a token");

    let error = killer(usize::MAX)
        .get_token(SCOPES, None)
        .expect_err("no thread survives this");
    let typed = IdentityError::find(&error).expect("one of ours");
    assert_eq!(typed.kind(), FailureKind::Transport);
    assert!(typed.message().contains("again and again"), "{typed}");
    assert!(!format!("{error} {error:?}").contains("pl4nted"));

    killer(0).get_token(SCOPES, None).expect("a token");
}
