//! An application that proves itself with assertions of its own making.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::http::{ClientMethodOptions, ClientOptions};

use crate::{
    AssertionFile, Environment, IdentityError,
    entra::{AssertionSource, Audience, ClientAuthentication},
    secret::SecretText,
    token::TokenRequest,
};

use super::{
    application::Application,
    implement_credential,
    settings::{EntraSettings, entra_setters},
};

const NAME: &str = "client-assertion";

/// How long the application may take to supply an assertion.
const LIMIT: Duration = Duration::from_secs(60);

/// Supplies the assertions of a [`ClientAssertionCredential`].
///
/// [`AssertionFn`] makes one of a closure, [`AssertionFile`] one of a file. It borrows nothing (`'static`): an exchange can
/// outlive the call that began it.
///
/// ```
/// use azidentity::ClientAssertion;
/// use azure_core::http::ClientMethodOptions;
///
/// /// Asks a vault for assertions.
/// #[derive(Debug)]
/// struct FromVault;
///
/// #[async_trait::async_trait]
/// impl ClientAssertion for FromVault {
///     async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
/// #       let ask_the_vault = || async { Ok::<_, azure_core::Error>(String::new()) };
///         ask_the_vault().await
///     }
/// }
/// ```
#[async_trait]
pub trait ClientAssertion: Send + Sync + fmt::Debug + 'static {
    /// An assertion for one exchange: a JSON Web Token of at most 64 KiB, without anything around it
    /// ([its claims](https://learn.microsoft.com/entra/identity-platform/certificate-credentials#assertion-format)).
    ///
    /// Called once for each exchange and never while a token from memory will do; not called again when the exchange is
    /// tried again. `options` carries the context of the request. What it returns is not kept.
    ///
    /// Whatever takes longer than 60 seconds is given up. An error reaches the caller with its text and as a source; an
    /// [`IdentityError`] in it decides what kind of failure it is, else it is
    /// [`FailureKind::AuthenticationFailed`](crate::FailureKind::AuthenticationFailed). Put no secret into its text.
    async fn secret(&self, options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String>;
}

/// Assertions from an asynchronous closure.
///
/// ```no_run
/// # async fn sign() -> azure_core::Result<String> { Ok(String::new()) }
/// # fn example() -> azure_core::Result<()> {
/// use azidentity::{AssertionFn, ClientAssertionCredential};
///
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com".into(),
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
///     AssertionFn::new(|| async { sign().await }),
///     None,
/// )?;
/// # Ok(()) }
/// ```
pub struct AssertionFn<F>(F);

impl<F, T> AssertionFn<F>
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = azure_core::Result<String>> + Send,
{
    /// Wraps a closure that supplies an assertion each time it is called.
    pub fn new(supply: F) -> Self {
        Self(supply)
    }
}

impl<F> fmt::Debug for AssertionFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssertionFn")
    }
}

#[async_trait]
impl<F, T> ClientAssertion for AssertionFn<F>
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = azure_core::Result<String>> + Send,
{
    async fn secret(
        &self,
        _options: Option<ClientMethodOptions<'_>>,
    ) -> azure_core::Result<String> {
        (self.0)().await
    }
}

#[async_trait]
impl ClientAssertion for AssertionFile {
    async fn secret(
        &self,
        _options: Option<ClientMethodOptions<'_>>,
    ) -> azure_core::Result<String> {
        Ok(self.read()?.expose().to_owned())
    }
}

/// Options of a [`ClientAssertionCredential`]. There are more in its [builder](ClientAssertionCredential::builder).
#[derive(Clone, Default)]
pub struct ClientAssertionCredentialOptions {
    /// Options of the credential's HTTP pipeline.
    pub client_options: ClientOptions,
}

impl fmt::Debug for ClientAssertionCredentialOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAssertionCredentialOptions")
            .finish_non_exhaustive()
    }
}

