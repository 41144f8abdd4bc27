//! HTTP clients of our own: one for each runtime.

use std::{
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use azure_core::http::{HttpClient, Transport, new_http_client};
use tokio::runtime::{Handle, Id};

use crate::IdentityError;

use super::transport::Destination;

/// Metadata endpoints are near or absent.
const METADATA_CONNECT_LIMIT: Duration = Duration::from_secs(2);

static AUTHORITY: LazyLock<Arc<Pools>> = LazyLock::new(|| Pools::new(|| Ok(new_http_client(None))));

static METADATA: LazyLock<Arc<Pools>> = LazyLock::new(|| {
    Pools::new(|| {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .no_deflate()
            .connect_timeout(METADATA_CONNECT_LIMIT);
        finish(builder)
    })
});

type Make = dyn Fn() -> Result<Arc<dyn HttpClient>, IdentityError> + Send + Sync;

/// Makes clients, and keeps one for each runtime that lives.
pub(super) struct Pools {
    make: Box<Make>,
    clients: Mutex<HashMap<Id, Arc<dyn HttpClient>>>,
}

impl Pools {
    pub(super) fn new(
        make: impl Fn() -> Result<Arc<dyn HttpClient>, IdentityError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            make: Box::new(make),
            clients: Mutex::default(),
        })
    }

    /// Those that all credentials share.
    pub(super) fn shared(destination: Destination) -> Arc<Self> {
        match destination {
            Destination::Authority => AUTHORITY.clone(),
            Destination::Metadata => METADATA.clone(),
        }
    }

    /// Whether a client can be made at all; one is made for that and thrown away.
    #[cfg(feature = "reqwest")]
    pub(super) fn check(&self) -> Result<(), IdentityError> {
        self.make().map(drop)
    }

    /// The client of the runtime that the caller runs on.
    pub(super) fn transport(self: &Arc<Self>) -> Result<Transport, IdentityError> {
        let runtime = Handle::try_current().map_err(|_| {
            IdentityError::configuration(
                "the built-in HTTP client needs a tokio runtime, and the request was made outside of one; call from \
                 inside a runtime, or set `client_options.transport` to a client that needs none",
            )
        })?;
        let id = runtime.id();
        if let Some(client) = self.clients().get(&id) {
            return Ok(Transport::new(client.clone()));
        }
        // Made outside the lock: it takes milliseconds. Of two that are made at once, the first to arrive is kept.
        let made = self.make()?;
        let mut first = false;
        let kept = self
            .clients()
            .entry(id)
            .or_insert_with(|| {
                first = true;
                made
            })
            .clone();
        if first {
            // Outside the lock, too: a runtime that is shutting down drops the task on the spot.
            let leaving = Leaving {
                pools: Arc::downgrade(self),
                id,
            };
            runtime.spawn(async move {
                let _leaving = leaving;
                std::future::pending::<()>().await;
            });
        }
        Ok(Transport::new(kept))
    }

    /// Making a client panics when TLS can't be set up, for example when rustls was built without a cryptography provider.
    fn make(&self) -> Result<Arc<dyn HttpClient>, IdentityError> {
        catch_unwind(AssertUnwindSafe(|| (self.make)())).unwrap_or_else(|_| {
            Err(IdentityError::configuration(
                "the built-in HTTP client could not be made; turn on a TLS feature of reqwest, or set \
                 `client_options.transport` to a client of your own",
            ))
        })
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<Id, Arc<dyn HttpClient>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools").finish_non_exhaustive()
    }
}

/// Lives in a task of the runtime; dropped when the runtime ends.
struct Leaving {
    pools: std::sync::Weak<Pools>,
    id: Id,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(pools) = self.pools.upgrade() {
            let client = pools.clients().remove(&self.id);
            drop(client);
        }
    }
}

/// What all clients of ours have in common.
pub(super) fn finish(
    builder: reqwest::ClientBuilder,
) -> Result<Arc<dyn HttpClient>, IdentityError> {
    let client = builder
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| {
            IdentityError::configuration(
                "the built-in HTTP client could not be made; check the transport options and the TLS features",
            )
            .with_source(error)
        })?;
    Ok(Arc::new(client))
}
