//! The transports that credentials share unless their caller brings one.
//!
//! A pool of connections is driven by the runtime on which its connections were opened and must not outlive it, so
//! there is one for each runtime, made at its first request and dropped with the runtime.

use azure_core::http::Transport;

use crate::IdentityError;

use super::guard::final_error;

/// Where requests go, which decides how they get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Destination {
    /// Microsoft Entra: through the proxy that the environment names, trusting the system's roots.
    Authority,
    /// A managed identity endpoint near this machine: directly, or not at all.
    Metadata,
}

impl Destination {
    /// The shared transport of the runtime that the caller runs on.
    pub(super) fn transport(self) -> azure_core::Result<Transport> {
        shared_transport(self).map_err(final_error)
    }
}

#[cfg(not(all(feature = "reqwest_no_tls", feature = "tokio")))]
fn shared_transport(_: Destination) -> Result<Transport, IdentityError> {
    Err(IdentityError::configuration(
        "there is no HTTP client: turn on azidentity's features `tokio` and `reqwest`, or set `client_options.transport` \
         to one of your own",
    ))
}

#[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
use pools::shared_transport;

#[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
mod pools {
    use std::{
        collections::HashMap,
        panic::{AssertUnwindSafe, catch_unwind},
        sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
        time::Duration,
    };

    use azure_core::http::{HttpClient, Transport, new_http_client};
    use tokio::runtime::{Handle, Id};

    use super::{Destination, IdentityError};

    /// Metadata endpoints are near or absent.
    const METADATA_CONNECT_LIMIT: Duration = Duration::from_secs(2);

    type Pools = HashMap<(Destination, Id), Arc<dyn HttpClient>>;

    static POOLS: LazyLock<Mutex<Pools>> = LazyLock::new(Mutex::default);

    pub(super) fn shared_transport(destination: Destination) -> Result<Transport, IdentityError> {
        let runtime = Handle::try_current().map_err(|_| {
            IdentityError::configuration(
                "the built-in HTTP client needs a tokio runtime, and the request was made outside of one; call from \
                 inside a runtime, or set `client_options.transport` to a client that needs none",
            )
        })?;
        let key = (destination, runtime.id());
        if let Some(client) = pools().get(&key) {
            return Ok(Transport::new(client.clone()));
        }
        // Made outside the lock: it takes milliseconds. Of two that are made at once, the first to arrive is kept.
        let made = client(destination)?;
        let mut pools = pools();
        let kept = pools.entry(key).or_insert_with(|| {
            let leaving = Leaving(key);
            runtime.spawn(async move {
                let _leaving = leaving;
                std::future::pending::<()>().await;
            });
            made
        });
        Ok(Transport::new(kept.clone()))
    }

    /// Lives in a task of the runtime; dropped when the runtime ends.
    struct Leaving((Destination, Id));

    impl Drop for Leaving {
        fn drop(&mut self) {
            let client = pools().remove(&self.0);
            drop(client);
        }
    }

    fn pools() -> MutexGuard<'static, Pools> {
        POOLS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both ways of making a client panic when TLS can't be set up, for example when rustls was built without a
    /// cryptography provider.
    fn client(destination: Destination) -> Result<Arc<dyn HttpClient>, IdentityError> {
        let made = catch_unwind(AssertUnwindSafe(|| match destination {
            Destination::Authority => Ok(new_http_client(None)),
            Destination::Metadata => metadata_client(),
        }));
        made.unwrap_or(Err(None)).map_err(|why: Option<reqwest::Error>| {
            let error = IdentityError::configuration(
                "the built-in HTTP client could not be made; turn on a TLS feature of reqwest, or set \
                 `client_options.transport` to a client of your own",
            );
            match why {
                Some(why) => error.with_source(why),
                None => error,
            }
        })
    }

    fn metadata_client() -> Result<Arc<dyn HttpClient>, Option<reqwest::Error>> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .no_deflate()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(METADATA_CONNECT_LIMIT)
            .build()
            .map_err(Some)?;
        Ok(Arc::new(client))
    }
}
