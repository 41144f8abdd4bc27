//! Which provider issues the assertions.

use std::{ffi::OsString, fmt, path::PathBuf, str::FromStr};

use azure_core::http::ClientOptions;

use crate::{
    Environment, IdentityError,
    entra::AssertionSource,
    http::{Destination, HttpPipeline, RetryRules},
};

use super::{
    AssertionFile, github_actions::GitHubActions, google_cloud::GoogleCloud, program::Program,
    variable::Variable,
};

/// Where a [`FederatedCredential`](crate::FederatedCredential) gets its assertions. They are fetched anew for each
/// exchange.
///
/// Written as text, as on the command line:
///
/// | text | assertions of |
/// | --- | --- |
/// | `github-actions` | [`GitHubActions`](Self::GitHubActions) |
/// | `gcp` | [`GoogleCloud`](Self::GoogleCloud) |
/// | `env:NAME` | [`Variable`](Self::Variable) |
/// | `file:PATH` | [`File`](Self::File) |
/// | `exec:PROGRAM` | [`Program`](Self::Program), whose arguments [`with_args`](Self::with_args) adds |
///
/// ```
/// use azidentity::FederatedAssertion;
///
/// let source: FederatedAssertion = "env:AZURE_ID_TOKEN".parse().expect("a known source");
/// assert_eq!(source, FederatedAssertion::Variable("AZURE_ID_TOKEN".into()));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FederatedAssertion {
    /// The job of GitHub Actions that this runs in. It needs `permissions: id-token: write`, by which it gets the variables
    /// `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`
    /// ([documentation](https://docs.github.com/actions/concepts/security/openid-connect)).
    GitHubActions,
    /// The default service account of the machine or container on Google Cloud. The variable `GCE_METADATA_HOST` moves its
    /// metadata server
    /// ([documentation](https://cloud.google.com/compute/docs/instances/verifying-instance-identity)).
    GoogleCloud,
    /// An environment variable, such as GitLab makes for `id_tokens`.
    Variable(String),
    /// A file that something else renews, read as an [`AssertionFile`].
    File(PathBuf),
    /// What a program prints on its standard output, at most 64 KiB within 30 seconds, after which it is killed.
    ///
    /// It runs without a shell and with nothing to read, in the root folder of the system, so that nothing in the current
    /// folder takes part: give full paths in the arguments. An exit code other than 0 is a failure; what the program
    /// printed is then not shown, because it may hold a secret.
    Program {
        /// A full path, or a bare name that is searched for in the absolute folders of `PATH`.
        program: PathBuf,
        /// Its arguments.
        args: Vec<OsString>,
    },
}

impl FederatedAssertion {
    /// Adds arguments for the program.
    ///
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when there are some and no program takes
    /// them.
    pub fn with_args<A: Into<OsString>>(
        mut self,
        added: impl IntoIterator<Item = A>,
    ) -> azure_core::Result<Self> {
        let mut added = added.into_iter().map(Into::into).peekable();
        match &mut self {
            Self::Program { args, .. } => args.extend(added),
            _ if added.peek().is_none() => {}
            _ => {
                return Err(IdentityError::configuration(
                    "arguments for a program were given, but the assertions come from no program; leave them out, or \
                     name the program with exec:PROGRAM",
                )
                .into());
            }
        }
        Ok(self)
    }

    pub(crate) fn source(
        self,
        setting: Setting,
    ) -> Result<Box<dyn AssertionSource>, IdentityError> {
        let Setting {
            audience,
            client_options,
            environment,
        } = setting;
        let http = |destination| {
            let environment = environment.clone();
            HttpPipeline::new(
                client_options,
                destination,
                RetryRules::STANDARD,
                environment,
            )
        };
        Ok(match self {
            Self::GitHubActions => {
                let http = http(Destination::Authority)?;
                Box::new(GitHubActions::new(audience, http, environment.clone()))
            }
            Self::GoogleCloud => {
                let http = http(Destination::Metadata)?;
                Box::new(GoogleCloud::new(&audience, http, &environment)?)
            }
            Self::Variable(name) => Box::new(Variable::new(name, environment.clone())?),
            Self::File(path) => Box::new(AssertionFile::new(path)),
            Self::Program { program, args } => {
                Box::new(Program::new(program, args, environment.clone())?)
            }
        })
    }
}

/// What the sources of assertions need of the world.
pub(crate) struct Setting {
    pub(crate) audience: String,
    pub(crate) client_options: ClientOptions,
    pub(crate) environment: Environment,
}

impl FromStr for FederatedAssertion {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        match (name, value) {
            ("github-actions", None) => Ok(Self::GitHubActions),
            ("gcp", None) => Ok(Self::GoogleCloud),
            ("env", Some(name)) if !name.is_empty() => Ok(Self::Variable(name.into())),
            ("file", Some(path)) if !path.is_empty() => Ok(Self::File(path.into())),
            ("exec", Some(program)) if !program.is_empty() => Ok(Self::Program {
                program: program.into(),
                args: Vec::new(),
            }),
            // The text is not repeated: it may be an assertion that was put in the wrong place.
            _ => Err(IdentityError::configuration(
                "this is no source of assertions; it can be github-actions, gcp, env:NAME, file:PATH or exec:PROGRAM",
            )),
        }
    }
}

/// Shows no arguments: one of them may be a secret.
impl fmt::Debug for FederatedAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GitHubActions => f.write_str("GitHubActions"),
            Self::GoogleCloud => f.write_str("GoogleCloud"),
            Self::Variable(name) => f.debug_tuple("Variable").field(name).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Program { program, .. } => f
                .debug_struct("Program")
                .field("program", program)
                .finish_non_exhaustive(),
        }
    }
}
