//! An identity that Azure gives to the machine, app or container this runs on.

use std::{fmt, sync::Arc};

use azure_core::http::ClientOptions;

use crate::{
    Environment, IdentityError,
    managed_identity::{ManagedIdentitySource, UserAssignedId},
};

use super::{acquisition::Acquisition, implement_credential};

pub(super) const NAME: &str = "managed-identity";

/// Options of a [`ManagedIdentityCredential`]. There are more in its [builder](ManagedIdentityCredential::builder).
#[derive(Clone, Default)]
pub struct ManagedIdentityCredentialOptions {
    /// A user-assigned identity; `None` for the system-assigned one.
    pub user_assigned_id: Option<UserAssignedId>,

    /// Options of the credential's HTTP pipeline. A transport set here must not go through a proxy: the endpoints are
    /// on this machine or next to it.
    pub client_options: ClientOptions,
}

impl fmt::Debug for ManagedIdentityCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentityCredentialOptions")
            .field("user_assigned_id", &self.user_assigned_id)
            .finish_non_exhaustive()
    }
}

/// Authenticates the [managed identity](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview)
/// of the host.
///
/// | host | recognised by |
/// | --- | --- |
/// | App Service, Functions, Container Apps | `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` |
/// | virtual machines, scale sets, AKS nodes, Container Instances (IMDS) | none of the others; `AZURE_POD_IDENTITY_AUTHORITY_HOST` moves the service |
///
/// Tokens are for one resource: pass exactly one scope, `RESOURCE/.default`. Where there is no managed identity, or not
/// the one asked for, requests fail with [`FailureKind::Unavailable`](crate::FailureKind::Unavailable).
pub struct ManagedIdentityCredential {
    acquisition: Acquisition,
    user_assigned_id: Option<UserAssignedId>,
}

impl ManagedIdentityCredential {
    /// Looks at the variables of the host and makes a credential; sends nothing yet.
    ///
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when a variable holds no URL, and
    /// with [`FailureKind::Unavailable`](crate::FailureKind::Unavailable) when the variables belong to a host that is
    /// not served or was set up incompletely.
    pub fn new(options: Option<ManagedIdentityCredentialOptions>) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        let mut builder = Self::builder().client_options(options.client_options);
        builder.user_assigned_id = options.user_assigned_id;
        builder.build()
    }

    /// Starts a credential with further options.
    pub fn builder() -> ManagedIdentityCredentialBuilder {
        ManagedIdentityCredentialBuilder::default()
    }
}

impl fmt::Debug for ManagedIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentityCredential")
            .field("user_assigned_id", &self.user_assigned_id)
            .finish_non_exhaustive()
    }
}

implement_credential!(ManagedIdentityCredential, acquisition);

/// Makes a [`ManagedIdentityCredential`].
#[derive(Default)]
pub struct ManagedIdentityCredentialBuilder {
    user_assigned_id: Option<UserAssignedId>,
    client_options: ClientOptions,
    environment: Environment,
    support_logging: bool,
}

impl ManagedIdentityCredentialBuilder {
    /// Names a user-assigned identity. Default: the system-assigned one.
    #[must_use]
    pub fn user_assigned_id(mut self, id: UserAssignedId) -> Self {
        self.user_assigned_id = Some(id);
        self
    }

    /// Sets the options of the HTTP pipeline. A transport set here must not go through a proxy.
    #[must_use]
    pub fn client_options(mut self, options: ClientOptions) -> Self {
        self.client_options = options;
        self
    }

    /// Lets the log name, at level DEBUG, the identifiers in tokens: application, tenant, user and object id. For
    /// support cases; they identify people. Default: false.
    #[must_use]
    pub fn enable_support_logging(mut self, enable: bool) -> Self {
        self.support_logging = enable;
        self
    }

    /// Sets the world that the credential sees: variables, clock, machine. Default: the process's own.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Finishes the credential. Fails as [`ManagedIdentityCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<ManagedIdentityCredential>> {
        Ok(Arc::new(self.build_inner()?))
    }

    pub(super) fn build_inner(self) -> Result<ManagedIdentityCredential, IdentityError> {
        let source = ManagedIdentitySource::detect(
            self.user_assigned_id.clone(),
            self.client_options,
            &self.environment,
        )
        .map_err(|error| error.of_credential(NAME))?;
        Ok(ManagedIdentityCredential {
            acquisition: Acquisition::new(NAME, source, None, &self.environment)
                .with_support_logging(self.support_logging),
            user_assigned_id: self.user_assigned_id,
        })
    }
}

impl fmt::Debug for ManagedIdentityCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentityCredentialBuilder")
            .field("user_assigned_id", &self.user_assigned_id)
            .finish_non_exhaustive()
    }
}
