//! `azid`: get, inspect and explain Azure access tokens from the command line.

mod cli;
mod commands;
mod credentials;
mod failure;
mod jwt;
mod logging;
mod output;
mod transport;
mod trust;
mod usage;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    commands::run(&args)
}
