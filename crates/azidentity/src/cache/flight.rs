//! Fetches under way: callers that need the same token wait for one of them together.
//!
//! A fetch is a task of the runtime that its first caller runs on, so that it goes on when that caller goes away; the
//! handle to it is shared by all who wait and aborts the task with its last owner. Where there is no runtime, whoever
//! waits drives it.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{BoxFuture, Shared as SharedFuture, WeakShared},
};

use crate::{
    IdentityError,
    token::{AccessTokenInfo, ChainContext, TokenRequest},
};

use super::{key::Key, memory::Shared};

/// How long a caller waits for a fetch that another runtime drives, before it makes one of its own. That runtime may
/// stand still: a current-thread runtime moves only inside `block_on`.
const PATIENCE_WITH_OTHER_RUNTIMES: Duration = Duration::from_secs(5);

/// How often a caller starts over because the runtime that its fetch was on has ended.
const MOST_RESTARTS: usize = 8;

/// How a fetch ended.
#[derive(Clone)]
pub(super) enum Landed {
    Token(AccessTokenInfo),
    Failed(IdentityError),
    /// The runtime it ran on has ended.
    Abandoned,
}

type Fetch = SharedFuture<BoxFuture<'static, Landed>>;

/// Callers with other claims don't want the same token, and one that is asked by a chain may be in more of a hurry.
#[derive(Clone, PartialEq, Eq, Hash)]
struct FlightKey {
    token: Key,
    claims: Option<String>,
    chain: ChainContext,
}

impl FlightKey {
    fn of(request: &TokenRequest) -> Self {
        Self {
            token: Key::of(request),
            claims: request.claims.clone(),
            chain: request.chain,
        }
    }
}

struct Flight {
    id: u64,
    /// Weak, so that the fetch ends with the last one who waits for it.
    fetch: WeakShared<BoxFuture<'static, Landed>>,
    runtime: Option<RuntimeId>,
}

/// All fetches of one cache.
#[derive(Default)]
pub(super) struct Flights {
    under_way: Mutex<HashMap<FlightKey, Flight, foldhash::quality::RandomState>>,
    /// Renewals that nobody waits for, by their number.
    in_background: Mutex<HashMap<u64, Fetch>>,
    next_id: AtomicU64,
}

enum Boarding {
    /// On the caller's own runtime, or driven by the caller.
    Own(Fetch),
    /// On another runtime.
    Other(Fetch),
    /// It has landed since the caller looked.
    Arrived(AccessTokenInfo),
}

impl Flights {
    /// Waits for the fetch that `request` needs, which is started if nobody has done so. `seen` is the fetch that the
    /// token at hand came from, which did not satisfy the caller.
    pub(super) async fn join_or_start(
        &self,
        shared: &Arc<Shared>,
        request: TokenRequest,
        seen: Option<u64>,
    ) -> Result<AccessTokenInfo, IdentityError> {
        let mut may_join = true;
        for _ in 0..MOST_RESTARTS {
            let landed = match self.board(shared, &request, seen, may_join) {
                Boarding::Arrived(info) => return Ok(info),
                Boarding::Own(fetch) => fetch.await,
                Boarding::Other(fetch) => {
                    let waited = shared
                        .environment
                        .within(PATIENCE_WITH_OTHER_RUNTIMES, fetch)
                        .await;
                    may_join = waited.is_some();
                    waited.unwrap_or(Landed::Abandoned)
                }
            };
            match landed {
                Landed::Token(info) => return Ok(info),
                Landed::Failed(error) => return Err(error),
                Landed::Abandoned => {}
            }
        }
        Err(IdentityError::transport(
            "the asynchronous runtime that the token request ran on ended again and again; \
             keep the runtime alive until the request is done",
        ))
    }

    /// Starts a fetch that nobody waits for. False if there is no runtime to run it.
    pub(super) fn renew(&self, shared: &Arc<Shared>, request: TokenRequest) -> bool {
        let Some(runtime) = Runtime::current() else {
            return false;
        };
        let key = FlightKey::of(&request);
        // Declared before the lock, so that it is dropped after it: the last handle to a fetch takes the lock itself.
        let running;
        let mut under_way = self.under_way();
        running = under_way
            .get(&key)
            .and_then(|flight| flight.fetch.upgrade());
        if running.is_none() {
            let started = self.start(shared, &key, request, Some(&runtime), &mut under_way);
            // Still under the first lock, which the fetch needs to take itself off the list when it is over.
            lock(&self.in_background).insert(started.id, started.fetch.clone());
            drop(under_way);
            drop(started.release());
        }
        true
    }

    /// Aborts the fetches that nobody waits for.
    pub(super) fn cancel_renewals(&self) {
        let renewals = std::mem::take(&mut *lock(&self.in_background));
        drop(renewals);
    }

    fn board(
        &self,
        shared: &Arc<Shared>,
        request: &TokenRequest,
        seen: Option<u64>,
        may_join: bool,
    ) -> Boarding {
        let runtime = Runtime::current();
        let own = runtime.as_ref().map(Runtime::id);
        let key = FlightKey::of(request);
        // Declared before the lock, so that it is dropped after it: the last handle to a fetch takes the lock itself.
        let running;
        let mut under_way = self.under_way();
        let flight = under_way.get(&key);
        let of_runtime = flight.and_then(|flight| flight.runtime);
        running = flight.and_then(|flight| flight.fetch.upgrade());
        match running {
            Some(fetch) if of_runtime == own => return Boarding::Own(fetch),
            Some(fetch) if may_join && of_runtime.is_some() && own.is_some() => {
                return Boarding::Other(fetch);
            }
            _ => {}
        }
        if request.claims.is_none()
            && let Some(info) = shared.newer_than(&key.token, seen)
        {
            return Boarding::Arrived(info);
        }
        let started = self.start(
            shared,
            &key,
            request.clone(),
            runtime.as_ref(),
            &mut under_way,
        );
        drop(under_way);
        Boarding::Own(started.release())
    }

