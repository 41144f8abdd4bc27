//! An application that another identity provider vouches for.

use std::{fmt, sync::Arc};

use azure_core::http::ClientOptions;

use crate::{
    FederatedAssertion, IdentityError,
    entra::ClientAuthentication,
    federation::{DEFAULT_AUDIENCE, Setting},
};

use super::{
    application::Application,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

const NAME: &str = "federated";

/// Options of a [`FederatedCredential`]. There are more in its [builder](FederatedCredential::builder).
#[derive(Clone, Default)]
pub struct FederatedCredentialOptions {
    /// Options of the credential's HTTP pipelines.
    pub client_options: ClientOptions,

    /// Whom the assertions are meant for, where the provider is told. Default: `api://AzureADTokenExchange`.
    pub audience: Option<String>,
}

impl fmt::Debug for FederatedCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederatedCredentialOptions")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// Authenticates an application, or a user-assigned managed identity, with assertions of an identity provider outside of
/// Microsoft Entra, so that no secret has to be kept
/// ([documentation](https://learn.microsoft.com/entra/workload-id/workload-identity-federation)).
///
/// The assertion is fetched anew for each exchange: a job that runs for hours outlives the minutes for which its first one
/// was valid.
///
/// ```no_run
/// # async fn example() -> azure_core::Result<()> {
/// use azidentity::{FederatedAssertion, FederatedCredential};
/// use azure_core::credentials::TokenCredential;
///
/// let credential = FederatedCredential::new(
///     "contoso.onmicrosoft.com",
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2",
///     FederatedAssertion::GitHubActions,
///     None,
/// )?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # Ok(()) }
/// ```
///
/// Where the provider is not there (outside of the job, on another cloud, a file that is missing), requests fail with
/// [`FailureKind::Unavailable`](crate::FailureKind::Unavailable), so that a chain goes on.
pub struct FederatedCredential {
    application: Application,
}

impl FederatedCredential {
    /// Makes a credential; neither sends anything nor fetches an assertion yet.
    ///
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when tenant, client id, audience or a
    /// part of the source is empty or malformed.
    pub fn new(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        assertion: FederatedAssertion,
        options: Option<FederatedCredentialOptions>,
    ) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        let mut builder =
            Self::builder(tenant_id, client_id, assertion).client_options(options.client_options);
        builder.audience = options.audience;
        builder.build()
    }

    /// Starts a credential with further options.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        assertion: FederatedAssertion,
    ) -> FederatedCredentialBuilder {
        FederatedCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            assertion,
            audience: None,
            assertion_client_options: None,
            settings: EntraSettings::default(),
        }
    }
}

impl fmt::Debug for FederatedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.application.describe("FederatedCredential", f)
    }
}

implement_credential!(FederatedCredential, application);

/// Makes a [`FederatedCredential`].
pub struct FederatedCredentialBuilder {
    tenant_id: String,
    client_id: String,
    assertion: FederatedAssertion,
    audience: Option<String>,
    assertion_client_options: Option<ClientOptions>,
    settings: EntraSettings,
}

impl FederatedCredentialBuilder {
    entra_setters!();

    /// Sets whom the assertions are meant for, where the provider is told: GitHub Actions and Google Cloud. It has to be the
    /// audience of the application's federated credential.
    ///
    /// Default: `api://AzureADTokenExchange`. Other clouds have others, such as `api://AzureADTokenExchangeUSGov` and
    /// `api://AzureADTokenExchangeChina`.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets the options of the HTTP pipeline that fetches the assertions, where they differ from the others': a transport for
    /// Google Cloud must not go through a proxy. Default: the [client options](Self::client_options).
    #[must_use]
    pub fn assertion_client_options(mut self, options: ClientOptions) -> Self {
        self.assertion_client_options = Some(options);
        self
    }

    /// Finishes the credential. Fails as [`FederatedCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<FederatedCredential>> {
        let audience = self.audience.unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned());
        if audience.trim().is_empty() {
            return Err(IdentityError::configuration(format!(
                "the audience of the assertions is empty; leave it out for {DEFAULT_AUDIENCE}"
            ))
            .of_credential(NAME)
            .into());
        }
        let setting = Setting {
            audience,
            client_options: self
                .assertion_client_options
                .unwrap_or_else(|| self.settings.client_options.clone()),
            environment: self.settings.environment.clone(),
        };
        let source = self
            .assertion
            .source(setting)
            .map_err(|error| error.of_credential(NAME))?;
        Ok(Arc::new(FederatedCredential {
            application: Application::new(
                NAME,
                &self.tenant_id,
                &self.client_id,
                ClientAuthentication::Assertion(source),
                &self.settings,
            )?,
        }))
    }
}

impl fmt::Debug for FederatedCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederatedCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("assertion", &self.assertion)
            .finish_non_exhaustive()
    }
}
