//! The emulator as its clients see it, over the network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod authorize;
mod certificate;
mod client;
mod clock;
mod configuration;
mod control;
mod discovery;
mod faults;
mod federated;
mod lifecycle;
mod managed_identity;
mod recording;
mod robustness;
mod script;
mod script_toml;
mod signer;
mod tls;
mod token_endpoint;
mod tokens;
mod users;
mod wire;
