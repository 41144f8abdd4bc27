//! The thread on which blocking credentials get their tokens: one for the whole process, with a runtime of its own.

use std::{
    io,
    panic::AssertUnwindSafe,
    sync::{
        PoisonError, RwLock,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use futures::FutureExt;
use tokio::runtime::{Builder, EnterGuard, Handle};

use crate::IdentityError;

const THREAD_NAME: &str = "azidentity";

/// How often a call starts over because the thread that it waited for has ended.
const MOST_RESTARTS: usize = 8;

/// The thread that runs now. Locked for reading by all who ask, for writing only while a thread comes or goes.
static CURRENT: RwLock<Option<Background>> = RwLock::new(None);

/// The line to the background thread.
#[derive(Clone)]
pub(super) struct Background {
    runtime: Handle,
    thread: ThreadId,
    /// A process that forks leaves the thread behind: the child has its memory only.
    process: u32,
}

impl Background {
    /// The thread that runs, or else a new one.
    pub(super) fn get() -> Result<Self, IdentityError> {
        Self::get_if(|_| true)
    }

    /// The same for a call that will wait for the thread. Here, and not on the way to a remembered token, it is worth a
    /// system call to know that the thread was not left behind by a fork.
    fn get_in_this_process() -> Result<Self, IdentityError> {
        Self::get_if(|current| current.process == std::process::id())
    }

    fn get_if(usable: impl Fn(&Self) -> bool) -> Result<Self, IdentityError> {
        let current = CURRENT.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = current.as_ref().filter(|current| usable(current)) {
            return Ok(current.clone());
        }
        drop(current);

        let mut current = CURRENT.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = current.as_ref().filter(|current| usable(current)) {
            return Ok(current.clone());
        }
        let background = start().map_err(|error| {
            IdentityError::unavailable(format!(
                "the background thread for blocking credentials could not be started: {error}; check the limits on \
                 threads and open files"
            ))
            .with_source(error)
        })?;
        *current = Some(background.clone());
        Ok(background)
    }

    /// Makes the thread's runtime that of the caller's thread, for as long as the guard lives: what is spawned meanwhile,
    /// is spawned there.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }
}

/// Runs the future that `make` makes on the background thread and waits for its end. It is made anew if the thread ends
/// on the way.
pub(super) fn run<W>(
    time_limit: Option<Duration>,
    make: impl Fn() -> W,
) -> Result<W::Output, IdentityError>
where
    W: Future<Output: Send + 'static> + Send + 'static,
{
    let deadline = time_limit.and_then(|limit| Instant::now().checked_add(limit));
    for _ in 0..MOST_RESTARTS {
        let background = Background::get_in_this_process()?;
        if background.thread == thread::current().id() {
            return Err(IdentityError::configuration(
                "a blocking credential was called by code that runs while a token is being got (a policy, a transport or \
                 a callback), on the thread that would have to do the work; use the asynchronous credential there",
            ));
        }
        let (done, result) = mpsc::sync_channel(1);
        let work = make();
        let task = background.runtime.spawn(async move {
            // What the work holds is gone when its result is there, so that the caller's may be the last handle.
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            // The caller may have given up.
            let _ = done.send(outcome);
        });
        match wait(&result, deadline) {
            Ok(Ok(output)) => return Ok(output),
            // The message went to the panic hook and is not repeated: it may hold a secret.
            Ok(Err(_)) => {
                return Err(IdentityError::authentication_failed(
                    "the credential's own code panicked; its message is on standard error",
                ));
            }
            Err(RecvTimeoutError::Timeout) => {
                task.abort();
                return Err(IdentityError::transport(format!(
                    "no token within {:?}, the time limit of this blocking credential; check the network, or set a \
                     longer limit",
                    time_limit.unwrap_or_default()
                )));
            }
            // The runtime drops its tasks when it ends, and this one's sender with it.
            Err(RecvTimeoutError::Disconnected) => {}
        }
    }
    Err(IdentityError::transport(
        "the background thread for blocking credentials ended again and again, because something that ran there \
         panicked; its message is on standard error",
    ))
}

fn wait<T>(result: &Receiver<T>, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
    match deadline {
        Some(deadline) => result.recv_timeout(deadline.saturating_duration_since(Instant::now())),
        None => Ok(result.recv()?),
    }
}

fn start() -> io::Result<Background> {
    let (ready, started) = mpsc::sync_channel(1);
    let thread = thread::Builder::new()
        .name(THREAD_NAME.into())
        .spawn(move || {
            // Made here, since a runtime that can't be used must not be dropped inside the caller's.
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            // Dropped before the runtime: who loses his task with the runtime finds no trace of it when he tries again.
            let _retiring = Retiring(thread::current().id());
            let _ = ready.send(Ok(runtime.handle().clone()));
            // Ends with a panic only, of a waker for example: those of tasks are caught.
            runtime.block_on(std::future::pending::<()>());
        })?;
    let runtime = started
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("it ended at once")))?;
    Ok(Background {
        runtime,
        thread: thread.thread().id(),
        process: std::process::id(),
    })
}

/// Takes the thread off its post when it ends.
struct Retiring(ThreadId);

impl Drop for Retiring {
    fn drop(&mut self) {
        let mut current = CURRENT.write().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|current| current.thread == self.0)
        {
            *current = None;
        }
    }
}
