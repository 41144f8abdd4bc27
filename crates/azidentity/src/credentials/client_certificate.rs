//! An application that proves itself with a certificate.

use std::{fmt, sync::Arc};

use azure_core::{
    credentials::{Secret, SecretBytes},
    http::ClientOptions,
};

use crate::{
    IdentityError,
    entra::{CertificateAssertion, ClientAuthentication, ClientCertificate},
    secret::SecretText,
};

use super::{
    application::Application,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

/// Options of a [`ClientCertificateCredential`]. There are more in its [builder](ClientCertificateCredential::builder).
#[derive(Clone, Default)]
pub struct ClientCertificateCredentialOptions {
    /// Options of the credential's HTTP pipeline.
    pub client_options: ClientOptions,
    /// The password that protects the certificate's private key. Default: none.
    pub password: Option<Secret>,
}

impl fmt::Debug for ClientCertificateCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificateCredentialOptions")
            .finish_non_exhaustive()
    }
}

/// Authenticates an application with a certificate that is registered with it
/// ([documentation](https://learn.microsoft.com/entra/identity-platform/certificate-credentials)).
///
/// The private key stays in the process: each request carries a statement signed with it (PS256; for AD FS RS256), which is
/// good for ten minutes and used again for nine.
///
/// ```no_run
/// # async fn example() -> azure_core::Result<()> {
/// use azidentity::{ClientCertificate, ClientCertificateCredential};
/// use azure_core::credentials::TokenCredential;
///
/// let credential = ClientCertificateCredential::builder(
///     "contoso.onmicrosoft.com",
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2",
///     ClientCertificate::from_path("/etc/contoso/app.pfx"),
/// )
/// .password(std::env::var("PFX_PASSWORD").unwrap_or_default())
/// .build()?;
/// let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
/// # Ok(()) }
/// ```
pub struct ClientCertificateCredential {
    application: Application,
}

impl ClientCertificateCredential {
    /// Makes a credential; sends nothing yet.
    ///
    /// `tenant_id` is the tenant's id or one of its domain names, `client_id` the application's id, `certificate` the
    /// content of a PFX or PEM file with an RSA key. The certificate's chain is sent along when the environment variable
    /// `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` is `1` or `true`.
    ///
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when tenant or client id is empty or
    /// malformed, the authority is no https URL, or the certificate can't be used: in another form, damaged, without its
    /// key, with another one's, with a wrong password, or expired.
    pub fn new(
        tenant_id: String,
        client_id: String,
        certificate: SecretBytes,
        options: Option<ClientCertificateCredentialOptions>,
    ) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        let mut builder =
            Self::builder(tenant_id, client_id, certificate).client_options(options.client_options);
        if let Some(password) = options.password {
            builder = builder.password(password);
        }
        builder.build()
    }

    /// Starts a credential with further options.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        certificate: impl Into<ClientCertificate>,
    ) -> ClientCertificateCredentialBuilder {
        ClientCertificateCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            certificate: certificate.into(),
            password: None,
            send_chain: None,
            name: "certificate",
            settings: EntraSettings::default(),
        }
    }
}

impl fmt::Debug for ClientCertificateCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.application.describe("ClientCertificateCredential", f)
    }
}

implement_credential!(ClientCertificateCredential, application);

/// Makes a [`ClientCertificateCredential`].
pub struct ClientCertificateCredentialBuilder {
    tenant_id: String,
    client_id: String,
    certificate: ClientCertificate,
    password: Option<SecretText>,
    send_chain: Option<bool>,
    name: &'static str,
    settings: EntraSettings,
}

impl ClientCertificateCredentialBuilder {
    entra_setters!();

    /// Sets the password that protects the private key. An empty one counts as none, and one that nothing needs does no
    /// harm. Default: none.
    #[must_use]
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(SecretText::from(&password.into()));
        self
    }

    /// Sends the certificate and those above it with every request, so that an application can trust a subject and an
    /// issuer instead of one certificate. Default: what the environment variable `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN`
    /// says; `1` and `true` turn it on.
    #[must_use]
    pub fn send_certificate_chain(mut self, send: bool) -> Self {
        self.send_chain = Some(send);
        self
    }

    /// Gives the credential's tokens another credential's name: that of the one which consists of this one.
    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) fn settings(mut self, settings: EntraSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Reads the certificate and finishes the credential. Fails as [`ClientCertificateCredential::new`] does, and where
    /// the file can't be read.
    pub fn build(self) -> azure_core::Result<Arc<ClientCertificateCredential>> {
        Ok(Arc::new(self.build_inner()?))
    }

    pub(super) fn build_inner(self) -> Result<ClientCertificateCredential, IdentityError> {
        let authentication = self
            .authentication()
            .map_err(|error| error.of_credential(self.name))?;
        Ok(ClientCertificateCredential {
            application: Application::new(
                self.name,
                &self.tenant_id,
                &self.client_id,
                authentication,
                &self.settings,
            )?,
        })
    }

    fn authentication(&self) -> Result<ClientAuthentication, IdentityError> {
        // A wrong tenant is told without reading a file.
        self.settings.tenant_rules(&self.tenant_id)?;
        CertificateAssertion::load(
            &self.certificate,
            self.password.as_ref(),
            self.send_chain,
            &self.settings.environment,
        )
        .map(CertificateAssertion::into_authentication)
    }
}

impl fmt::Debug for ClientCertificateCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificateCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}
