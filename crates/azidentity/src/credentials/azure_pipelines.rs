//! A service connection of Azure Pipelines.

use std::{fmt, sync::Arc};

use azure_core::credentials::Secret;

use crate::{
    ClientAssertionCredentialOptions, IdentityError, entra::ClientAuthentication,
    federation::AzurePipelines, secret::SecretText,
};

use super::{
    application::Application,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

const NAME: &str = "azure-pipelines";

/// Options of an [`AzurePipelinesCredential`]. There are more in its [builder](AzurePipelinesCredential::builder).
#[derive(Clone, Debug, Default)]
pub struct AzurePipelinesCredentialOptions {
    /// Options of the exchange of assertions.
    pub credential_options: ClientAssertionCredentialOptions,
}

/// Authenticates a
/// [service connection with workload identity federation](https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity)
/// in a job of Azure Pipelines.
///
/// The job has to hand over its token, as a rule in a variable of the step:
///
/// ```yaml
/// - script: ./my-program
///   env:
///     SYSTEM_ACCESSTOKEN: $(System.AccessToken)
/// ```
///
/// ```no_run
/// # fn example() -> azure_core::Result<()> {
/// use azidentity::AzurePipelinesCredential;
///
/// let credential = AzurePipelinesCredential::new(
///     "contoso.onmicrosoft.com".into(),
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
///     "0dec29c2-a766-4121-9c2e-1894f5aca5cb",
///     std::env::var("SYSTEM_ACCESSTOKEN").unwrap_or_default(),
///     None,
/// )?;
/// # Ok(()) }
/// ```
///
/// For each exchange a new assertion is asked for at the address in `SYSTEM_OIDCREQUESTURI`, which Azure Pipelines sets.
/// Where it is not set, requests fail with [`FailureKind::Unavailable`](crate::FailureKind::Unavailable); where Azure
/// Pipelines refuses, with [`FailureKind::AuthenticationFailed`](crate::FailureKind::AuthenticationFailed) and the ids that
/// the support of Azure DevOps asks for.
pub struct AzurePipelinesCredential {
    application: Application,
}

impl AzurePipelinesCredential {
    /// Makes a credential; sends nothing yet.
    ///
    /// `tenant_id` and `client_id` are those of the application or identity behind the service connection,
    /// `service_connection_id` is the connection's `resourceId`, `system_access_token` the job's `$(System.AccessToken)`.
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when one of them is empty or malformed,
    /// or `SYSTEM_OIDCREQUESTURI` is neither an https address nor one of this machine.
    pub fn new<T>(
        tenant_id: String,
        client_id: String,
        service_connection_id: &str,
        system_access_token: T,
        options: Option<AzurePipelinesCredentialOptions>,
    ) -> azure_core::Result<Arc<Self>>
    where
        T: Into<Secret>,
    {
        let options = options.unwrap_or_default();
        Self::builder(
            tenant_id,
            client_id,
            service_connection_id,
            system_access_token,
        )
        .client_options(options.credential_options.client_options)
        .build()
    }

    /// Starts a credential with further options.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        service_connection_id: impl Into<String>,
        system_access_token: impl Into<Secret>,
    ) -> AzurePipelinesCredentialBuilder {
        AzurePipelinesCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            service_connection_id: service_connection_id.into(),
            system_access_token: SecretText::from(&system_access_token.into()),
            settings: EntraSettings::default(),
        }
    }
}

impl fmt::Debug for AzurePipelinesCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.application.describe("AzurePipelinesCredential", f)
    }
}

implement_credential!(AzurePipelinesCredential, application);

/// Makes an [`AzurePipelinesCredential`].
pub struct AzurePipelinesCredentialBuilder {
    tenant_id: String,
    client_id: String,
    service_connection_id: String,
    system_access_token: SecretText,
    settings: EntraSettings,
}

impl AzurePipelinesCredentialBuilder {
    entra_setters!();

    /// Finishes the credential. Fails as [`AzurePipelinesCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<AzurePipelinesCredential>> {
        let source = AzurePipelines::new(
            &self.service_connection_id,
            self.system_access_token,
            self.settings.client_options.clone(),
            &self.settings.environment,
        )
        .map_err(|error: IdentityError| error.of_credential(NAME))?;
        Ok(Arc::new(AzurePipelinesCredential {
            application: Application::new(
                NAME,
                &self.tenant_id,
                &self.client_id,
                ClientAuthentication::Assertion(Box::new(source)),
                &self.settings,
            )?,
        }))
    }
}

impl fmt::Debug for AzurePipelinesCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzurePipelinesCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("service_connection_id", &self.service_connection_id)
            .finish_non_exhaustive()
    }
}
