//! Users and clients, without a browser and without files.

use super::Emulator;
use crate::client_certificate::{self, ClientCertificate};
use crate::secret::Secret;
use crate::sign_in::{SignIn, SignInError, UserTokens};
use crate::signing::{SigningKey, TOKENS};
use crate::state::State;

impl Emulator {
    /// Signs a user in, and returns what the application gets: an access token
    /// of that user, for instance to be exchanged by an API on the user's
    /// behalf. See [`SignIn`] for an example.
    ///
    /// Blocks the thread until the key that signs tokens exists.
    ///
    /// # Errors
    /// There is no such user, application or resource, or nobody has consented.
    pub fn sign_in(&self, sign_in: &SignIn) -> Result<UserTokens, SignInError> {
        user_tokens(&self.state, sign_in, TOKENS.wait()?)
    }

    /// The access token of the world's first user for this scope: the short
    /// form of [`Emulator::sign_in`].
    ///
    /// # Errors
    /// As for [`Emulator::sign_in`].
    pub fn user_token(&self, scope: &str) -> Result<String, SignInError> {
        let tokens = self.sign_in(&SignIn::new(scope))?;
        Ok(tokens.access_token().to_owned())
    }

    /// The code that the authorize page would send to the application, valid
    /// for ten minutes.
    ///
    /// # Errors
    /// As for [`Emulator::sign_in`]; or the redirect URI is not registered, or
    /// the code challenge is none.
    pub fn authorization_code(&self, sign_in: &SignIn) -> Result<String, SignInError> {
        Ok(sign_in.code(&self.state)?.expose().to_owned())
    }

    /// Revokes the refresh tokens of a user, by user principal name or object
    /// id, or of all users, and returns how many there were. They are refused
    /// with AADSTS50173 from then on.
    pub fn revoke_refresh_tokens(&self, user: Option<&str>) -> usize {
        revoke(&self.state, user)
    }

    /// The certificate that is registered for the built-in world's
    /// [`CLIENT_ID`](crate::World::CLIENT_ID) and
    /// [`API_CLIENT_ID`](crate::World::API_CLIENT_ID). Made at the first call
    /// in a process, which blocks the thread for a few hundred milliseconds.
    ///
    /// # Errors
    /// The key or the certificate could not be made.
    pub fn client_certificate(&self) -> Result<ClientCertificate, SignInError> {
        Ok(ClientCertificate::registered(client_certificate::make()?))
    }

    /// The certificate that follows [`Emulator::client_certificate`], with the
    /// same key and name, from the same authority. It is not registered:
    /// [`CLIENT_ID`](crate::World::CLIENT_ID) can sign in with it only if the
    /// certificate itself is sent along (`x5c`).
    ///
    /// # Errors
    /// As for [`Emulator::client_certificate`].
    pub fn renewed_client_certificate(&self) -> Result<ClientCertificate, SignInError> {
        Ok(ClientCertificate::renewed(client_certificate::make()?))
    }
}

/// What a sign-in leads to, signed.
fn user_tokens(
    state: &State,
    sign_in: &SignIn,
    key: &SigningKey,
) -> Result<UserTokens, SignInError> {
    let answer = sign_in.grant(state)?.answer(key)?;
    let token = |name: &str| answer[name].as_str().map(Secret::new);
    Ok(UserTokens {
        access: token("access_token").ok_or("there is no token")?,
        refresh: token("refresh_token"),
        id: token("id_token"),
    })
}

pub(crate) fn revoke(state: &State, user: Option<&str>) -> usize {
    let tokens = &state.ledger.refresh_tokens;
    match user {
        None => tokens.revoke(None),
        // Nobody who does not exist has any.
        Some(name) => match state.world.user(name) {
            Some(user) => tokens.revoke(Some(user.object_id())),
            None => 0,
        },
    }
}
