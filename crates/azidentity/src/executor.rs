//! Running other people's programs: the official crate's trait, and what implements it on this machine.

#[cfg(test)]
mod tests;
mod thread;
#[cfg(feature = "tokio")]
mod tokio_process;

use std::{
    ffi::OsStr,
    fmt, io,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use async_trait::async_trait;

use crate::Environment;

/// A [process creation flag](https://learn.microsoft.com/windows/win32/procthread/process-creation-flags). Without it, a
/// service or a program with windows of its own would flash a console at its user.
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Runs a program and waits for its end.
///
/// [`new_executor`] makes one for this machine. Implement it to run tools in a container, on another machine or not at all
/// (in a test).
///
/// ```
/// use std::{collections::HashMap, ffi::OsStr, io, process::Output};
///
/// use azidentity::Executor;
///
/// /// Knows by heart what some programs would print.
/// #[derive(Debug)]
/// struct Rehearsed(HashMap<String, Output>);
///
/// #[async_trait::async_trait]
/// impl Executor for Rehearsed {
///     async fn run(&self, program: &OsStr, _args: &[&OsStr]) -> io::Result<Output> {
///         let output = self.0.get(&*program.to_string_lossy());
///         output.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
///     }
/// }
/// ```
#[async_trait]
pub trait Executor: Send + Sync + fmt::Debug {
    /// Runs `program` with `args` until it ends, and returns its exit status and all that it printed.
    ///
    /// A program that ran is a success here, whatever its exit status. An error means that it could not be started
    /// ([`io::ErrorKind::NotFound`]: there is no such program) or not be waited for.
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output>;
}

/// Makes an [`Executor`] that runs programs on this machine.
///
/// A program that is named without a folder is searched for in `PATH`. It inherits variables and the working folder, gets
/// nothing to read, and on Windows opens no window. There is no limit to its time or output: whoever no longer wants to
/// wait drops the future, and the program is killed; what it had started itself is not.
///
/// With the feature `tokio` the caller's tokio runtime waits for the program; it must have its I/O driver (`enable_io`).
/// Outside of a runtime, and without the feature, threads wait, and any executor of futures will do.
pub fn new_executor() -> Arc<dyn Executor> {
    with_manner(Manner::default())
}

/// The same for programs whose output is a secret or foreign text: it runs them in `folder`, lets what they say on standard
/// error go nowhere, and kills what prints more than `longest_output` bytes, which is an error of kind
/// [`io::ErrorKind::FileTooLarge`].
pub(crate) fn careful_executor(
    folder: Option<PathBuf>,
    longest_output: usize,
) -> Arc<dyn Executor> {
    with_manner(Manner {
        folder,
        longest_output: Some(longest_output),
    })
}

/// A folder into which only an administrator can put things that a program would look for beside itself.
pub(crate) fn safe_folder(environment: &Environment) -> Option<PathBuf> {
    if cfg!(windows) {
        environment.variable("SystemRoot").map(PathBuf::from)
    } else {
        let _ = environment;
        Some(PathBuf::from("/"))
    }
}

fn with_manner(manner: Manner) -> Arc<dyn Executor> {
    #[cfg(feature = "tokio")]
    {
        Arc::new(tokio_process::TokioExecutor(manner))
    }
    #[cfg(not(feature = "tokio"))]
    {
        Arc::new(thread::ThreadExecutor(manner))
    }
}

/// How programs are run.
#[derive(Clone, Debug, Default)]
struct Manner {
    /// `None` for the caller's own.
    folder: Option<PathBuf>,
    /// In bytes; of such a program standard error is not read. `None` for no limit, and both.
    longest_output: Option<usize>,
}

impl Manner {
    /// How many bytes to read at most: one more than is allowed.
    fn most_to_read(&self) -> u64 {
        self.longest_output
            .and_then(|longest| u64::try_from(longest).ok()?.checked_add(1))
            .unwrap_or(u64::MAX)
    }

    fn check_length(&self, read: &[u8]) -> io::Result<()> {
        match self.longest_output {
            Some(longest) if read.len() > longest => Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("the program printed more than {longest} bytes"),
            )),
            _ => Ok(()),
        }
    }
}

/// The program, captured, with nothing to read: a tool that asks a question must not wait for a terminal that it shares
/// with us, or swallow what was meant for the caller's program.
fn command(program: &OsStr, args: &[&OsStr], manner: &Manner) -> Command {
    let mut command = Command::new(program);
    if let Some(folder) = &manner.folder {
        command.current_dir(folder);
    }
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if manner.longest_output.is_some() {
            Stdio::null()
        } else {
            Stdio::piped()
        });
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command
}
