//! A pod in Kubernetes.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::{
    AssertionFile, ClientAssertionCredentialOptions, IdentityError, TokenProxyClient,
    entra::ClientAuthentication, http::token_proxy_transport,
};

use super::{
    application::Application,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

pub(super) const NAME: &str = "workload-identity";

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Options of a [`WorkloadIdentityCredential`]. There are more in its [builder](WorkloadIdentityCredential::builder).
#[derive(Clone, Default)]
pub struct WorkloadIdentityCredentialOptions {
    /// Options of the exchange of assertions.
    pub credential_options: ClientAssertionCredentialOptions,

    /// The client id of the application or identity. Default: the environment variable `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,

    /// The tenant's id or one of its domain names. Default: the environment variable `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,

    /// The file with the token of the pod's service account. Default: the environment variable
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub token_file_path: Option<PathBuf>,
}

impl fmt::Debug for WorkloadIdentityCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadIdentityCredentialOptions")
            .field("client_id", &self.client_id)
            .field("tenant_id", &self.tenant_id)
            .field("token_file_path", &self.token_file_path)
            .finish_non_exhaustive()
    }
}

/// Authenticates a pod in Kubernetes by the token of its service account
/// ([documentation](https://learn.microsoft.com/azure/aks/workload-identity-overview)).
///
/// | variable | set by the workload identity webhook to |
/// | --- | --- |
/// | `AZURE_TENANT_ID` | the tenant |
/// | `AZURE_CLIENT_ID` | the client id from the service account's annotation |
/// | `AZURE_FEDERATED_TOKEN_FILE` | the file with the token |
/// | `AZURE_AUTHORITY_HOST` | the authority host of the cloud |
///
/// Kubernetes replaces the token every hour or so, and the file is read anew for each exchange. White space around the
/// token and a byte order mark are left out.
///
/// Where the file is missing or empty, requests fail with [`FailureKind::Unavailable`](crate::FailureKind::Unavailable);
/// where it can't be read or holds something else, with
/// [`FailureKind::Configuration`](crate::FailureKind::Configuration).
pub struct WorkloadIdentityCredential {
    application: Application,
}

impl WorkloadIdentityCredential {
    /// Reads the variables and makes a credential; neither sends anything nor reads the token yet.
    ///
    /// Fails with [`FailureKind::Unavailable`](crate::FailureKind::Unavailable) when an option and its variable are both
    /// missing or empty, and with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when one is malformed.
    pub fn new(
        options: Option<WorkloadIdentityCredentialOptions>,
    ) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        let mut builder = Self::builder().client_options(options.credential_options.client_options);
        builder.client_id = options.client_id;
        builder.tenant_id = options.tenant_id;
        builder.token_file_path = options.token_file_path;
        builder.build()
    }

    /// Starts a credential with further options.
    pub fn builder() -> WorkloadIdentityCredentialBuilder {
        WorkloadIdentityCredentialBuilder::default()
    }
}

impl fmt::Debug for WorkloadIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.application.describe("WorkloadIdentityCredential", f)
    }
}

implement_credential!(WorkloadIdentityCredential, application);

/// Makes a [`WorkloadIdentityCredential`].
#[derive(Default)]
pub struct WorkloadIdentityCredentialBuilder {
    client_id: Option<String>,
    tenant_id: Option<String>,
    token_file_path: Option<PathBuf>,
    enable_proxy: bool,
    proxy_client: Option<Arc<dyn TokenProxyClient>>,
    settings: EntraSettings,
}

impl WorkloadIdentityCredentialBuilder {
    entra_setters!();

