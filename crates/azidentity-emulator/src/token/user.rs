//! Tokens of users.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::{Base, ClientProof, opaque};
use crate::jwt;
use crate::requested_claims::RequestedClaims;
use crate::world::{Audience, TokenVersion, User};

/// An access token with which an application acts for a user.
pub(crate) struct UserToken<'a> {
    pub(crate) user: &'a User,
    pub(crate) client_id: &'a str,
    pub(crate) proof: ClientProof,
    pub(crate) audience: &'a Audience,
    /// Permissions, separated by spaces.
    pub(crate) permissions: &'a str,
    /// Whether the user showed a second factor.
    pub(crate) mfa: bool,
    pub(crate) asked: &'a RequestedClaims,
}

impl UserToken<'_> {
    /// The claims of a token issued at `now` (seconds since 1970) for so many
    /// seconds.
    pub(crate) fn claims(&self, authority: &str, now: u64, lifetime: u64) -> Value {
        let user = self.user;
        let mut claims = Base {
            tenant_id: &user.tenant_id,
            client_id: self.client_id,
            proof: self.proof,
            audience: self.audience,
            asked: self.asked,
        }
        .claims(authority, now, lifetime);
        let mut claim = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        match self.audience.version {
            TokenVersion::V1 => {
                claim("acr", json!("1"));
                claim("unique_name", json!(user.username));
                claim("upn", json!(user.username));
            }
            TokenVersion::V2 => claim("preferred_username", json!(user.username)),
        }
        let methods: &[&str] = if self.mfa { &["pwd", "mfa"] } else { &["pwd"] };
        claim("amr", json!(methods));
        claim("idtyp", json!("user"));
        claim("name", json!(user.name));
        claim("oid", json!(user.object_id));
        claim("scp", json!(self.permissions));
        claim("sub", json!(pairwise(user, &self.audience.aud)));
        Value::Object(claims)
    }
}

/// Says to an application who signed in.
pub(crate) struct IdToken<'a> {
    pub(crate) user: &'a User,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: Option<&'a str>,
}

impl IdToken<'_> {
    pub(crate) fn claims(&self, authority: &str, now: u64, lifetime: u64) -> Value {
        let user = self.user;
        let mut claims = json!({
            "aud": self.client_id,
            "iss": format!("{authority}/{}/v2.0", user.tenant_id),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "name": user.name,
            "oid": user.object_id,
            "preferred_username": user.username,
            "rh": format!("1.{}.", opaque()),
            "sub": pairwise(user, self.client_id),
            "tid": user.tenant_id,
            "uti": opaque(),
            "ver": "2.0",
        });
        // As it was sent: azure-identity for Python refuses another one.
        if let Some(nonce) = self.nonce {
            claims["nonce"] = json!(nonce);
        }
        claims
    }
}

/// The `sub` of a user is another one for each receiver.
fn pairwise(user: &User, receiver: &str) -> String {
    let parts = format!("{}\0{}\0{receiver}", user.tenant_id, user.object_id);
    jwt::encode(digest(&SHA256, parts.as_bytes()))
}
