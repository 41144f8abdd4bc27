//! Programs that the caller's tokio runtime waits for.

use std::{ffi::OsStr, io, process::Output};

use async_trait::async_trait;
use futures::future::try_join3;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    runtime::Handle,
};

use super::{Executor, Manner, command, thread::ThreadExecutor};

#[derive(Debug)]
pub(super) struct TokioExecutor(pub(super) Manner);

#[async_trait]
impl Executor for TokioExecutor {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        // Starting a process outside of a runtime is a panic in tokio.
        if Handle::try_current().is_err() {
            return ThreadExecutor(self.0.clone()).run(program, args).await;
        }
        let mut child = Command::from(command(program, args, &self.0))
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // Whichever fails first ends the others, and the child with them.
        let (stdout, stderr, status) = try_join3(
            self.read_to_end(stdout),
            self.read_to_end(stderr),
            child.wait(),
        )
        .await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

impl TokioExecutor {
    async fn read_to_end(&self, pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let mut pipe = pipe.take(self.0.most_to_read());
            pipe.read_to_end(&mut bytes).await?;
        }
        self.0.check_length(&bytes)?;
        Ok(bytes)
    }
}
