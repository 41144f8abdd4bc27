//! What the builders of credentials have in common, beyond the official crate's option fields.

use azure_core::http::ClientOptions;

use crate::{
    Environment, IdentityError,
    entra::{AuthorityOptions, ClientAuthentication, EntraClient, TenantRules},
};

/// Settings of a credential that talks to Microsoft Entra.
#[derive(Clone, Default)]
pub(crate) struct EntraSettings {
    pub(crate) client_options: ClientOptions,
    pub(crate) metadata_client_options: ClientOptions,
    pub(crate) authority: AuthorityOptions,
    pub(crate) additionally_allowed_tenants: Vec<String>,
    pub(crate) environment: Environment,
    pub(crate) support_logging: bool,
}

impl EntraSettings {
    /// The application's line to Microsoft Entra.
    pub(crate) fn client(
        &self,
        client_id: &str,
        authentication: ClientAuthentication,
    ) -> Result<EntraClient, IdentityError> {
        EntraClient::new(
            client_id,
            authentication,
            &self.authority,
            self.client_options.clone(),
            &self.metadata_client_options,
            &self.environment,
        )
    }

    pub(crate) fn tenant_rules(&self, tenant_id: &str) -> Result<TenantRules, IdentityError> {
        TenantRules::new(
            tenant_id,
            self.additionally_allowed_tenants.clone(),
            &self.environment,
        )
    }
}

/// The setters of [`EntraSettings`], for a builder that has them in its field `settings`.
macro_rules! entra_setters {
    () => {
        /// Sets the options of the HTTP pipeline: retries, policies, transport, user agent, cloud.
        #[must_use]
        pub fn client_options(mut self, options: azure_core::http::ClientOptions) -> Self {
            self.settings.client_options = options;
            self
        }

        /// Sets the options of the pipeline to the instance metadata service, which is asked for the region when
        /// `AZURE_REGIONAL_AUTHORITY_NAME` is `tryautodetect`. A transport set here must not go through a proxy.
        /// Default: the built-in client.
        #[must_use]
        pub fn metadata_client_options(mut self, options: azure_core::http::ClientOptions) -> Self {
            self.settings.metadata_client_options = options;
            self
        }

        /// Sets the authority host, for example one of [`AzureAuthorityHosts`](crate::AzureAuthorityHosts), with or
        /// without `https://`. A path is kept.
        ///
        /// Default: the cloud of the client options, else the environment variable `AZURE_AUTHORITY_HOST`, else Azure's
        /// public cloud.
        #[must_use]
        pub fn authority_host(mut self, host: impl Into<String>) -> Self {
            self.settings.authority.host = Some(host.into());
            self
        }

        /// Trusts an authority host that is not one of Microsoft's without asking Azure's public cloud about it: for
        /// private clouds and emulators. Default: false.
        #[must_use]
        pub fn disable_instance_discovery(mut self, disable: bool) -> Self {
            self.settings.authority.disable_instance_discovery = disable;
            self
        }

        /// Sets the tenants besides the credential's own that a request may name; `*` allows any. Default: none.
        #[must_use]
        pub fn additionally_allowed_tenants<T: Into<String>>(
            mut self,
            tenants: impl IntoIterator<Item = T>,
        ) -> Self {
            self.settings.additionally_allowed_tenants =
                tenants.into_iter().map(Into::into).collect();
            self
        }

        /// Lets the log name, at level DEBUG, the identifiers in tokens: application, tenant, user and object id. For
        /// support cases; they identify people. Default: false.
        #[must_use]
        pub fn enable_support_logging(mut self, enable: bool) -> Self {
            self.settings.support_logging = enable;
            self
        }

        /// Sets the world that the credential sees: variables, clock, endpoints. Default: the process's own.
        #[must_use]
        pub fn environment(mut self, environment: crate::Environment) -> Self {
            self.settings.environment = environment;
            self
        }
    };
}

pub(crate) use entra_setters;
