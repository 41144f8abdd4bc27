//! Assertions that a program prints: for identity providers that are not known here.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{
    Environment, IdentityError,
    entra::{AssertionSource, Audience, LONGEST_ASSERTION},
    executor,
    secret::SecretText,
    token::TokenRequest,
};

use super::{assertion, tidy};

/// How long the program may take before it is killed.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) struct Program {
    name: PathBuf,
    args: Vec<OsString>,
    environment: Environment,
}

impl Program {
    pub(super) fn new(
        program: PathBuf,
        args: Vec<OsString>,
        environment: Environment,
    ) -> Result<Self, IdentityError> {
        if !(program.is_absolute() || is_bare_name(&program)) {
            return Err(IdentityError::configuration(format!(
                "the program {} is neither a full path nor a bare name; it would depend on the folder from which this \
                 program was started, so give its full path, or its name alone to have it found in PATH",
                program.display()
            )));
        }
        Ok(Self {
            name: program,
            args,
            environment,
        })
    }

    /// The full path: what the system would search for by itself could come from the current folder.
    fn locate(&self) -> Result<PathBuf, IdentityError> {
        if self.name.is_absolute() {
            return Ok(self.name.clone());
        }
        let name = self.name.to_string_lossy();
        self.environment.find_program(&name).ok_or_else(|| {
            IdentityError::unavailable(format!(
                "there is no assertion: the program {name} is in none of the absolute folders of PATH; install it, or \
                 give its full path"
            ))
        })
    }
}

#[async_trait]
impl AssertionSource for Program {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        _request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        let path = self.locate()?;
        let shown = path.display();
        let args: Vec<&OsStr> = self.args.iter().map(OsString::as_os_str).collect();
        let executor = executor::careful_executor(
            executor::safe_folder(&self.environment),
            // White space around it may come on top.
            LONGEST_ASSERTION + 1024,
        );
        let run = executor.run(path.as_os_str(), &args);
        let Some(result) = self.environment.within(LIMIT, run).await else {
            return Err(failed(format!(
                "{shown} was to print an assertion and has not closed its output within {} seconds, so it was stopped; it \
                 may be waiting for an answer or for the network, or have left something running that holds the output open",
                LIMIT.as_secs()
            )));
        };
        let mut output = result.map_err(|error| not_run(&path, error))?;
        let printed = Zeroizing::new(std::mem::take(&mut output.stdout));
        if !output.status.success() {
            return Err(failed(format!(
                "{shown} was to print an assertion and failed ({}); run it by hand to see what it says, which is not \
                 repeated here because it may hold a secret",
                output.status
            )));
        }
        let text = tidy(&printed).map_err(|found| {
            failed(format!(
                "{shown} was to print an assertion and printed {found}; it has to print the token and nothing else"
            ))
        })?;
        if text.is_empty() {
            return Err(failed(format!(
                "{shown} was to print an assertion and printed nothing on its standard output; it has to print the \
                 token and nothing else"
            )));
        }
        assertion(text, &format!("the program {shown}"))
    }
}

fn failed(message: String) -> IdentityError {
    IdentityError::authentication_failed(message)
}

fn not_run(path: &Path, error: io::Error) -> IdentityError {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => IdentityError::unavailable(format!(
            "there is no assertion: the program {shown} does not exist, or the interpreter that it names does not; \
             check the path"
        )),
        io::ErrorKind::PermissionDenied => IdentityError::configuration(format!(
            "the program {shown} may not be run by the user that this program runs as ({error}); make it executable"
        )),
        io::ErrorKind::FileTooLarge => failed(format!(
            "{shown} was to print an assertion and printed far more than one has; it has to print the token and \
             nothing else"
        )),
        _ => failed(format!("{shown} was to print an assertion and could not be run: {error}")),
    }
    .with_source(error)
}

/// Whether it is one name without a folder.
fn is_bare_name(program: &Path) -> bool {
    let mut parts = program.components();
    matches!(
        (parts.next(), parts.next()),
        (Some(std::path::Component::Normal(name)), None) if name == program.as_os_str()
    )
}
