//! The five ways in which getting a token can fail, and how to read them back out of an [`azure_core::Error`].
//!
//! Every credential returns [`azure_core::Error`], as the `TokenCredential` trait demands. Inside it travels an
//! [`IdentityError`], which says what kind of failure it was and carries what Microsoft Entra answered:
//!
//! ```
//! use azidentity::{FailureKind, IdentityError};
//!
//! fn explain(error: &azure_core::Error) -> &'static str {
//!     match IdentityError::find(error).map(IdentityError::kind) {
//!         Some(FailureKind::Configuration) => "fix the settings",
//!         Some(FailureKind::Unavailable) => "try another credential",
//!         Some(FailureKind::AuthenticationFailed) => "Entra refused",
//!         Some(FailureKind::InteractionRequired) => "somebody has to sign in",
//!         Some(FailureKind::Transport) => "check the network",
//!         _ => "something else",
//!     }
//! }
//! ```

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

use crate::secret::mask_tokens;

/// What kind of failure an [`IdentityError`] is.
///
/// The command line's exit codes are the same five kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The caller's settings can't work: a malformed scope, tenant or authority, an unreadable certificate.
    Configuration,
    /// The credential could not try, because what it needs is not there. A chain goes on with its next member.
    Unavailable,
    /// The credential tried and got no token. A chain stops here.
    AuthenticationFailed,
    /// A user has to sign in, and the credential was told not to ask.
    InteractionRequired,
    /// The server could not be reached, or the connection failed, after all retries.
    Transport,
}

impl FailureKind {
    /// The kind in lower case with underscores, as the command line prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Unavailable => "unavailable",
            Self::AuthenticationFailed => "authentication_failed",
            Self::InteractionRequired => "interaction_required",
            Self::Transport => "transport",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a token endpoint said when it refused, cleaned of everything that was posted to it.
///
/// The fields follow [RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2) and Microsoft
/// Entra's [error answer](https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerError {
    /// HTTP status of the answer.
    pub status: u16,
    /// OAuth 2.0 error code such as `invalid_client`, if the answer had a well-formed one.
    pub error: Option<String>,
    /// The `AADSTS` numbers, for example `7000215` for a wrong client secret.
    pub error_codes: Vec<u64>,
    /// Entra's finer classification of the error, if any.
    pub suberror: Option<String>,
    /// The id Microsoft support asks for, as the server gave it.
    pub correlation_id: Option<String>,
    /// The id of this answer in Entra's own traces.
    pub trace_id: Option<String>,
    /// Claims that the next request has to carry (a claims challenge), if the server asked for any.
    pub claims: Option<String>,
}

/// One member of a chain that was tried, and why it gave no token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Name of the credential, as in [`Credential::name`](crate::Credential::name).
    pub credential: String,
    /// Kind of its failure; `None` when a foreign credential failed with an error of its own.
    pub kind: Option<FailureKind>,
    /// Its message.
    pub message: String,
}

/// Why a credential gave no token. Cheap to clone; concurrent callers share one.
///
/// Get it out of an [`azure_core::Error`] with [`IdentityError::find`]. No message holds a secret, an assertion, an
/// authorization code or a token.
#[derive(Clone)]
pub struct IdentityError(Arc<Inner>);

