//! An application whose identity stands in environment variables.

use std::{fmt, sync::Arc};

use azure_core::{
    credentials::{Secret, TokenRequestOptions},
    http::ClientOptions,
};
use tracing::{info, warn};

use crate::{AccessTokenInfo, Credential, IdentityError, token::validate_scopes};

use super::{
    client_secret::ClientSecretCredential,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

pub(super) const NAME: &str = "environment";

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";

/// Options of an [`EnvironmentCredential`]. There are more in its [builder](EnvironmentCredential::builder).
#[derive(Clone, Default)]
pub struct EnvironmentCredentialOptions {
    /// Options of the credential's HTTP pipeline.
    pub client_options: ClientOptions,
}

impl fmt::Debug for EnvironmentCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentCredentialOptions")
            .finish_non_exhaustive()
    }
}

/// Authenticates the application that environment variables describe.
///
/// | variables | what is used |
/// | --- | --- |
/// | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` | a client secret |
///
/// An empty variable counts as unset. `AZURE_AUTHORITY_HOST` names another authority host. Where a variable is missing,
/// the credential can be made all the same, and its requests fail with
/// [`FailureKind::Unavailable`](crate::FailureKind::Unavailable), so that a chain goes on.
pub struct EnvironmentCredential {
    inner: Inner,
}

impl EnvironmentCredential {
    /// Reads the variables and makes a credential; sends nothing yet.
    ///
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when all variables are there but one
    /// of them is malformed.
    pub fn new(options: Option<EnvironmentCredentialOptions>) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        Self::builder()
            .client_options(options.client_options)
            .build()
    }

    /// Starts a credential with further options.
    pub fn builder() -> EnvironmentCredentialBuilder {
        EnvironmentCredentialBuilder {
            settings: EntraSettings::default(),
            in_default_chain: false,
        }
    }
}

impl fmt::Debug for EnvironmentCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uses: &dyn fmt::Debug = match &self.inner {
            Inner::ClientSecret(credential) => credential,
            Inner::Incomplete(_) => &"nothing",
        };
        f.debug_struct("EnvironmentCredential")
            .field("uses", uses)
            .finish_non_exhaustive()
    }
}

implement_credential!(EnvironmentCredential, inner);

/// The credential that the variables describe, or what is missing.
enum Inner {
    ClientSecret(ClientSecretCredential),
    Incomplete(IdentityError),
}

impl Inner {
    #[allow(
        clippy::unused_self,
        reason = "as the other credentials' fields have it"
    )]
    fn name(&self) -> &'static str {
        NAME
    }

    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        match self {
            Self::ClientSecret(credential) => credential.cached(scopes, options),
            Self::Incomplete(_) => None,
        }
    }

    async fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        match self {
            Self::ClientSecret(credential) => credential.get_token_info(scopes, options).await,
            Self::Incomplete(missing) => {
                validate_scopes(scopes)?;
                Err(missing.clone().into())
            }
        }
    }
}

/// Makes an [`EnvironmentCredential`].
pub struct EnvironmentCredentialBuilder {
    settings: EntraSettings,
    in_default_chain: bool,
}

impl EnvironmentCredentialBuilder {
    entra_setters!();

    /// Where nobody has asked for this credential in particular, incomplete variables are no reason to warn.
    pub(super) fn in_default_chain(mut self, settings: EntraSettings) -> Self {
        self.settings = settings;
        self.in_default_chain = true;
        self
    }

    /// Finishes the credential. Fails as [`EnvironmentCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<EnvironmentCredential>> {
        Ok(Arc::new(self.build_inner()?))
    }

    pub(super) fn build_inner(self) -> Result<EnvironmentCredential, IdentityError> {
        let variable = |name| self.settings.environment.variable(name);
        let values = [TENANT_ID, CLIENT_ID, CLIENT_SECRET].map(|name| (name, variable(name)));
        if let [(_, Some(tenant)), (_, Some(client)), (_, Some(secret))] = values {
            info!("the environment credential uses a client secret");
            let inner = ClientSecretCredential::builder(tenant, client, Secret::new(secret))
                .named(NAME)
                .settings(self.settings)
                .build_inner()?;
            return Ok(EnvironmentCredential {
                inner: Inner::ClientSecret(inner),
            });
        }
        let names = |set: bool| {
            let names: Vec<&str> = values
                .iter()
                .filter(|(_, value)| value.is_some() == set)
                .map(|(name, _)| *name)
                .collect();
            names.join(", ")
        };
        let missing = if values.iter().any(|(_, value)| value.is_some()) {
            let (set, missing) = (names(true), names(false));
            if self.in_default_chain {
                info!(set, missing, "environment variables are incomplete");
            } else {
                warn!(set, missing, "environment variables are incomplete");
            }
            format!(
                "the environment variables are incomplete: {set} set, {missing} not; set them all to use a client secret"
            )
        } else {
            info!("no variables for the environment credential");
            format!("none of the variables {} is set", names(false))
        };
        Ok(EnvironmentCredential {
            inner: Inner::Incomplete(IdentityError::unavailable(missing).of_credential(NAME)),
        })
    }
}

impl fmt::Debug for EnvironmentCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentCredentialBuilder")
            .finish_non_exhaustive()
    }
}
