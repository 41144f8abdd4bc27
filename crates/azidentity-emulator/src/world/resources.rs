//! What tokens can be asked for.

use super::{Tenant, World};
use crate::guid;

/// The shape of a resource's access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVersion {
    /// Issuer `https://sts.windows.net/{tenant}/`, audience as it was asked
    /// for. What Azure's own services take, and the default.
    V1,
    /// Issuer `{authority}/{tenant}/v2.0`, audience the resource's app id.
    V2,
}

/// An API that tokens can be asked for.
#[derive(Clone, Debug)]
pub struct Resource {
    pub(crate) app_id: String,
    pub(crate) identifiers: Vec<String>,
    pub(crate) version: TokenVersion,
    pub(crate) app_roles: Vec<String>,
    pub(crate) scopes: Vec<String>,
}

/// What a scope without a resource is a permission of.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

impl Resource {
    /// The resource's own application id, a GUID in lower case.
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Its identifier URIs. One trailing slash makes no difference.
    pub fn identifiers(&self) -> &[String] {
        &self.identifiers
    }

    /// The shape of its access tokens.
    pub fn token_version(&self) -> TokenVersion {
        self.version
    }

    /// The app roles it defines. Empty: any role can be granted.
    pub fn app_roles(&self) -> &[String] {
        &self.app_roles
    }

    /// The permissions that applications can have at it on a user's behalf.
    /// Empty: any can be asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether this is the resource that was asked for.
    pub(crate) fn is(&self, asked: &str) -> bool {
        self.app_id.eq_ignore_ascii_case(asked)
            || self
                .identifiers
                .iter()
                .any(|known| same_identifier(known, asked))
    }

    /// The resources every tenant has.
    pub(crate) fn built_in() -> Vec<Self> {
        // App ids: learn.microsoft.com/power-platform/admin/apps-to-allow and
        // the tokens of these services.
        [
            (
                "797f4846-ba00-4fd7-ba43-dac1f8f63013",
                &[
                    "https://management.azure.com",
                    "https://management.core.windows.net",
                ][..],
            ),
            (
                "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
                &["https://vault.azure.net"],
            ),
            (
                "e406a681-f3d4-42a8-90b6-c2b029497af1",
                &["https://storage.azure.com"],
            ),
            ("00000003-0000-0000-c000-000000000000", &[GRAPH]),
        ]
        .into_iter()
        .map(|(app_id, identifiers)| Self {
            app_id: app_id.to_owned(),
            identifiers: identifiers.iter().map(|&uri| uri.to_owned()).collect(),
            version: TokenVersion::V1,
            app_roles: Vec::new(),
            scopes: Vec::new(),
        })
        .collect()
    }
}

/// Identifiers are compared without regard to letter case and to one slash at
/// the end: a scope has it when the identifier has one, and often when not.
pub(crate) fn same_identifier(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    bare(one) == bare(other)
}

/// What a token is for: where `aud` and the token's shape come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    /// The `aud` claim.
    pub(crate) aud: String,
    pub(crate) version: TokenVersion,
    /// Every name under which roles may have been granted.
    names: Vec<String>,
    /// The permissions it defines; empty: any.
    scopes: Vec<String>,
}

impl Audience {
    /// Whether this is a name of the resource.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.names.iter().any(|own| same_identifier(own, name))
    }

    /// Whether users can give this permission.
    pub(crate) fn has_scope(&self, permission: &str) -> bool {
        self.scopes.is_empty()
            || self
                .scopes
                .iter()
                .any(|s| s.eq_ignore_ascii_case(permission))
    }

    /// What `/.default` stands for.
    pub(crate) fn default_scopes(&self) -> Vec<String> {
        if !self.scopes.is_empty() {
            return self.scopes.clone();
        }
        let only = if self.is(GRAPH) {
            "User.Read"
        } else {
            "user_impersonation"
        };
        vec![only.to_owned()]
    }

    /// The roles that were granted for this resource.
    pub(crate) fn roles(&self, granted: &super::Roles) -> Vec<String> {
        granted
            .iter()
            .filter(|(resource, _)| self.names.iter().any(|n| same_identifier(n, resource)))
            .flat_map(|(_, roles)| roles.iter().cloned())
            .collect()
    }
}

impl World {
    /// The audience for a resource as a client names it (the scope without
    /// `/.default`), or `None` when no tenant knows it.
    pub(crate) fn audience(&self, asked: &str) -> Option<Audience> {
        if let Some(resource) = self.resources.iter().find(|r| r.is(asked)) {
            let mut names = resource.identifiers.clone();
            names.push(resource.app_id.clone());
            let aud = match resource.version {
                TokenVersion::V1 => asked.to_owned(),
                TokenVersion::V2 => resource.app_id.clone(),
            };
            return Some(Audience {
                aud,
                version: resource.version,
                names,
                scopes: resource.scopes.clone(),
            });
        }
        // An application is a resource, too, under its client id.
        let client_id = asked.strip_prefix("api://").unwrap_or(asked);
        let known = self.application(client_id).is_some()
            || (self.accept_any_resource && could_be_a_resource(asked));
        known.then(|| Audience {
            aud: asked.to_owned(),
            version: TokenVersion::V1,
            names: vec![asked.to_owned()],
            scopes: Vec::new(),
        })
    }
}

/// Even when anything goes, a slip such as `vault.azure.net/.default` should
/// fail here as it does in Entra.
fn could_be_a_resource(asked: &str) -> bool {
    guid::parse(asked).is_some()
        || asked.starts_with("urn:")
        || asked.split_once("://").is_some_and(|(scheme, rest)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
}

/// How an unknown resource is reported, wherever it was asked for.
pub(crate) fn resource_not_found(asked: &str, tenant: &Tenant) -> String {
    format!(
        "The tenant '{}' has no resource principal named '{asked}'. Either nobody has consented to the \
         resource in this tenant, or its name is not spelled as the resource registered it.",
        tenant.name()
    )
}

#[cfg(test)]
mod tests {
    use super::{TokenVersion, World, could_be_a_resource};

    #[test]
    fn the_audience_is_what_was_asked_for() {
        let world = World::default();
        for asked in [
            "https://management.azure.com",
            "https://management.core.windows.net/",
            "797f4846-ba00-4fd7-ba43-dac1f8f63013",
            "https://anything.example",
            "api://my-api",
        ] {
            let audience = world.audience(asked).unwrap();
            assert_eq!(audience.aud, asked);
            assert_eq!(audience.version, TokenVersion::V1);
        }
    }

    #[test]
    fn a_strict_world_knows_only_what_was_described() {
        let world = World {
            accept_any_resource: false,
            ..World::default()
        };
        assert!(world.audience("https://anything.example").is_none());
        assert!(world.audience("HTTPS://VAULT.azure.net/").is_some());
        assert!(world.audience(World::CLIENT_ID).is_some());
    }

    #[test]
    fn slips_are_no_resources() {
        for asked in [
            "",
            "vault.azure.net",
            "https://",
            "https:///",
            "://x",
            "contoso",
        ] {
            assert!(!could_be_a_resource(asked), "{asked}");
        }
    }

    #[test]
    fn roles_follow_any_name_of_the_resource() {
        let world = World::default();
        let granted = &world.applications()[0].roles;
        for asked in [
            "https://graph.microsoft.com/",
            "00000003-0000-0000-c000-000000000000",
        ] {
            assert_eq!(
                world.audience(asked).unwrap().roles(granted),
                ["User.Read.All"]
            );
        }
        assert!(
            world
                .audience("https://vault.azure.net")
                .unwrap()
                .roles(granted)
                .is_empty()
        );
    }
}
