//! The emulator as its clients see it, over the network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod client;
mod configuration;
mod discovery;
mod lifecycle;
mod managed_identity;
mod recording;
mod robustness;
mod tls;
mod token_endpoint;
mod tokens;
