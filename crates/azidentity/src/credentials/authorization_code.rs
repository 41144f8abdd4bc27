//! A user who has signed in elsewhere, and come back with a code.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_lock::Mutex;
use async_trait::async_trait;
use azure_core::credentials::Secret;
use tracing::debug;

use crate::{
    FailureKind, IdentityError,
    cache::TokenSource,
    entra::{ClientAuthentication, EntraClient, Grant},
    secret::SecretText,
    token::{AccessTokenInfo, TokenRequest},
};

use super::{
    acquisition::Acquisition,
    implement_credential,
    proof::{ProofSettings, proof_setters},
    settings::{EntraSettings, entra_setters},
};

const NAME: &str = "authorization-code";

/// Authenticates the user whose sign-in has brought the application an authorization code, by the
/// [authorization code flow](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow).
///
/// The code is sent once and never again, whatever becomes of that request: a second time would revoke what the first one
/// brought. After that the refresh token brings tokens, for other scopes too.
pub struct AuthorizationCodeCredential {
    acquisition: Acquisition,
}

impl AuthorizationCodeCredential {
    /// Starts a credential.
    ///
    /// `tenant_id` is the tenant's id or one of its domain names, or `organizations` or `common`, `client_id` the
    /// application's id, `redirect_uri` the address to which the code was sent, exactly as in the sign-in request.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        authorization_code: impl Into<Secret>,
        redirect_uri: impl Into<String>,
    ) -> AuthorizationCodeCredentialBuilder {
        AuthorizationCodeCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            code: SecretText::from(&authorization_code.into()),
            redirect_uri: redirect_uri.into(),
            code_verifier: None,
            proof: ProofSettings::default(),
            settings: EntraSettings::default(),
        }
    }
}

impl fmt::Debug for AuthorizationCodeCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCodeCredential")
            .finish_non_exhaustive()
    }
}

implement_credential!(AuthorizationCodeCredential, acquisition);

/// Makes an [`AuthorizationCodeCredential`].
pub struct AuthorizationCodeCredentialBuilder {
    tenant_id: String,
    client_id: String,
    code: SecretText,
    redirect_uri: String,
    code_verifier: Option<SecretText>,
    proof: ProofSettings,
    settings: EntraSettings,
}

impl AuthorizationCodeCredentialBuilder {
    entra_setters!();
    proof_setters!();

    /// Sets the verifier whose challenge was sent with the sign-in request
    /// ([PKCE](https://www.rfc-editor.org/rfc/rfc7636)). Default: none.
    #[must_use]
    pub fn code_verifier(mut self, verifier: impl Into<Secret>) -> Self {
        self.code_verifier = Some(SecretText::from(&verifier.into()));
        self
    }

    /// Finishes the credential; sends nothing yet. Without a proof the application is a public one.
    ///
    /// Fails with [`FailureKind::Configuration`] when one of the values is empty or malformed, when there is more than one
    /// proof of the application, or when its certificate can't be used.
    pub fn build(self) -> azure_core::Result<Arc<AuthorizationCodeCredential>> {
        let credential = self.assemble().map_err(|error| error.of_credential(NAME))?;
        Ok(Arc::new(credential))
    }

    fn assemble(self) -> Result<AuthorizationCodeCredential, IdentityError> {
        let settings = self.settings;
        let tenants = settings.tenant_rules(&self.tenant_id)?;
        for (value, what) in [
            (self.code.expose(), "authorization code"),
            (self.redirect_uri.as_str(), "redirect URI"),
        ] {
            if value.trim().is_empty() {
                return Err(IdentityError::configuration(format!(
                    "the {what} is empty; give what the user's sign-in has brought"
                )));
            }
        }
        let authentication = self
            .proof
            .choose(&settings.environment)?
            .unwrap_or(ClientAuthentication::Public);
        let source = Redeeming {
            client: settings.client(&self.client_id, authentication)?,
            code: self.code,
            redirect_uri: self.redirect_uri,
            code_verifier: self.code_verifier,
            sent: AtomicBool::new(false),
            refresh_token: Mutex::new(None),
        };
        Ok(AuthorizationCodeCredential {
            acquisition: Acquisition::new(NAME, source, Some(tenants), &settings.environment)
                .with_support_logging(settings.support_logging),
        })
    }
}

impl fmt::Debug for AuthorizationCodeCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCodeCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

struct Redeeming {
    client: EntraClient,
    code: SecretText,
    redirect_uri: String,
    code_verifier: Option<SecretText>,
    /// Whether the code has gone out. Never unset: not by a failure, and not by a caller who went away.
    sent: AtomicBool,
    /// Locked while the code is on its way, since all others need what it brings.
    refresh_token: Mutex<Option<SecretText>>,
}

impl Redeeming {
    async fn redeem_code(
        &self,
        request: &TokenRequest,
    ) -> Option<Result<AccessTokenInfo, IdentityError>> {
        let mut refresh_token = self.refresh_token.lock().await;
        if self.sent.load(Ordering::Relaxed) {
            return None;
        }
        let grant = Grant::AuthorizationCode {
            code: &self.code,
            redirect_uri: &self.redirect_uri,
            code_verifier: self.code_verifier.as_ref(),
            sent: &self.sent,
        };
        let redeemed = self.client.redeem(&grant, request).await;
        Some(redeemed.map(|redeemed| {
            *refresh_token = redeemed.refresh_token;
            redeemed.access
        }))
    }

    async fn refresh(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError> {
        let kept = self.refresh_token.lock().await.clone();
        let Some(refresh_token) = kept else {
            return Err(IdentityError::authentication_failed(
                "the authorization code has been sent and is used up, and there is no refresh token to go on with; let the \
                 user sign in again, and ask for the scope offline_access in that request",
            ));
        };
        let grant = Grant::RefreshToken(&refresh_token);
        match self.client.redeem(&grant, request).await {
            Ok(redeemed) => {
                if let Some(next) = redeemed.refresh_token {
                    *self.refresh_token.lock().await = Some(next);
                }
                Ok(redeemed.access)
            }
            Err(error) => {
                let dead = error.kind() == FailureKind::AuthenticationFailed
                    && error.server().and_then(|server| server.error.as_deref())
                        == Some("invalid_grant");
                let mut kept = self.refresh_token.lock().await;
                if dead && request.claims.is_none() && kept.as_ref() == Some(&refresh_token) {
                    debug!("the refresh token is not good any more");
                    *kept = None;
                }
                Err(error)
            }
        }
    }
}

#[async_trait]
impl TokenSource for Redeeming {
    async fn acquire(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError> {
        match self.redeem_code(request).await {
            Some(result) => result,
            None => self.refresh(request).await,
        }
    }
}
