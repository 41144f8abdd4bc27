//! An application whose identity stands in environment variables.

use std::{fmt, sync::Arc};

use azure_core::{
    credentials::{Secret, TokenRequestOptions},
    http::ClientOptions,
};
use tracing::{info, warn};

#[cfg(feature = "client_certificate")]
use crate::entra::ClientCertificate;
use crate::{AccessTokenInfo, Credential, Environment, IdentityError, token::validate_scopes};

#[cfg(feature = "client_certificate")]
use super::client_certificate::ClientCertificateCredential;
use super::{
    Remembers,
    client_secret::ClientSecretCredential,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

pub(super) const NAME: &str = "environment";

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE_PATH: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
#[cfg(feature = "client_certificate")]
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";

/// All variables that decide, in the order in which messages name them.
const VARIABLES: [&str; 4] = [TENANT_ID, CLIENT_ID, CLIENT_SECRET, CERTIFICATE_PATH];

/// A way to sign in, and the variables that it needs.
struct Way {
    by: &'static str,
    needs: [&'static str; 3],
}

/// The first that is complete is taken.
const WAYS: [Way; 2] = [
    Way {
        by: "a client secret",
        needs: [TENANT_ID, CLIENT_ID, CLIENT_SECRET],
    },
    Way {
        by: "a certificate",
        needs: [TENANT_ID, CLIENT_ID, CERTIFICATE_PATH],
    },
];

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
/// | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_CERTIFICATE_PATH` | a certificate in a PEM or PFX file |
///
/// Of two complete sets the upper one is used. A certificate needs the feature `client_certificate`; the password of its
/// file stands in `AZURE_CLIENT_CERTIFICATE_PASSWORD`, and `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` with the value `1` or
/// `true` sends its chain along.
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
    /// of them is malformed, or the certificate can't be used.
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
            #[cfg(feature = "client_certificate")]
            Inner::ClientCertificate(credential) => credential,
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
    #[cfg(feature = "client_certificate")]
    ClientCertificate(ClientCertificateCredential),
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

    async fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        match self {
            Self::ClientSecret(credential) => credential.get_token_info(scopes, options).await,
            #[cfg(feature = "client_certificate")]
            Self::ClientCertificate(credential) => credential.get_token_info(scopes, options).await,
            Self::Incomplete(missing) => {
                validate_scopes(scopes)?;
                Err(missing.clone().into())
            }
        }
    }
}

impl Remembers for Inner {
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        match self {
            Self::ClientSecret(credential) => credential.cached(scopes, options),
            #[cfg(feature = "client_certificate")]
            Self::ClientCertificate(credential) => credential.cached(scopes, options),
            Self::Incomplete(_) => None,
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
        Ok(EnvironmentCredential {
            inner: self.choose()?,
        })
    }

    fn choose(self) -> Result<Inner, IdentityError> {
        let [tenant, client, secret, certificate] =
            VARIABLES.map(|name| self.settings.environment.variable(name));
        match (tenant, client, secret, certificate) {
            (Some(tenant), Some(client), Some(secret), _) => {
                info!("the environment credential uses a client secret");
                ClientSecretCredential::builder(tenant, client, Secret::new(secret))
                    .named(NAME)
                    .settings(self.settings)
                    .build_inner()
                    .map(Inner::ClientSecret)
            }
            (Some(tenant), Some(client), None, Some(path)) => {
                self.with_certificate(tenant, client, path)
            }
            _ => Ok(self.incomplete()),
        }
    }

    #[cfg(feature = "client_certificate")]
    fn with_certificate(
        self,
        tenant: String,
        client: String,
        path: String,
    ) -> Result<Inner, IdentityError> {
        info!("the environment credential uses a certificate");
        let password = self.settings.environment.variable(CERTIFICATE_PASSWORD);
        let mut builder = ClientCertificateCredential::builder(
            tenant,
            client,
            ClientCertificate::from_path(path),
        )
        .named(NAME)
        .settings(self.settings);
        if let Some(password) = password {
            builder = builder.password(password);
        }
        builder.build_inner().map(Inner::ClientCertificate)
    }

    #[cfg(not(feature = "client_certificate"))]
    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        clippy::needless_pass_by_value,
        reason = "as it is with the feature"
    )]
    fn with_certificate(self, _: String, _: String, _: String) -> Result<Inner, IdentityError> {
        warn!("the variables describe a certificate, for which the feature is missing");
        Ok(Inner::Incomplete(
            IdentityError::unavailable(format!(
                "{CERTIFICATE_PATH} names a certificate, and this program was built without azidentity's feature \
                 client_certificate; turn it on, or set {CLIENT_SECRET} to use a client secret"
            ))
            .of_credential(NAME),
        ))
    }

    fn incomplete(&self) -> Inner {
        let set = names(&self.settings.environment, &VARIABLES, true);
        let message = if set.is_empty() {
            info!("no variables for the environment credential");
            format!("none of the variables {} is set", VARIABLES.join(", "))
        } else {
            let (missing, advice) = nearest(&self.settings.environment);
            if self.in_default_chain {
                info!(set, missing, "environment variables are incomplete");
            } else {
                warn!(set, missing, "environment variables are incomplete");
            }
            format!(
                "the environment variables are incomplete: {set} set, {missing} not; set {advice}"
            )
        };
        Inner::Incomplete(IdentityError::unavailable(message).of_credential(NAME))
    }
}

/// Which of the variables are set, or are not.
fn names(environment: &Environment, variables: &[&str], set: bool) -> String {
    let names: Vec<&str> = variables
        .iter()
        .copied()
        .filter(|name| environment.variable(name).is_some() == set)
        .collect();
    names.join(", ")
}

/// What the way lacks that is nearest to complete, and what to set for it or for another that is as near.
fn nearest(environment: &Environment) -> (String, String) {
    let lacks = |way: &Way| {
        way.needs
            .iter()
            .filter(|name| environment.variable(name).is_none())
            .count()
    };
    let fewest = WAYS.iter().map(lacks).min();
    let mut missing: Vec<String> = Vec::new();
    let mut advice: Vec<String> = Vec::new();
    for way in WAYS.iter().filter(|way| Some(lacks(way)) == fewest) {
        let names = names(environment, &way.needs, false);
        if !missing.contains(&names) {
            advice.push(format!("{names} to use {}", way.by));
            missing.push(names);
        }
    }
    (missing.swap_remove(0), advice.join(", or "))
}

impl fmt::Debug for EnvironmentCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentCredentialBuilder")
            .finish_non_exhaustive()
    }
}
