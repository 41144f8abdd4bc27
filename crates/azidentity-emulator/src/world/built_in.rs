//! The world that exists when nobody describes another.

use super::{
    Application, ClientSecret, ManagedIdentity, Resource, Roles, ServicePrincipal, Tenant, World,
};
use crate::clock::Clock;
use crate::secret::Secret;

impl World {
    /// The first tenant of the built-in world, also known as `contoso.example`.
    pub const TENANT_ID: &'static str = "c0a7e5b2-4f1d-4d6a-9a53-5e1f0b7c2d10";

    /// The second tenant of the built-in world, also known as
    /// `fabrikam.example`. [`World::CLIENT_ID`] is installed here, too.
    pub const OTHER_TENANT_ID: &'static str = "fab21c4d-93e8-4b07-8c6f-2a7d51e9b320";

    /// The confidential client of the built-in world. Its secret is
    /// [`World::client_secret`].
    pub const CLIENT_ID: &'static str = "7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31";

    /// The client id of the built-in world's system-assigned identity.
    pub const SYSTEM_ASSIGNED_CLIENT_ID: &'static str = "5b8e2a14-6d07-4c39-a2f1-c3d90b64e742";

    /// The client id of the built-in world's user-assigned identity.
    pub const USER_ASSIGNED_CLIENT_ID: &'static str = "9e4c7d05-b8a3-4f16-8d2e-71f5a0c36b53";
}

const SUBSCRIPTION: &str =
    "/subscriptions/2f6a1b90-7c4e-4d35-9b08-e5d1c7a32f64/resourcegroups/contoso";

impl Default for World {
    fn default() -> Self {
        let tenant = |id: &str, domains: [&str; 2]| Tenant {
            id: id.to_owned(),
            domains: domains.map(str::to_owned).to_vec(),
        };
        let principal = |tenant: &str, object_id: &str| ServicePrincipal {
            tenant_id: tenant.to_owned(),
            object_id: object_id.to_owned(),
        };
        let daemon = Application {
            client_id: Self::CLIENT_ID.to_owned(),
            name: "Contoso Daemon".to_owned(),
            public: false,
            service_principals: vec![
                principal(Self::TENANT_ID, "3a90d7c8-52f4-4be1-9607-d8b1f4e2a975"),
                principal(
                    Self::OTHER_TENANT_ID,
                    "d41f8b36-0e9a-4c72-b5d3-06a7e92c1f86",
                ),
            ],
            secrets: fresh_secret().into_iter().collect(),
            roles: Roles::from([(
                "https://graph.microsoft.com".to_owned(),
                vec!["User.Read.All".to_owned()],
            )]),
        };
        let identity = |client_id: &str, object_id: &str, resource_id: &str| ManagedIdentity {
            tenant_id: Self::TENANT_ID.to_owned(),
            client_id: client_id.to_owned(),
            object_id: object_id.to_owned(),
            resource_id: format!("{SUBSCRIPTION}/providers/{resource_id}"),
            system_assigned: false,
            roles: Roles::new(),
        };
        Self {
            tenants: vec![
                tenant(
                    Self::TENANT_ID,
                    ["contoso.example", "contoso.onmicrosoft.com"],
                ),
                tenant(
                    Self::OTHER_TENANT_ID,
                    ["fabrikam.example", "fabrikam.onmicrosoft.com"],
                ),
            ],
            applications: vec![daemon],
            resources: Resource::built_in(),
            identities: vec![
                ManagedIdentity {
                    system_assigned: true,
                    ..identity(
                        Self::SYSTEM_ASSIGNED_CLIENT_ID,
                        "68c5f1e9-ad24-4730-8e7b-b92d06f5c197",
                        "Microsoft.Compute/virtualMachines/contoso-vm",
                    )
                },
                identity(
                    Self::USER_ASSIGNED_CLIENT_ID,
                    "e7b02d6a-31c9-4f58-a4d0-4c8f91e5b2a8",
                    "Microsoft.ManagedIdentity/userAssignedIdentities/contoso-identity",
                ),
            ],
            accept_any_resource: true,
            clock: Clock::default(),
        }
    }
}

/// A secret that has the look of Entra's: 40 characters, `~` among them.
/// `None` when the system has no randomness to give; then nobody can sign in,
/// which is better than a secret that can be guessed.
fn fresh_secret() -> Option<ClientSecret> {
    let random = Secret::random(27).ok()?;
    Some(ClientSecret {
        value: Secret::new(format!("8Q~{}.", random.expose())),
        expires: None,
    })
}

#[cfg(test)]
mod tests {
    use super::World;

    #[test]
    fn every_world_has_a_secret_of_its_own() {
        let one = World::default();
        let two = World::default();
        let secret = one.client_secret(World::CLIENT_ID).unwrap();
        assert_eq!(secret.len(), 40);
        assert_ne!(secret, two.client_secret(World::CLIENT_ID).unwrap());
        assert!(!format!("{one:?}").contains(secret));
    }

    #[test]
    fn names_find_tenants_in_any_letter_case() {
        let world = World::default();
        for name in [
            World::TENANT_ID,
            &World::TENANT_ID.to_uppercase(),
            "Contoso.Example",
        ] {
            assert_eq!(world.find_tenant(name).unwrap().id(), World::TENANT_ID);
        }
        assert!(world.find_tenant("common").is_none());
    }
}
