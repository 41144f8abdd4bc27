//! Signing a user in without a browser, for tests of what comes after it.

use std::fmt;

use serde::Deserialize;

use crate::clock;
use crate::entra_error::EntraError;
use crate::grants::Grant;
use crate::ledger::Code;
use crate::pkce::Challenge;
use crate::redirect_uri;
use crate::requested_claims::RequestedClaims;
use crate::secret::Secret;
use crate::state::State;
use crate::token::ClientProof;
use crate::user_grant::{Session, UserGrant};
use crate::world::{Application, Tenant, User};

/// Who signs in, to which application, and what for: what the authorize page
/// would have been told.
///
/// ```
/// use azidentity_emulator::{Config, Emulator, SignIn, World};
///
/// let emulator = Emulator::start(Config::default())?;
/// // A token with which somebody calls the built-in world's API.
/// let tokens = emulator.sign_in(&SignIn::new(World::ORDERS_SCOPE))?;
/// assert!(tokens.access_token().starts_with("eyJ"));
/// // A code that an application can redeem.
/// let sign_in = SignIn::new("openid offline_access https://vault.azure.net/.default")
///     .user(World::USERNAME)
///     .client_id(World::WEB_CLIENT_ID);
/// let code = emulator.authorization_code(&sign_in)?;
/// assert!(!code.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SignIn {
    scope: String,
    user: Option<String>,
    client_id: Option<String>,
    mfa: Option<bool>,
    nonce: Option<String>,
    redirect_uri: Option<String>,
    code_challenge: Option<String>,
}

impl SignIn {
    /// A sign-in for this scope, such as `api://orders/.default`. The user is
    /// the first one of the world, the application its first public client,
    /// unless other methods name them.
    pub fn new(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
            user: None,
            client_id: None,
            mfa: None,
            nonce: None,
            redirect_uri: None,
            code_challenge: None,
        }
    }

    /// The user with this user principal name or object id.
    pub fn user(mut self, name: &str) -> Self {
        self.user = Some(name.to_owned());
        self
    }

    /// The application that the tokens or the code are for.
    pub fn client_id(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }

    /// Whether the user shows a second factor. Default: at the page yes, if
    /// the user needs one; for [`Emulator::sign_in`](crate::Emulator::sign_in)
    /// no.
    pub fn mfa(mut self, mfa: bool) -> Self {
        self.mfa = Some(mfa);
        self
    }

    /// The `nonce` of the id token.
    pub fn nonce(mut self, nonce: &str) -> Self {
        self.nonce = Some(nonce.to_owned());
        self
    }

    /// Where the code is sent: it can be redeemed with this address only.
    /// Default: the first one that is registered, else `http://localhost`.
    pub fn redirect_uri(mut self, uri: &str) -> Self {
        self.redirect_uri = Some(uri.to_owned());
        self
    }

    /// The base64url of the SHA-256 digest of the verifier with which the code
    /// has to be redeemed (PKCE, method S256). Default: none is needed.
    pub fn code_challenge(mut self, challenge: &str) -> Self {
        self.code_challenge = Some(challenge.to_owned());
        self
    }

    fn resolve<'a>(&self, state: &'a State) -> Result<Resolved<'a>, EntraError> {
        let world = &state.world;
        let user = match &self.user {
            Some(name) => world.user(name),
            None => world.users().first(),
        };
        let user = user.ok_or_else(|| EntraError::new(50034, "There is no such user."))?;
        let application = match &self.client_id {
            Some(id) => world.application(id),
            None => world
                .applications()
                .iter()
                .find(|application| application.is_public()),
        };
        let tenant = world
            .find_tenant(user.tenant_id())
            .unwrap_or(world.tenant());
        let application = application
            .filter(|application| application.service_principal(tenant.id()).is_some())
            .ok_or_else(|| {
                EntraError::new(
                    700_016,
                    "There is no such application in the user's tenant.",
                )
            })?;
        Ok(Resolved {
            tenant,
            user,
            application,
        })
    }

    fn session(&self, found: &Resolved<'_>, mfa: bool) -> Session {
        Session {
            user_id: found.user.object_id().to_owned(),
            client_id: found.application.client_id().to_owned(),
            scope: self.scope.clone(),
            mfa: self.mfa.unwrap_or(mfa),
            contexts: Vec::new(),
        }
    }

    /// What the token endpoint would answer.
    pub(crate) fn grant(&self, state: &State) -> Result<Grant, EntraError> {
        let found = self.resolve(state)?;
        let proof = if found.application.is_public() {
            ClientProof::Nothing
        } else {
            ClientProof::Secret
        };
        // The user's own client asks, which has no policy to meet: whoever
        // passes the token on has.
        UserGrant {
            state,
            tenant: found.tenant,
            application: found.application,
            proof,
            session: self.session(&found, false),
            scope: &self.scope,
            asked: RequestedClaims::default(),
            nonce: self.nonce.clone(),
            wants_client_info: true,
            at: state.now(),
        }
        .make_unchecked()
    }

    /// A code as the authorize page would give it.
    pub(crate) fn code(&self, state: &State) -> Result<Secret, EntraError> {
        let found = self.resolve(state)?;
        let first = found.application.redirect_uris().first();
        let redirect_uri = match &self.redirect_uri {
            Some(uri) if redirect_uri::is_registered(found.application, uri) => uri.clone(),
            Some(_) => {
                return Err(EntraError::new(
                    50011,
                    "The redirect URI is none of those registered for the application.",
                ));
            }
            None => first.map_or("http://localhost", String::as_str).to_owned(),
        };
        let method = self.code_challenge.as_ref().map(|_| "S256");
        state.ledger.codes.issue(Code {
            session: self.session(&found, found.user.needs_mfa()),
            redirect_uri,
            challenge: Challenge::parse(self.code_challenge.as_deref(), method)?,
            nonce: self.nonce.clone(),
            issued: clock::unix(state.now()),
        })
    }
}

struct Resolved<'a> {
    tenant: &'a Tenant,
    user: &'a User,
    application: &'a Application,
}

/// The tokens of a user. `Debug` does not show them.
#[derive(Clone)]
pub struct UserTokens {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    pub(crate) id: Option<Secret>,
}

impl UserTokens {
    /// The access token, a JWT.
    pub fn access_token(&self) -> &str {
        self.access.expose()
    }

    /// The refresh token, if the scope had `offline_access`.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_ref().map(Secret::expose)
    }

    /// The id token, if the scope had `openid`.
    pub fn id_token(&self) -> Option<&str> {
        self.id.as_ref().map(Secret::expose)
    }
}

impl fmt::Debug for UserTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTokens").finish_non_exhaustive()
    }
}

/// Why a user could not be signed in, or a token not be made: the error that
/// the authority would have answered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignInError(pub(crate) String);

impl From<EntraError> for SignInError {
    fn from(error: EntraError) -> Self {
        Self(error.text())
    }
}

impl From<&str> for SignInError {
    fn from(fault: &str) -> Self {
        EntraError::fault(fault).into()
    }
}
