//! Why a command failed: the exit code, the message for a person, the object for a program.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use azidentity::{Attempt, FailureKind, IdentityError, ServerError};
use serde::Serialize;

use crate::output;

/// A command's failure, which is either a credential's or the command's own.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A credential gave no token.
    Identity(IdentityError),
    /// The user asked for something that can't work.
    Configuration(String),
    /// Anything else, such as a full disk.
    Other(String),
}

/// How failures are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// One message for a person.
    Text,
    /// One object on one line.
    Json,
}

impl Failure {
    fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::Identity(error) => Some(error.kind()),
            Self::Configuration(_) => Some(FailureKind::Configuration),
            Self::Other(_) => None,
        }
    }

    /// The exit code, which scripts rely on.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind() {
            Some(FailureKind::Configuration) => 2,
            Some(FailureKind::Unavailable) => 3,
            Some(FailureKind::AuthenticationFailed) => 4,
            Some(FailureKind::InteractionRequired) => 5,
            _ => 1,
        })
    }

    /// Tells the user on standard error. Whether anybody listens there changes nothing.
    pub(crate) fn report(&self, style: Style) {
        let text = match style {
            Style::Text => {
                // Server texts, paths and arguments stand in messages, and only the message's own line breaks count.
                let lines: Vec<String> =
                    self.to_string().split('\n').map(output::visible).collect();
                format!("error: {}\n", lines.join("\n"))
            }
            Style::Json => format!("{}\n", output::json_line(&self.object())),
        };
        let _ = io::stderr().write_all(text.as_bytes());
    }

    fn object(&self) -> Object<'_> {
        let identity = match self {
            Self::Identity(error) => Some(error),
            Self::Configuration(_) | Self::Other(_) => None,
        };
        let server = identity.and_then(IdentityError::server);
        let attempts = identity.map(IdentityError::attempts).unwrap_or_default();
        Object {
            error: Details {
                kind: self.kind().map_or("other", FailureKind::as_str),
                message: self.to_string(),
                error: server.and_then(|server| server.error.as_deref()),
                error_codes: server
                    .map(|server| &server.error_codes[..])
                    .unwrap_or_default(),
                correlation_id: id(server, |server| &server.correlation_id),
                trace_id: id(server, |server| &server.trace_id),
                suberror: id(server, |server| &server.suberror),
                claims: id(server, |server| &server.claims),
                attempts: attempts.iter().map(AttemptObject::from).collect(),
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(error) => error.fmt(f),
            // The library's rule for what no message shows holds for the command's own, too.
            Self::Configuration(message) | Self::Other(message) => {
                let cleaned = IdentityError::new(FailureKind::Configuration, message.as_str());
                f.write_str(cleaned.message())
            }
        }
    }
}

/// What the library says; the rest of its errors can't be told apart.
impl From<azure_core::Error> for Failure {
    fn from(error: azure_core::Error) -> Self {
        match IdentityError::find(&error) {
            Some(typed) => Self::Identity(typed.clone()),
            None => Self::Other(error.to_string()),
        }
    }
}

fn id(
    server: Option<&ServerError>,
    which: impl FnOnce(&ServerError) -> &Option<String>,
) -> Option<&str> {
    which(server?).as_deref()
}

#[derive(Serialize)]
struct Object<'a> {
    error: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    kind: &'static str,
    message: String,
    error: Option<&'a str>,
    error_codes: &'a [u64],
    correlation_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    /// Entra's finer classification, where it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'a str>,
    /// What the next sign-in has to satisfy, where the server asked for something: for `--claims`.
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
    attempts: Vec<AttemptObject<'a>>,
}

#[derive(Serialize)]
struct AttemptObject<'a> {
    credential: &'a str,
    kind: &'static str,
    message: &'a str,
}

impl<'a> From<&'a Attempt> for AttemptObject<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            credential: &attempt.credential,
            kind: attempt.kind.map_or("other", FailureKind::as_str),
            message: &attempt.message,
        }
    }
}
