//! The chain that fits most programs: whatever this machine can sign in with.

mod member;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use azure_core::{credentials::TokenRequestOptions, http::ClientOptions};
use tracing::debug;

use crate::{AccessTokenInfo, Credential, IdentityError, managed_identity::UserAssignedId};

use super::{
    Remembers,
    chained::{Chain, ChainMember},
    environment::EnvironmentCredential,
    implement_credential,
    managed_identity::ManagedIdentityCredential,
    settings::{EntraSettings, entra_setters},
    workload_identity::WorkloadIdentityCredential,
};

pub use member::DefaultChainMember;
use member::by_variable;

const NAME: &str = "default";

/// The user-assigned managed identity to use when the option names none.
const CLIENT_ID_VARIABLE: &str = "AZURE_CLIENT_ID";

/// Options of a [`DefaultAzureCredential`]. There are more in its [builder](DefaultAzureCredential::builder).
#[derive(Clone, Default)]
pub struct DefaultAzureCredentialOptions {
    /// Options of the members' HTTP pipelines.
    pub client_options: ClientOptions,
}

impl fmt::Debug for DefaultAzureCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAzureCredentialOptions")
            .finish_non_exhaustive()
    }
}

/// Asks the credentials that this machine may have, in order, and stays with the first that gives a token:
///
/// 1. [`EnvironmentCredential`]: an application described by environment variables
/// 2. [`WorkloadIdentityCredential`]: the service account of a pod in Kubernetes; never by way of a token proxy
/// 3. [`ManagedIdentityCredential`]: the identity of the Azure host
///
/// The variable `AZURE_TOKEN_CREDENTIALS` narrows the chain: `prod` or `dev`, or one member's type name such as
/// `ManagedIdentityCredential`, without regard to letter case. What the builder includes or excludes wins over it.
///
/// A member that is unavailable is passed over; one that tried and was refused stops the chain, since the user meant it.
///
/// ```no_run
/// # async fn example() -> azure_core::Result<()> {
/// use azidentity::DefaultAzureCredential;
/// use azure_core::credentials::TokenCredential;
///
/// let credential = DefaultAzureCredential::new(None)?;
/// let token = credential.get_token(&["https://storage.azure.com/.default"], None).await?;
/// # Ok(()) }
/// ```
pub struct DefaultAzureCredential {
    chain: LoyalChain,
}

impl DefaultAzureCredential {
    /// Makes the chain; sends nothing yet.
    ///
    /// A member that can't be made is reported when its turn comes. Fails with
    /// [`FailureKind::Configuration`](crate::FailureKind::Configuration) when `AZURE_TOKEN_CREDENTIALS` has a value that
    /// means nothing, or no member is left.
    pub fn new(options: Option<DefaultAzureCredentialOptions>) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        Self::builder()
            .client_options(options.client_options)
            .build()
    }

    /// Starts a chain with further options.
    pub fn builder() -> DefaultAzureCredentialBuilder {
        DefaultAzureCredentialBuilder::default()
    }
}

impl fmt::Debug for DefaultAzureCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAzureCredential")
            .field("members", &self.chain.chain.members)
            .field("winner", &self.chain.winner().map(ChainMember::name))
            .finish()
    }
}

implement_credential!(DefaultAzureCredential, chain);

/// A chain that stays with the first member that has given a token.
struct LoyalChain {
    chain: Chain,
    winner: OnceLock<usize>,
}

impl LoyalChain {
    fn name(&self) -> &'static str {
        self.chain.name()
    }

    fn winner(&self) -> Option<&ChainMember> {
        self.chain.members.get(*self.winner.get()?)
    }

    async fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        if let Some(member) = self.winner() {
            return member.get_token_info(scopes, options).await;
        }
        let (index, info) = self.chain.walk(scopes, options).await?;
        if self.winner.set(index).is_ok() {
            debug!(
                credential = info.credential(),
                "the default chain stays with this credential"
            );
        }
        Ok(info)
    }
}

impl Remembers for LoyalChain {
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.winner()?.cached(scopes, options)
    }
}

/// Makes a [`DefaultAzureCredential`].
#[derive(Default)]
pub struct DefaultAzureCredentialBuilder {
    settings: EntraSettings,
    managed_identity_client_options: Option<ClientOptions>,
    managed_identity_client_id: Option<String>,
    workload_identity_client_id: Option<String>,
    workload_identity_tenant_id: Option<String>,
    choices: Vec<(DefaultChainMember, bool)>,
}

impl DefaultAzureCredentialBuilder {
    entra_setters!();