/// Authenticates an application with assertions that the caller supplies: signed by a key that never leaves its vault, or
/// issued by an identity provider that the application's
/// [federated credentials](https://learn.microsoft.com/entra/workload-id/workload-identity-federation) trust.
///
/// For the providers that it knows, [`FederatedCredential`](crate::FederatedCredential) fetches the assertions itself.
pub struct ClientAssertionCredential<C> {
    application: Application,
    /// The supplier itself is in the application.
    supplier: PhantomData<fn() -> C>,
}

impl<C: ClientAssertion> ClientAssertionCredential<C> {
    /// Makes a credential; neither sends anything nor asks for an assertion yet.
    ///
    /// `tenant_id` is the tenant's id or one of its domain names, `client_id` the application's id. Fails with
    /// [`FailureKind::Configuration`](crate::FailureKind::Configuration) when one of them is empty or malformed, or the
    /// authority is no https URL.
    pub fn new(
        tenant_id: String,
        client_id: String,
        assertion: C,
        options: Option<ClientAssertionCredentialOptions>,
    ) -> azure_core::Result<Arc<Self>> {
        let options = options.unwrap_or_default();
        Self::builder(tenant_id, client_id, assertion)
            .client_options(options.client_options)
            .build()
    }

    /// Starts a credential with further options.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        assertion: C,
    ) -> ClientAssertionCredentialBuilder<C> {
        ClientAssertionCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            assertion,
            settings: EntraSettings::default(),
        }
    }
}

impl<C> fmt::Debug for ClientAssertionCredential<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.application.describe("ClientAssertionCredential", f)
    }
}

implement_credential!(ClientAssertionCredential<C>, application, C: ClientAssertion);

/// Makes a [`ClientAssertionCredential`].
pub struct ClientAssertionCredentialBuilder<C> {
    tenant_id: String,
    client_id: String,
    assertion: C,
    settings: EntraSettings,
}

impl<C: ClientAssertion> ClientAssertionCredentialBuilder<C> {
    entra_setters!();

    /// Finishes the credential. Fails as [`ClientAssertionCredential::new`] does.
    pub fn build(self) -> azure_core::Result<Arc<ClientAssertionCredential<C>>> {
        let supplied = Supplied::new(self.assertion, self.settings.environment.clone());
        Ok(Arc::new(ClientAssertionCredential {
            application: Application::new(
                NAME,
                &self.tenant_id,
                &self.client_id,
                ClientAuthentication::Assertion(Box::new(supplied)),
                &self.settings,
            )?,
            supplier: PhantomData,
        }))
    }
}

impl<C> fmt::Debug for ClientAssertionCredentialBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAssertionCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Assertions that code of the caller's supplies.
pub(super) struct Supplied<C> {
    supplier: C,
    environment: Environment,
}

impl<C> Supplied<C> {
    pub(super) fn new(supplier: C, environment: Environment) -> Self {
        Self {
            supplier,
            environment,
        }
    }
}

#[async_trait]
impl<C: ClientAssertion> AssertionSource for Supplied<C> {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        let options = ClientMethodOptions {
            context: request.context.to_borrowed(),
        };
        let call = self.supplier.secret(Some(options));
        match self.environment.within(LIMIT, call).await {
            Some(Ok(text)) => Ok(SecretText::new(text)),
            Some(Err(error)) => Err(not_supplied(error)),
            None => Err(IdentityError::authentication_failed(format!(
                "the application's own code was asked for a client assertion and has not supplied one within {} \
                 seconds; check what it waits for",
                LIMIT.as_secs()
            ))),
        }
    }
}

/// The words are the application's own, and so is what they give away.
fn not_supplied(error: azure_core::Error) -> IdentityError {
    let kind = match IdentityError::find(&error) {
        // One that speaks for itself.
        Some(ours) if ours.credential().is_none() && ours.to_string() == error.to_string() => {
            return ours.clone();
        }
        Some(ours) => ours.kind(),
        None => crate::FailureKind::AuthenticationFailed,
    };
    IdentityError::new(
        kind,
        format!("the application's own code was asked for a client assertion and failed: {error}"),
    )
    .with_source(error)
}