    /// Sets the client id of the application or identity. Default, also for an empty text: the environment variable
    /// `AZURE_CLIENT_ID`.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Sets the tenant, by its id or one of its domain names. Default, also for an empty text: the environment variable
    /// `AZURE_TENANT_ID`.
    #[must_use]
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// Sets the file with the token of the pod's service account. Default, also for an empty path: the environment variable
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    #[must_use]
    pub fn token_file_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file_path = Some(path.into());
        self
    }

    /// Sends all requests to the token proxy of the cluster ("identity binding" of Azure Kubernetes Service), if the
    /// variables name one. Default: false. Not for chains that are to work elsewhere, too: `DefaultAzureCredential` never
    /// does it.
    ///
    /// | variable | |
    /// | --- | --- |
    /// | `AZURE_KUBERNETES_TOKEN_PROXY` | the proxy's https address; without it and the others there is no proxy |
    /// | `AZURE_KUBERNETES_CA_FILE` | a file with the PEM certificates of the authorities to trust, read anew for each request; what is of no use there leaves the trust as it was |
    /// | `AZURE_KUBERNETES_CA_DATA` | the certificates themselves, instead of a file |
    /// | `AZURE_KUBERNETES_SNI_NAME` | the TLS server name, which the certificate must be for instead of the proxy's host |
    ///
    /// The path of each request is appended to the proxy's, and the `Host` header is the proxy's, whatever the server name.
    /// Given certificates are trusted alone, without the system's. No other proxy is used on the way, and the authority
    /// host is not asked about: the assertion goes to the proxy only. A transport in the client options is not used.
    ///
    /// Then [`build`](Self::build) fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration), too, when
    /// the variables contradict one another, the certificates can't be read, or there is no HTTP client (without the
    /// features `reqwest` and `tokio`) and no [`proxy_client`](Self::proxy_client).
    #[must_use]
    pub fn enable_proxy(mut self, enable: bool) -> Self {
        self.enable_proxy = enable;
        self
    }

    /// Sets what makes the HTTP clients for the token proxy. Default: the built-in client.
    #[must_use]
    pub fn proxy_client(mut self, client: Arc<dyn TokenProxyClient>) -> Self {
        self.proxy_client = Some(client);
        self
    }

    pub(super) fn settings(mut self, settings: EntraSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Finishes the credential. Fails as [`WorkloadIdentityCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<WorkloadIdentityCredential>> {
        Ok(Arc::new(self.build_inner()?))
    }

    pub(super) fn build_inner(self) -> Result<WorkloadIdentityCredential, IdentityError> {
        self.assemble().map_err(|error| error.of_credential(NAME))
    }

    fn assemble(mut self) -> Result<WorkloadIdentityCredential, IdentityError> {
        let environment = self.settings.environment.clone();
        let text = |option: Option<String>, variable: &str| {
            option
                .filter(|text| !text.is_empty())
                .or_else(|| environment.variable(variable))
        };
        let tenant_id = text(self.tenant_id.take(), TENANT_ID);
        let client_id = text(self.client_id.take(), CLIENT_ID);
        let token_file = self
            .token_file_path
            .take()
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| environment.variable(TOKEN_FILE).map(PathBuf::from));
        let (Some(tenant_id), Some(client_id), Some(token_file)) =
            (&tenant_id, &client_id, &token_file)
        else {
            return Err(not_set_up(&[
                ("tenant id", TENANT_ID, tenant_id.is_some()),
                ("client id", CLIENT_ID, client_id.is_some()),
                ("token file", TOKEN_FILE, token_file.is_some()),
            ]));
        };
        if self.enable_proxy
            && let Some(transport) = token_proxy_transport(&environment, self.proxy_client)?
        {
            self.settings.client_options.transport = Some(transport);
            // Nothing goes to the authority host itself.
            self.settings.authority.disable_instance_discovery = true;
        }
        let source = AssertionFile::new(token_file);
        Ok(WorkloadIdentityCredential {
            application: Application::new(
                NAME,
                tenant_id,
                client_id,
                ClientAuthentication::Assertion(Box::new(source)),
                &self.settings,
            )?,
        })
    }
}

impl fmt::Debug for WorkloadIdentityCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadIdentityCredentialBuilder")
            .field("client_id", &self.client_id)
            .field("tenant_id", &self.tenant_id)
            .field("token_file_path", &self.token_file_path)
            .field("enable_proxy", &self.enable_proxy)
            .finish_non_exhaustive()
    }
}

/// Names everything that is missing at once.
fn not_set_up(parts: &[(&str, &str, bool)]) -> IdentityError {
    let missing: Vec<String> = parts
        .iter()
        .filter(|(_, _, given)| !given)
        .map(|(what, variable, _)| format!("{what} (variable {variable})"))
        .collect();
    IdentityError::unavailable(format!(
        "workload identity is not set up: there is no {}; label the pod with azure.workload.identity/use: \"true\" and \
         annotate its service account with azure.workload.identity/client-id, or give what is missing as an option",
        missing.join(", no ")
    ))
}