    /// Sets the options of the managed identity's HTTP pipeline, where they differ from the others': its transport must
    /// not go through a proxy. Default: the [client options](Self::client_options).
    #[must_use]
    pub fn managed_identity_client_options(mut self, options: ClientOptions) -> Self {
        self.managed_identity_client_options = Some(options);
        self
    }

    /// Names a user-assigned managed identity by its client id. Default: the environment variable `AZURE_CLIENT_ID`, else
    /// the system-assigned identity.
    #[must_use]
    pub fn managed_identity_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.managed_identity_client_id = Some(client_id.into());
        self
    }

    /// Sets the client id of the workload identity. Default: the environment variable `AZURE_CLIENT_ID`, else the
    /// [managed identity's client id](Self::managed_identity_client_id).
    #[must_use]
    pub fn workload_identity_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.workload_identity_client_id = Some(client_id.into());
        self
    }

    /// Sets the tenant of the workload identity. Default: the environment variable `AZURE_TENANT_ID`.
    #[must_use]
    pub fn workload_identity_tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.workload_identity_tenant_id = Some(tenant_id.into());
        self
    }

    /// Puts a member in, whatever `AZURE_TOKEN_CREDENTIALS` says. The last choice for a member counts.
    #[must_use]
    pub fn include(mut self, member: DefaultChainMember) -> Self {
        self.choices.push((member, true));
        self
    }

    /// Leaves a member out, whatever `AZURE_TOKEN_CREDENTIALS` says. The last choice for a member counts.
    #[must_use]
    pub fn exclude(mut self, member: DefaultChainMember) -> Self {
        self.choices.push((member, false));
        self
    }

    /// Finishes the chain. Fails as [`DefaultAzureCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<DefaultAzureCredential>> {
        let chosen = self.chosen().map_err(|error| error.of_credential(NAME))?;
        let members = chosen.into_iter().map(|member| self.make(member)).collect();
        Ok(Arc::new(DefaultAzureCredential {
            chain: LoyalChain {
                chain: Chain::new(NAME, members)?,
                winner: OnceLock::new(),
            },
        }))
    }

    fn chosen(&self) -> Result<Vec<DefaultChainMember>, IdentityError> {
        let by_variable = by_variable(&self.settings.environment)?;
        Ok(DefaultChainMember::all()
            .filter(|member| {
                let choice = self.choices.iter().rfind(|(chosen, _)| chosen == member);
                choice.map_or_else(|| by_variable.contains(member), |&(_, include)| include)
            })
            .collect())
    }

    fn make(&self, member: DefaultChainMember) -> ChainMember {
        let mut settings = self.settings.clone();
        if let Some(options) = &self.managed_identity_client_options {
            settings.metadata_client_options = options.clone();
        }
        let made: Result<ChainMember, IdentityError> = match member {
            DefaultChainMember::Environment => EnvironmentCredential::builder()
                .in_default_chain(settings)
                .build_inner()
                .map(|credential| Arc::new(credential).into()),
            DefaultChainMember::WorkloadIdentity => {
                // The variable is the webhook's, and tells more of this pod than an option for managed identities.
                let client_id = self
                    .workload_identity_client_id
                    .clone()
                    .filter(|id| !id.is_empty())
                    .or_else(|| self.settings.environment.variable(CLIENT_ID_VARIABLE))
                    .or_else(|| self.managed_identity_client_id.clone());
                WorkloadIdentityCredential::builder()
                    .settings(settings)
                    .client_id(client_id.unwrap_or_default())
                    .tenant_id(self.workload_identity_tenant_id.clone().unwrap_or_default())
                    .build_inner()
                    .map(|credential| Arc::new(credential).into())
            }
            DefaultChainMember::ManagedIdentity => {
                let client_id = self
                    .managed_identity_client_id
                    .clone()
                    .or_else(|| self.settings.environment.variable(CLIENT_ID_VARIABLE));
                let options = self.managed_identity_client_options.as_ref();
                let mut builder = ManagedIdentityCredential::builder()
                    .client_options(options.unwrap_or(&self.settings.client_options).clone())
                    .enable_support_logging(self.settings.support_logging)
                    .environment(self.settings.environment.clone());
                if let Some(client_id) = client_id {
                    builder = builder.user_assigned_id(UserAssignedId::ClientId(client_id));
                }
                builder
                    .build_inner()
                    .map(|credential| Arc::new(credential).into())
            }
        };
        made.unwrap_or_else(|error| ChainMember::unmade(member.name(), error))
    }
}

impl fmt::Debug for DefaultAzureCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultAzureCredentialBuilder")
            .field("choices", &self.choices)
            .finish_non_exhaustive()
    }
}
