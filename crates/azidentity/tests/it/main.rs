//! The library through its public interface, against the emulator and against a wire that the test holds in its hand.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod applications;
mod authorization_code;
mod azure_pipelines;
mod bad_input;
mod bearer_token;
#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "client_certificate")]
mod certificates;
#[cfg(feature = "client_certificate")]
mod certificates_damaged;
#[cfg(feature = "client_certificate")]
mod certificates_openssl;
#[cfg(feature = "client_certificate")]
mod certificates_refused;
mod chained;
mod challenge;
mod client_assertion;
#[cfg(feature = "client_certificate")]
mod client_certificate;
mod client_secret;
mod default_azure;
mod environment;
#[cfg(feature = "client_certificate")]
mod environment_certificate;
mod federated;
mod logging;
mod managed_identity;
#[cfg(not(feature = "reqwest_no_tls"))]
mod no_client;
mod on_behalf_of;
mod region;
#[cfg(feature = "tokio")]
mod renewal;
#[cfg(feature = "tokio")]
mod runtimes;
mod single_flight;
mod support;
mod tls;
mod token_proxy;
#[cfg(all(feature = "reqwest", feature = "tokio"))]
mod transport;
mod trust;
mod without_runtime;
mod workload_identity;
