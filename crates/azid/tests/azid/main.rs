//! The built program, driven from outside against an emulator in this process.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod applications;
mod completions;
mod demo;
mod emulator;
mod failures;
mod federation;
mod inspect;
mod secrecy;
mod secret_files;
mod streams;
mod stub;
mod support;
mod texts;
mod token;
mod trust;
mod users;