struct Inner {
    kind: FailureKind,
    credential: Option<Cow<'static, str>>,
    message: String,
    server: Option<ServerError>,
    attempts: Vec<Attempt>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl IdentityError {
    /// A failure of a credential, transport or policy of your own. What looks like a token or a private key in the message
    /// is left out: people put them where a name or a path belongs.
    ///
    /// Inside the [`azure_core::Error`] that it returns, this
    /// tells chains whether to go on, and callers what kind of failure it is.
    ///
    /// ```
    /// use azidentity::{FailureKind, IdentityError};
    ///
    /// let error = azure_core::Error::from(IdentityError::new(
    ///     FailureKind::Unavailable,
    ///     "there is no smart card in the reader; insert one",
    /// ));
    /// # assert_eq!(IdentityError::find(&error).map(IdentityError::kind), Some(FailureKind::Unavailable));
    /// ```
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            credential: None,
            message: mask_tokens(message.into()),
            server: None,
            attempts: Vec::new(),
            source: None,
        }))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Configuration, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unavailable, message)
    }

    pub(crate) fn authentication_failed(message: impl Into<String>) -> Self {
        Self::new(FailureKind::AuthenticationFailed, message)
    }

    pub(crate) fn transport(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Transport, message)
    }

    /// The same failure as another kind: a managed identity endpoint that can't be reached is "unavailable" there.
    pub(crate) fn into_kind(self, kind: FailureKind) -> Self {
        self.edit(|inner| inner.kind = kind)
    }

    /// The same failure with more at the end of its message.
    pub(crate) fn adding(self, text: &str) -> Self {
        self.edit(|inner| inner.message.push_str(text))
    }

    pub(crate) fn with_server(self, server: ServerError) -> Self {
        self.edit(|inner| inner.server = Some(server))
    }

    pub(crate) fn with_attempts(self, attempts: Vec<Attempt>) -> Self {
        self.edit(|inner| inner.attempts = attempts)
    }

    pub(crate) fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.edit(|inner| inner.source = Some(Arc::new(source)))
    }

    /// Names the credential that failed, unless one further down has already been named: for credentials of your own.
    #[must_use]
    pub fn of_credential(self, name: impl Into<Cow<'static, str>>) -> Self {
        if self.0.credential.is_some() {
            return self;
        }
        self.edit(|inner| inner.credential = Some(name.into()))
    }

    fn edit(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Inner {
            kind: shared.kind,
            credential: shared.credential.clone(),
            message: shared.message.clone(),
            server: shared.server.clone(),
            attempts: shared.attempts.clone(),
            source: shared.source.clone(),
        });
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// The `IdentityError` inside `error` or anywhere in the chain of its sources.
    ///
    /// `None` means that the failure did not come from this crate.
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// The message without the name of the credential: what was tried, what was found, what to do next.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Name of the credential that failed, if one did; a configuration error can precede any credential.
    pub fn credential(&self) -> Option<&str> {
        self.0.credential.as_deref()
    }

    /// What the token endpoint answered, if it answered with an error.
    pub fn server(&self) -> Option<&ServerError> {
        self.0.server.as_ref()
    }

    /// The members of a chain that were tried, in order; empty when no chain was involved.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(credential) = &self.0.credential {
            write!(f, "{credential}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityError")
            .field("kind", &self.0.kind)
            .field("credential", &self.0.credential)
            .field("message", &self.0.message)
            .field("server", &self.0.server)
            .field("attempts", &self.0.attempts)
            .finish_non_exhaustive()
    }
}

impl StdError for IdentityError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// All kinds become [`azure_core::error::ErrorKind::Credential`], so that no retry policy of a service client repeats
/// a request because of a token that can't be had.
impl From<IdentityError> for azure_core::Error {
    fn from(error: IdentityError) -> Self {
        azure_core::Error::new(azure_core::error::ErrorKind::Credential, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_through_layers_of_other_errors() {
        let inner = IdentityError::unavailable("nothing here").of_credential("client-secret");
        let outer = azure_core::Error::with_error(
            azure_core::error::ErrorKind::Other,
            azure_core::Error::from(inner),
            "a service client's words",
        );
        let found = IdentityError::find(&outer).expect("typed error in the source chain");
        assert_eq!(found.kind(), FailureKind::Unavailable);
        assert_eq!(found.to_string(), "client-secret: nothing here");
        assert!(IdentityError::find(&std::io::Error::other("unrelated")).is_none());
    }

    #[test]
    fn the_innermost_credential_keeps_its_name() {
        let error = IdentityError::transport("x")
            .of_credential("inner")
            .of_credential("outer");
        assert_eq!(error.credential(), Some("inner"));
    }
}
