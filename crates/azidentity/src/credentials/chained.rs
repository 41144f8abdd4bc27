//! Several credentials in order: the first that gives a token wins.

use std::{fmt, sync::Arc};

use azure_core::{
    credentials::{TokenCredential, TokenRequestOptions},
    http::{ClientMethodOptions, Context},
};
use tracing::{debug, info, warn};

use crate::{
    AccessTokenInfo, Attempt, Credential, FailureKind, IdentityError,
    token::{ChainContext, validate_scopes},
};

use super::{Remembers, implement_credential};

/// One credential of a chain. It is a [`Credential`] itself, so that a foreign one can stand wherever ours do.
#[derive(Clone, Debug)]
pub struct ChainMember {
    member: Member,
}

#[derive(Clone, Debug)]
enum Member {
    Ours(Arc<dyn Credential>),
    Foreign {
        name: String,
        credential: Arc<dyn TokenCredential>,
    },
    Unmade {
        name: String,
        error: IdentityError,
    },
}

impl ChainMember {
    /// A credential that implements [`Credential`], as all of this crate do.
    pub fn new(credential: Arc<dyn Credential>) -> Self {
        Self {
            member: Member::Ours(credential),
        }
    }

    /// Any other `TokenCredential`, under a name for messages.
    ///
    /// Its failures stop the chain, unless an [`IdentityError`] of kind [`FailureKind::Unavailable`] or
    /// [`FailureKind::InteractionRequired`] is among the error's sources.
    pub fn foreign(name: impl Into<String>, credential: Arc<dyn TokenCredential>) -> Self {
        Self {
            member: Member::Foreign {
                name: name.into(),
                credential,
            },
        }
    }

    /// A credential that could not be made: its turn ends with `error`, which stops the chain or not as it would
    /// if the credential had returned it.
    pub fn unmade(name: impl Into<String>, error: IdentityError) -> Self {
        Self {
            member: Member::Unmade {
                name: name.into(),
                error,
            },
        }
    }
}

implement_credential!(ChainMember, member);

impl Member {
    fn name(&self) -> &str {
        match self {
            Self::Ours(credential) => credential.name(),
            Self::Foreign { name, .. } | Self::Unmade { name, .. } => name,
        }
    }

    async fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        match self {
            Self::Ours(credential) => credential.get_token_info(scopes, options).await,
            Self::Foreign { name, credential } => {
                let token = credential.get_token(scopes, options).await?;
                Ok(AccessTokenInfo::new(&token, name.clone()))
            }
            Self::Unmade { error, .. } => Err(error.clone().into()),
        }
    }
}

impl Remembers for Member {
    /// A foreign credential can't be asked for its memory alone.
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        match self {
            Self::Ours(credential) => credential.cached(scopes, options),
            Self::Foreign { .. } | Self::Unmade { .. } => None,
        }
    }
}

impl<C: Credential + 'static> From<Arc<C>> for ChainMember {
    fn from(credential: Arc<C>) -> Self {
        Self::new(credential)
    }
}

/// The members of a chain and how they are walked.
#[derive(Debug)]
pub(super) struct Chain {
    name: &'static str,
    pub(super) members: Vec<ChainMember>,
}

impl Chain {
    pub(super) fn new(
        name: &'static str,
        members: Vec<ChainMember>,
    ) -> Result<Self, IdentityError> {
        if members.is_empty() {
            return Err(IdentityError::configuration(
                "a chain needs at least one credential; add one, or exclude fewer",
            )
            .of_credential(name));
        }
        Ok(Self { name, members })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    async fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        let (_, info) = self.walk(scopes, options).await?;
        Ok(info)
    }

    /// Asks one member after the other. Returns the token and which member gave it.
    pub(super) async fn walk(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> Result<(usize, AccessTokenInfo), IdentityError> {
        validate_scopes(scopes).map_err(|error| error.of_credential(self.name))?;
        let context = options.map_or_else(Context::new, |options| {
            options.method_options.context.into_owned()
        });
        let context = context.with_value(ChainContext::Chained);
        let mut attempts = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            let options = TokenRequestOptions {
                method_options: ClientMethodOptions {
                    context: context.to_borrowed(),
                },
            };
            let result = member.get_token_info(scopes, Some(options)).await;
            let error = match result {
                Ok(info) => {
                    info!(
                        chain = self.name,
                        credential = member.name(),
                        "token acquired"
                    );
                    return Ok((index, info));
                }
                Err(error) => error,
            };
            let typed = IdentityError::find(&error);
            let attempt = Attempt {
                credential: member.name().to_owned(),
                kind: typed.map(IdentityError::kind),
                message: typed
                    .map_or_else(|| error.to_string(), |typed| typed.message().to_owned()),
            };
            debug!(
                chain = self.name,
                credential = attempt.credential,
                error = attempt.message,
                "no token"
            );
            let goes_on = matches!(
                attempt.kind,
                Some(FailureKind::Unavailable | FailureKind::InteractionRequired)
            );
            attempts.push(attempt);
            if !goes_on {
                return Err(self.failed(attempts, typed));
            }
        }
        Err(self.failed(attempts, None))
    }

    fn failed(&self, attempts: Vec<Attempt>, stopped_by: Option<&IdentityError>) -> IdentityError {
        use fmt::Write;

        let mut message = match attempts.last() {
            Some(last) if attempts.len() < self.members.len() || stopped_by.is_some() => format!(
                "no token, because {} tried and failed, which stops the chain; what was tried:",
                last.credential
            ),
            _ => "none of the credentials gave a token; what was tried:".to_owned(),
        };
        for attempt in &attempts {
            let _ = write!(message, "\n  {}: {}", attempt.credential, attempt.message);
        }
        warn!(chain = self.name, report = message, "no token");
        let mut error = IdentityError::authentication_failed(message).of_credential(self.name);
        if let Some(server) = stopped_by.and_then(IdentityError::server) {
            error = error.with_server(server.clone());
        }
        error.with_attempts(attempts)
    }
}

impl Remembers for Chain {
    /// Only the first member's memory counts: any other has its turn when those before it have failed again.
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.members.first()?.cached(scopes, options)
    }
}

/// Asks several credentials in order, from the first one anew at each call, until one gives a token.
///
/// A member that is [unavailable](FailureKind::Unavailable) or would have to
/// [ask the user](FailureKind::InteractionRequired) is passed over; any other failure stops the chain. Either way the
/// error is of kind [`FailureKind::AuthenticationFailed`] and lists what was tried
/// ([`IdentityError::attempts`]).
///
/// ```no_run
/// # fn example() -> azure_core::Result<()> {
/// use azidentity::{ChainedTokenCredential, EnvironmentCredential, ManagedIdentityCredential};
///
/// let credential = ChainedTokenCredential::new(vec![
///     EnvironmentCredential::new(None)?.into(),
///     ManagedIdentityCredential::new(None)?.into(),
/// ])?;
/// # Ok(()) }
/// ```
pub struct ChainedTokenCredential {
    chain: Chain,
}

impl ChainedTokenCredential {
    /// Makes a chain. Fails with [`FailureKind::Configuration`] when it has no member.
    pub fn new(members: Vec<ChainMember>) -> azure_core::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            chain: Chain::new("chain", members)?,
        }))
    }
}

impl fmt::Debug for ChainedTokenCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainedTokenCredential")
            .field("members", &self.chain.members)
            .finish()
    }
}

implement_credential!(ChainedTokenCredential, chain);
