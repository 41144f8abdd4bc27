//! The library through its public interface, against the emulator and against a wire that the test holds in its hand.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod bad_input;
mod bearer_token;
#[cfg(feature = "blocking")]
mod blocking;
mod chained;
mod client_secret;
mod default_azure;
mod environment;
mod logging;
mod managed_identity;
#[cfg(not(feature = "reqwest_no_tls"))]
mod no_client;
#[cfg(feature = "tokio")]
mod renewal;
#[cfg(feature = "tokio")]
mod runtimes;
mod single_flight;
mod support;
#[cfg(all(feature = "reqwest", feature = "tokio"))]
mod transport;
mod trust;
mod without_runtime;