    /// Lists a fetch. It begins when it is released, after the lock is.
    fn start(
        &self,
        shared: &Arc<Shared>,
        key: &FlightKey,
        request: TokenRequest,
        runtime: Option<&Runtime>,
        under_way: &mut HashMap<FlightKey, Flight, foldhash::quality::RandomState>,
    ) -> Started {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (runway, clearance) = oneshot::channel::<Landing>();
        let work = async move {
            match clearance.await {
                Ok(landing) => fetch(landing, request).await,
                Err(_) => Landed::Abandoned,
            }
        };
        let fetch = match runtime {
            Some(runtime) => runtime.spawn(work).boxed().shared(),
            None => work.boxed().shared(),
        };
        if let Some(weak) = fetch.downgrade() {
            under_way.insert(
                key.clone(),
                Flight {
                    id,
                    fetch: weak,
                    runtime: runtime.map(Runtime::id),
                },
            );
        }
        Started {
            id,
            fetch,
            runway,
            landing: Landing {
                shared: shared.clone(),
                key: key.clone(),
                id,
                landed: false,
            },
        }
    }

    fn under_way(
        &self,
    ) -> MutexGuard<'_, HashMap<FlightKey, Flight, foldhash::quality::RandomState>> {
        lock(&self.under_way)
    }

    fn remove(&self, key: &FlightKey, id: u64) {
        let mut under_way = self.under_way();
        if under_way.get(key).is_some_and(|flight| flight.id == id) {
            under_way.remove(key);
        }
        drop(under_way);
        let renewal = lock(&self.in_background).remove(&id);
        drop(renewal);
    }
}

/// A fetch that is listed and waits to begin.
///
/// A runtime that is shutting down drops a new task on the spot, inside `spawn`. What tells the cache about the end of a
/// fetch takes the lock under which the fetch was started, so the task gets it only after that lock is free.
struct Started {
    id: u64,
    fetch: Fetch,
    runway: oneshot::Sender<Landing>,
    landing: Landing,
}

impl Started {
    fn release(self) -> Fetch {
        // If the task is gone already, the landing comes back and reports that when it is dropped here.
        let _ = self.runway.send(self.landing);
        self.fetch
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn fetch(mut landing: Landing, request: TokenRequest) -> Landed {
    let source = landing.shared.source.clone();
    let acquired = AssertUnwindSafe(source.acquire(&request))
        .catch_unwind()
        .await;
    let landed = match acquired {
        Ok(Ok(info)) => Landed::Token(info),
        Ok(Err(error)) => Landed::Failed(error),
        // Only code of the caller's can panic (a callback, a transport, a policy). What it said went to the panic
        // hook and is not repeated: it may hold a secret.
        Err(_) => Landed::Failed(IdentityError::authentication_failed(
            "code of the application that was called for this token request panicked; its message is on standard error",
        )),
    };
    landing.land(&landed);
    landed
}

/// Tells the cache how a fetch ended, also when its task is dropped unfinished.
struct Landing {
    shared: Arc<Shared>,
    key: FlightKey,
    id: u64,
    landed: bool,
}

impl Landing {
    fn land(&mut self, landed: &Landed) {
        self.landed = true;
        // First the token, then the flight: who comes in between finds one or the other.
        let with_claims = self.key.claims.is_some();
        self.shared
            .settle(&self.key.token, self.id, with_claims, landed);
        self.shared.flights.remove(&self.key, self.id);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if !self.landed {
            self.land(&Landed::Abandoned);
        }
    }
}

#[cfg(feature = "tokio")]
use with_tokio::{Runtime, RuntimeId};
#[cfg(not(feature = "tokio"))]
use without_runtime::{Runtime, RuntimeId};

#[cfg(feature = "tokio")]
mod with_tokio {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::{runtime::Handle, task::JoinHandle};

    use futures::FutureExt;

    use super::Landed;

    pub(super) type RuntimeId = tokio::runtime::Id;

    /// The runtime that the caller runs on.
    pub(super) struct Runtime(Handle);

    impl Runtime {
        pub(super) fn current() -> Option<Self> {
            Handle::try_current().ok().map(Self)
        }

        pub(super) fn id(&self) -> RuntimeId {
            self.0.id()
        }

        pub(super) fn spawn(
            &self,
            work: impl Future<Output = Landed> + Send + 'static,
        ) -> impl Future<Output = Landed> + Send + 'static {
            Task(self.0.spawn(work))
        }
    }

    /// A task that is aborted when its handle goes away.
    struct Task(JoinHandle<Landed>);

    impl Future for Task {
        type Output = Landed;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Landed> {
            self.0
                .poll_unpin(context)
                .map(|joined| joined.unwrap_or(Landed::Abandoned))
        }
    }

    impl Drop for Task {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
}

#[cfg(not(feature = "tokio"))]
mod without_runtime {
    use super::Landed;

    pub(super) type RuntimeId = std::convert::Infallible;

    /// There is none.
    pub(super) enum Runtime {}

    impl Runtime {
        pub(super) fn current() -> Option<Self> {
            None
        }

        pub(super) fn id(&self) -> RuntimeId {
            match *self {}
        }

        pub(super) fn spawn(
            &self,
            _: impl Future<Output = Landed>,
        ) -> std::future::Pending<Landed> {
            match *self {}
        }
    }
}
