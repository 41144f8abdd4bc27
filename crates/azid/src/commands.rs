//! The commands, one file each.

mod completions;
mod demo;
mod emulator;
mod inspect;
mod token;

use std::{ffi::OsString, future::Future, process::ExitCode};

use tokio::runtime;

use crate::{
    cli::{Command, ReportOutput, TokenOutput},
    failure::{Failure, Style},
    logging, usage,
};

/// Runs the command that `args` name.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    let cli = match usage::parse(args) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    logging::start(cli.verbose);
    let style = style(&cli.command);
    let done = match &cli.command {
        Command::Token(args) => token::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Emulator(args) => emulator::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Completions(args) => completions::run(args),
    };
    done.unwrap_or_else(|failure| {
        failure.report(style);
        failure.exit_code()
    })
}

fn style(command: &Command) -> Style {
    let json = match command {
        Command::Token(args) => args.output == TokenOutput::Json,
        Command::Inspect(args) => args.output == ReportOutput::Json,
        Command::Demo(args) => args.output == ReportOutput::Json,
        Command::Emulator(_) | Command::Completions(_) => false,
    };
    if json { Style::Json } else { Style::Text }
}

/// Runs a command's asynchronous part. One thread is enough for it, and costs nothing at start.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("the system gives no event queue: {error}")))?;
    let done = runtime.block_on(work);
    // A look-up of a host name that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    Ok(done)
}
