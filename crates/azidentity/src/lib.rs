//! Azure Identity for Rust.
