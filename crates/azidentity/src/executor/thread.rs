//! Programs that threads wait for, where there may be no runtime.

use std::{
    ffi::OsStr,
    io::{self, Read},
    process::{Child, Command, ExitStatus, Output},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder},
    time::Duration,
};

use async_trait::async_trait;
use futures::channel::oneshot;

use super::{Executor, Manner, command};

/// Of each thread, so that a debugger or `top` tells what it is for.
const THREAD_NAME: &str = "azidentity-exec";

/// How long to wait before looking again whether a program has ended that closed its output: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
pub(super) struct ThreadExecutor(pub(super) Manner);

#[async_trait]
impl Executor for ThreadExecutor {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let command = command(program, args, &self.0);
        let manner = self.0.clone();
        let process = Process::default();
        let _kill_on_drop = KillOnDrop(process.clone());
        let (sender, receiver) = oneshot::channel();
        // The thread before the process: the other way round, a machine that is out of threads would leave a process
        // that nobody waits for.
        Builder::new().name(THREAD_NAME.into()).spawn(move || {
            // The caller may have gone away; then nobody needs the answer.
            let _ = sender.send(process.run(command, &manner));
        })?;
        receiver
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the thread that ran a program panicked")))
    }
}

/// A program that one thread waits for and another may kill.
#[derive(Clone, Default)]
struct Process(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    #[default]
    NotStarted,
    Started(Child),
    NotWanted,
}

impl Process {
    /// Starts the program and waits for its end. A blocking call.
    fn run(&self, mut command: Command, manner: &Manner) -> io::Result<Output> {
        let (stdout, stderr) = {
            let mut state = self.lock();
            if matches!(*state, State::NotWanted) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let mut child = command.spawn()?;
            let pipes = (child.stdout.take(), child.stderr.take());
            *state = State::Started(child);
            pipes
        };
        let read = read_both(
            || self.read_to_end(stdout, manner),
            || self.read_to_end(stderr, manner),
        );
        if read.is_err() {
            // It could now block for ever on a pipe that nobody empties.
            self.kill();
        }
        // Also a killed process has to be waited for, lest it stay as a zombie.
        let status = self.wait()?;
        let (stdout, stderr) = read?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Kills what prints too much: nobody empties its pipe any more, and whoever reads the other waits for its end.
    fn read_to_end(&self, pipe: Option<impl Read>, manner: &Manner) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            pipe.take(manner.most_to_read()).read_to_end(&mut bytes)?;
        }
        manner.check_length(&bytes).inspect_err(|_| self.kill())?;
        Ok(bytes)
    }

    /// Waits without holding the lock, so that the process can be killed meanwhile. As a rule it has closed its output by
    /// ending, and the first look is the last.
    fn wait(&self) -> io::Result<ExitStatus> {
        let mut pause = FIRST_PAUSE;
        loop {
            if let State::Started(child) = &mut *self.lock()
                && let Some(status) = child.try_wait()?
            {
                return Ok(status);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn kill(&self) {
        match &mut *self.lock() {
            // Does nothing to a process that has been waited for, whose id may be another's by now.
            // If it fails for another reason there is nothing else to try.
            State::Started(child) => drop(child.kill()),
            state => *state = State::NotWanted,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the wait of the thread, too: its pipes close with the process.
struct KillOnDrop(Process);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// Reads both pipes at once: a process that fills the one while we read the other would never end.
fn read_both(
    stdout: impl FnOnce() -> io::Result<Vec<u8>>,
    stderr: impl FnOnce() -> io::Result<Vec<u8>> + Send,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    thread::scope(|scope| {
        let other = Builder::new()
            .name(THREAD_NAME.into())
            .spawn_scoped(scope, stderr)?;
        let stdout = stdout();
        let stderr = other
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that read a pipe panicked")));
        Ok((stdout?, stderr?))
    })
}

#[cfg(test)]
mod tests {
    use std::{env, ffi::OsStr};

    use super::*;

    #[test]
    fn what_is_not_wanted_any_more_is_not_started() {
        let this = env::current_exe().unwrap();
        let manner = Manner::default();
        let list = || command(this.as_os_str(), &["--list".as_ref()] as &[&OsStr], &manner);
        assert!(Process::default().run(list(), &manner).is_ok());

        let process = Process::default();
        process.kill();
        let error = process.run(list(), &manner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert!(matches!(*process.lock(), State::NotWanted));
    }
}
