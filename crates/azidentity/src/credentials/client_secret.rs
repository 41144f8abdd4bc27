//! An application that proves itself with a secret.

use std::{fmt, sync::Arc};

use azure_core::{credentials::Secret, http::ClientOptions};

use crate::{IdentityError, entra::ClientAuthentication, secret::SecretText};

use super::{
    application::Application,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

/// Options of a [`ClientSecretCredential`]. There are more in its [builder](ClientSecretCredential::builder).
#[derive(Clone, Default)]
pub struct ClientSecretCredentialOptions {
    /// Options of the credential's HTTP pipeline.
    pub client_options: ClientOptions,
}

impl fmt::Debug for ClientSecretCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecretCredentialOptions")
            .finish_non_exhaustive()
    }
}

/// Authenticates an application with a client secret, by the
/// [client credentials grant](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
///
/// ```no_run
/// # async fn example() -> azure_core::Result<()> {
/// use azidentity::ClientSecretCredential;
/// use azure_core::credentials::TokenCredential;
///
/// let credential = ClientSecretCredential::new(
///     "contoso.onmicrosoft.com",
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
///     std::env::var("CLIENT_SECRET").unwrap_or_default().into(),
///     None,
/// )?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # Ok(()) }
/// ```
pub struct ClientSecretCredential {
    application: Application,
}

impl ClientSecretCredential {
    /// Makes a credential; sends nothing yet.
    ///
    /// `tenant_id` is the tenant's id or one of its domain names, `client_id` the application's id, `secret` the value
    /// of one of its client secrets. Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when
    /// one of them is empty or malformed, or the authority is no https URL.
    pub fn new(
        tenant_id: &str,
        client_id: String,
        secret: Secret,
        options: Option<ClientSecretCredentialOptions>,
    ) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        Self::builder(tenant_id, client_id, secret)
            .client_options(options.client_options)
            .build()
    }

    /// Starts a credential with further options.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        secret: impl Into<Secret>,
    ) -> ClientSecretCredentialBuilder {
        ClientSecretCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            secret: SecretText::from(&secret.into()),
            name: "client-secret",
            settings: EntraSettings::default(),
        }
    }
}

impl fmt::Debug for ClientSecretCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.application.describe("ClientSecretCredential", f)
    }
}

implement_credential!(ClientSecretCredential, application);

/// Makes a [`ClientSecretCredential`].
pub struct ClientSecretCredentialBuilder {
    tenant_id: String,
    client_id: String,
    secret: SecretText,
    name: &'static str,
    settings: EntraSettings,
}

impl ClientSecretCredentialBuilder {
    entra_setters!();

    /// Gives the credential's tokens another credential's name: that of the one which consists of this one.
    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) fn settings(mut self, settings: EntraSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Finishes the credential. Fails as [`ClientSecretCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<ClientSecretCredential>> {
        Ok(Arc::new(self.build_inner()?))
    }

    pub(super) fn build_inner(self) -> Result<ClientSecretCredential, IdentityError> {
        if self.secret.expose().is_empty() {
            return Err(IdentityError::configuration(
                "the client secret is empty; give the value of one of the application's client secrets",
            )
            .of_credential(self.name));
        }
        Ok(ClientSecretCredential {
            application: Application::new(
                self.name,
                &self.tenant_id,
                &self.client_id,
                ClientAuthentication::Secret(self.secret),
                &self.settings,
            )?,
        })
    }
}

impl fmt::Debug for ClientSecretCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecretCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
