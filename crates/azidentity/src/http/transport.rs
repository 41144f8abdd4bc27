//! How requests get to a server: over a transport that credentials share, over one with the caller's settings, or over the
//! caller's own.
//!
//! A pool of connections is driven by the runtime on which its connections were opened and must not outlive it, so
//! there is a client for each runtime, made at its first request and dropped with the runtime.

use azure_core::http::Transport;

use crate::IdentityError;

#[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
use super::pools::Pools;

/// Where requests go, which decides how they get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Destination {
    /// Microsoft Entra: through the proxy that the environment names, trusting the system's roots.
    Authority,
    /// A managed identity endpoint near this machine: directly, or not at all.
    Metadata,
}

/// The way of one credential's requests.
#[derive(Debug)]
pub(super) enum Way {
    /// The caller's own transport.
    Callers(Transport),
    /// Clients of ours, one for each runtime.
    #[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
    Pools(std::sync::Arc<Pools>),
    /// There is neither.
    #[cfg(not(all(feature = "reqwest_no_tls", feature = "tokio")))]
    None,
}

impl Way {
    /// The transport for a request that is made here and now.
    pub(super) fn transport(&self) -> Result<Transport, IdentityError> {
        match self {
            Self::Callers(transport) => Ok(transport.clone()),
            #[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
            Self::Pools(pools) => pools.transport(),
            #[cfg(not(all(feature = "reqwest_no_tls", feature = "tokio")))]
            Self::None => Err(IdentityError::new(
                crate::FailureKind::Configuration,
                "there is no HTTP client: turn on azidentity's features `tokio` and `reqwest`, or set \
                 `client_options.transport` to one of your own",
            )),
        }
    }

    /// The way that credentials share.
    pub(super) fn shared(destination: Destination) -> Self {
        #[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
        {
            Self::Pools(Pools::shared(destination))
        }
        #[cfg(not(all(feature = "reqwest_no_tls", feature = "tokio")))]
        {
            let _ = destination;
            Self::None
        }
    }
}
