//! An application for the user whose request it serves.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenRequestOptions};
use tracing::debug;

use crate::{
    FailureKind, IdentityError,
    cache::TokenSource,
    entra::{EntraClient, Grant},
    token::{AccessTokenInfo, TokenRequest, UserAssertion},
};

use super::{
    Remembers,
    acquisition::Acquisition,
    implement_credential,
    proof::{ProofSettings, proof_setters},
    settings::{EntraSettings, entra_setters},
};

const NAME: &str = "on-behalf-of";

/// Most tokens that an [`OnBehalfOfClient`] keeps for all its users together, unless it is told otherwise.
const MOST_TOKENS: usize = 100_000;

/// Authenticates an application on behalf of one user, by the
/// [on-behalf-of flow](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow): the user's access
/// token for this application is exchanged for one for another service, with the user's permissions.
///
/// A web API with many users makes one [`OnBehalfOfClient`] and takes the credential of each user from it.
///
/// Where the service wants more of the user than the exchange can give, as a second factor, requests fail with
/// [`FailureKind::AuthenticationFailed`], and the [`claims`](crate::ServerError::claims) of the server's answer are what the
/// application has to pass on to its caller as a claims challenge.
pub struct OnBehalfOfCredential {
    user: ForUser,
}

impl OnBehalfOfCredential {
    /// Starts a credential for the user whose access token for this application is `user_assertion`.
    ///
    /// `tenant_id` is the tenant's id or one of its domain names, `client_id` the application's id. The builder has to be
    /// told how the application proves itself: by a secret, a certificate or assertions.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        user_assertion: impl AsRef<str>,
    ) -> OnBehalfOfCredentialBuilder {
        OnBehalfOfCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            user: UserAssertion::new(user_assertion.as_ref()),
            proof: ProofSettings::default(),
            settings: EntraSettings::default(),
        }
    }
}

impl fmt::Debug for OnBehalfOfCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOfCredential")
            .finish_non_exhaustive()
    }
}

implement_credential!(OnBehalfOfCredential, user);

/// Makes an [`OnBehalfOfCredential`].
pub struct OnBehalfOfCredentialBuilder {
    tenant_id: String,
    client_id: String,
    user: Result<UserAssertion, IdentityError>,
    proof: ProofSettings,
    settings: EntraSettings,
}

impl OnBehalfOfCredentialBuilder {
    entra_setters!();
    proof_setters!();

    /// Finishes the credential; sends nothing yet.
    ///
    /// Fails with [`FailureKind::Configuration`] when one of the values is empty or malformed, when there is not exactly
    /// one proof of the application, or when its certificate can't be used.
    pub fn build(self) -> azure_core::Result<Arc<OnBehalfOfCredential>> {
        let user = self.user.map_err(|error| error.of_credential(NAME))?;
        let shared = acquisition(
            &self.tenant_id,
            &self.client_id,
            self.proof,
            &self.settings,
            MOST_TOKENS,
        )?;
        Ok(Arc::new(OnBehalfOfCredential {
            user: ForUser {
                shared: Arc::new(shared),
                user: Arc::new(user),
            },
        }))
    }
}

impl fmt::Debug for OnBehalfOfCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOfCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A web API that asks on behalf of its many users: their credentials share one cache and one set of connections.
///
/// ```no_run
/// # use std::sync::Arc;
/// use azidentity::OnBehalfOfClient;
/// use azure_core::credentials::TokenCredential;
///
/// # fn start() -> azure_core::Result<Arc<OnBehalfOfClient>> {
/// let client = OnBehalfOfClient::builder("contoso.onmicrosoft.com", "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2")
///     .client_secret(std::env::var("CLIENT_SECRET").unwrap_or_default())
///     .build()?;
/// # Ok(client) }
///
/// # async fn serve(client: &OnBehalfOfClient, bearer: &str) -> azure_core::Result<()> {
/// // For each request, with the access token that it carries, once that is verified:
/// let credential = client.for_user(bearer)?;
/// let token = credential.get_token(&["https://graph.microsoft.com/User.Read"], None).await?;
/// # Ok(()) }
/// ```
///
/// Tokens are kept by the user's assertion, of which the cache knows a digest only, so a user who comes with another
/// assertion gets other tokens. The application has to verify the assertion itself, as for each of its requests: a token
/// from the cache is not checked with Microsoft Entra again. Tokens that have expired are dropped, and where there would be
/// more than the bound, those that expire first.
///
/// The refresh token that an exchange brings stays with the credential of [`for_user`](Self::for_user) and renews its
/// tokens, also after the assertion has expired, for as long as that credential is kept.
pub struct OnBehalfOfClient {
    shared: Arc<Acquisition>,
}

