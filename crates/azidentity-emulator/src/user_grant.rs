//! A user is signed in: what the application gets for it.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::clock;
use crate::entra_error::EntraError;
use crate::grants::{Grant, UserPart};
use crate::jwt;
use crate::requested_claims::RequestedClaims;
use crate::scope::{self, Delegated};
use crate::state::State;
use crate::token::{ClientProof, IdToken, UserToken};
use crate::world::{Application, Tenant, User};

/// Seconds for which a user's access token is valid. Entra chooses between 60
/// and 90 minutes at random, which nobody could test.
const LIFETIME: u64 = 75 * 60;

/// Seconds for which an id token is valid.
const ID_LIFETIME: u64 = 60 * 60;

/// A sign-in, as codes and refresh tokens prolong it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user_id: String,
    pub(crate) client_id: String,
    /// What was asked for at first: what a request without scope means.
    pub(crate) scope: String,
    /// Whether a second factor was shown.
    pub(crate) mfa: bool,
    /// The authentication contexts for which the user did what they ask.
    pub(crate) contexts: Vec<String>,
}

/// Everything that decides what a user's grant leads to.
pub(crate) struct UserGrant<'a> {
    pub(crate) state: &'a State,
    pub(crate) tenant: &'a Tenant,
    pub(crate) application: &'a Application,
    pub(crate) proof: ClientProof,
    pub(crate) session: Session,
    pub(crate) scope: &'a str,
    pub(crate) asked: RequestedClaims,
    pub(crate) nonce: Option<String>,
    pub(crate) wants_client_info: bool,
    pub(crate) at: SystemTime,
}

impl UserGrant<'_> {
    pub(crate) fn make(self) -> Result<Grant, EntraError> {
        let user = find_user(self.state, self.tenant, &self.session.user_id)?;
        self.check_strength(user)?;
        self.make_unchecked()
    }

    /// The same however weak the sign-in was.
    pub(crate) fn make_unchecked(self) -> Result<Grant, EntraError> {
        let state = self.state;
        let user = find_user(state, self.tenant, &self.session.user_id)?;
        let delegated = scope::of_user(state, self.tenant, self.scope)?;
        check_consent(self.application, &delegated)?;
        let now = clock::unix(self.at);
        let client_id = self.application.client_id();
        let token = UserToken {
            user,
            client_id,
            proof: self.proof,
            audience: &delegated.audience,
            permissions: &delegated.permissions,
            mfa: self.session.mfa,
            asked: &self.asked,
        };
        let id_token = IdToken {
            user,
            client_id,
            nonce: self.nonce.as_deref(),
        };
        let claims = token.claims(&state.authority, now, LIFETIME);
        let refresh_token = delegated
            .wants_refresh_token
            .then(|| state.ledger.refresh_tokens.issue(self.session.clone(), now))
            .transpose()?;
        Ok(Grant {
            claims,
            lifetime: LIFETIME,
            user: Some(UserPart {
                scope: delegated.granted,
                refresh_token,
                id_claims: delegated
                    .wants_id_token
                    .then(|| id_token.claims(&state.authority, now, ID_LIFETIME)),
                client_info: self.wants_client_info.then(|| client_info(user)),
            }),
        })
    }

    /// Was the sign-in strong enough for what is asked now? If not, only the
    /// user can help, and `claims` says with what.
    fn check_strength(&self, user: &User) -> Result<(), EntraError> {
        let missing: Vec<_> = self
            .asked
            .contexts()
            .into_iter()
            .filter(|context| !self.session.contexts.iter().any(|done| done == context))
            .collect();
        let challenge = if !missing.is_empty() {
            json!({ "access_token": { "acrs": { "essential": true, "values": missing } } })
        } else if user.needs_mfa && !self.session.mfa {
            // Entra names the policy by an id that means nothing to clients.
            let policy = crate::guid::derived(&["policy", user.tenant_id()]);
            json!({ "access_token": { "capolids": { "essential": true, "values": [policy] } } })
        } else {
            return Ok(());
        };
        Err(EntraError::new(
            50076,
            "The user has to show a second factor before this application gets a token. Let the user sign in again, \
             with the claims that this answer has.",
        )
        .with("suberror", "basic_action")
        .with("claims", challenge.to_string()))
    }
}

/// The user with this id, if this tenant is the user's.
fn find_user<'a>(state: &'a State, tenant: &Tenant, user_id: &str) -> Result<&'a User, EntraError> {
    let user = state.world.user(user_id).ok_or_else(|| {
        EntraError::new(50034, "The user does not exist in this tenant any more.")
    })?;
    if user.tenant_id() == tenant.id() {
        return Ok(user);
    }
    Err(EntraError::new(
        50020,
        format!(
            "The user's account is in another tenant and not a guest in the tenant '{}'.",
            tenant.name()
        ),
    ))
}

pub(crate) fn check_consent(
    application: &Application,
    delegated: &Delegated,
) -> Result<(), EntraError> {
    let refused = &application.needs_consent_for;
    if !refused.iter().any(|name| delegated.audience.is(name)) {
        return Ok(());
    }
    Err(EntraError::new(
        65001,
        format!(
            "Neither the user nor an administrator has consented to the use of the application '{}' at this \
             resource.",
            application.client_id()
        ),
    )
    .with("suberror", "consent_required"))
}

/// Which account it is, in the form in which caches of tokens keep it.
pub(crate) fn client_info(user: &User) -> String {
    let (uid, utid) = user.home_account();
    let info: Value = json!({ "uid": uid, "utid": utid });
    jwt::encode(info.to_string())
}
