//! Programs that the caller's tokio runtime waits for.

use std::{ffi::OsStr, io, process::Output};

use async_trait::async_trait;
use tokio::{process::Command, runtime::Handle};

use super::{Executor, command};

#[derive(Debug)]
pub(super) struct TokioExecutor;

#[async_trait]
impl Executor for TokioExecutor {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        // Starting a process outside of a runtime is a panic in tokio.
        if Handle::try_current().is_err() {
            return Err(io::Error::other(format!(
                "{} was not started: this is outside of a tokio runtime, which would have to wait for its end; \
                 call from within one, or use an `Executor` of your own",
                program.display()
            )));
        }
        Command::from(command(program, args))
            .kill_on_drop(true)
            .output()
            .await
    }
}
