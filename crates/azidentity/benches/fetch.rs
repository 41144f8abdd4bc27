//! Tokens from memory: ours, the official crate's, and the limit itself (a look-up, a clock read and a copy).
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark may fail by panicking"
)]
fn main() {}