impl OnBehalfOfClient {
    /// Starts a client. `tenant_id` is the tenant's id or one of its domain names, `client_id` the application's id. The
    /// builder has to be told how the application proves itself: by a secret, a certificate or assertions.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
    ) -> OnBehalfOfClientBuilder {
        OnBehalfOfClientBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            most_tokens: MOST_TOKENS,
            proof: ProofSettings::default(),
            settings: EntraSettings::default(),
        }
    }

    /// The credential of the user whose access token for this application is `user_assertion`. Sends nothing; takes some
    /// microseconds.
    ///
    /// Fails with [`FailureKind::Configuration`] when that is empty or can be no token.
    pub fn for_user(
        &self,
        user_assertion: impl AsRef<str>,
    ) -> azure_core::Result<Arc<OnBehalfOfCredential>> {
        let user = UserAssertion::new(user_assertion.as_ref())
            .map_err(|error| error.of_credential(NAME))?;
        Ok(Arc::new(OnBehalfOfCredential {
            user: ForUser {
                shared: self.shared.clone(),
                user: Arc::new(user),
            },
        }))
    }
}

impl fmt::Debug for OnBehalfOfClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOfClient").finish_non_exhaustive()
    }
}

/// Makes an [`OnBehalfOfClient`].
pub struct OnBehalfOfClientBuilder {
    tenant_id: String,
    client_id: String,
    most_tokens: usize,
    proof: ProofSettings,
    settings: EntraSettings,
}

impl OnBehalfOfClientBuilder {
    entra_setters!();
    proof_setters!();

    /// Sets how many tokens are kept at most, for all users together. A token with its entry takes some 400 bytes more
    /// than its text. Default: 100,000.
    #[must_use]
    pub fn most_cached_tokens(mut self, most: NonZeroUsize) -> Self {
        self.most_tokens = most.get();
        self
    }

    /// Finishes the client; sends nothing yet.
    ///
    /// Fails with [`FailureKind::Configuration`] when one of the values is empty or malformed, when there is not exactly
    /// one proof of the application, or when its certificate can't be used.
    pub fn build(self) -> azure_core::Result<Arc<OnBehalfOfClient>> {
        let shared = acquisition(
            &self.tenant_id,
            &self.client_id,
            self.proof,
            &self.settings,
            self.most_tokens,
        )?;
        Ok(Arc::new(OnBehalfOfClient {
            shared: Arc::new(shared),
        }))
    }
}

impl fmt::Debug for OnBehalfOfClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOfClientBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

fn acquisition(
    tenant_id: &str,
    client_id: &str,
    proof: ProofSettings,
    settings: &EntraSettings,
    limit: usize,
) -> Result<Acquisition, IdentityError> {
    let assemble = || {
        let tenants = settings.tenant_rules(tenant_id)?;
        let authentication = proof.choose(&settings.environment)?.ok_or_else(|| {
            IdentityError::configuration(
                "it is not said how the application proves itself; give one of client_secret, client_certificate and \
                 client_assertion (azid: --client-secret-file, --certificate-path, --assertion-file)",
            )
        })?;
        let client = settings.client(client_id, authentication)?;
        Ok(Acquisition::limited(
            NAME,
            OnBehalfOf(client),
            Some(tenants),
            &settings.environment,
            limit,
        )
        .with_support_logging(settings.support_logging))
    };
    assemble().map_err(|error: IdentityError| error.of_credential(NAME))
}

/// One user, and the cache that all users share.
struct ForUser {
    shared: Arc<Acquisition>,
    user: Arc<UserAssertion>,
}

impl ForUser {
    fn name(&self) -> &'static str {
        self.shared.name()
    }

    async fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        self.shared.get_for(Some(&self.user), scopes, options).await
    }
}

impl Remembers for ForUser {
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.shared.cached_for(Some(&self.user), scopes, options)
    }

    fn copied(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessToken> {
        self.shared.copied_for(Some(&self.user), scopes, options)
    }
}

struct OnBehalfOf(EntraClient);

#[async_trait]
impl TokenSource for OnBehalfOf {
    async fn acquire(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError> {
        let Some(user) = &request.user else {
            return Err(IdentityError::configuration(
                "this is a request on behalf of a user, but names none",
            ));
        };
        if let Some(refresh_token) = user.refresh_token() {
            let grant = Grant::RefreshToken(&refresh_token);
            match self.0.redeem(&grant, request).await {
                Ok(redeemed) => {
                    if let Some(next) = redeemed.refresh_token {
                        user.keep(next);
                    }
                    return Ok(redeemed.access);
                }
                // The assertion may still do where the refresh token does not.
                Err(error) if error.kind() == FailureKind::AuthenticationFailed => {
                    debug!(%error, "the refresh token was refused; exchanging the user assertion again");
                    user.forget(&refresh_token);
                }
                Err(error) => return Err(error),
            }
        }
        let grant = Grant::OnBehalfOf {
            assertion: user.text(),
        };
        let redeemed = self.0.redeem(&grant, request).await?;
        if let Some(refresh_token) = redeemed.refresh_token {
            user.keep(refresh_token);
        }
        Ok(redeemed.access)
    }
}
