//! People.

use super::World;

/// A user of a tenant.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) tenant_id: String,
    pub(crate) object_id: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) needs_mfa: bool,
}

impl User {
    /// The home tenant, a GUID in lower case.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// The object id, the `oid` of this user's tokens.
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The user principal name, such as `ada@contoso.example`.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether tokens are only issued for a sign-in with a second factor.
    /// Signing in at the authorize page is one.
    pub fn needs_mfa(&self) -> bool {
        self.needs_mfa
    }

    /// The id of this account in all tenants, as caches of tokens have it.
    pub(crate) fn home_account(&self) -> (&str, &str) {
        (&self.object_id, &self.tenant_id)
    }
}

impl World {
    /// The users, in the order in which they were described. The first of a
    /// tenant is the one who signs in when nobody says who.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The user with this user principal name or object id, in whatever letter
    /// case.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| {
            user.username.eq_ignore_ascii_case(name) || user.object_id.eq_ignore_ascii_case(name)
        })
    }
}
