//! The world that exists when nobody describes another.

use super::{
    Application, ClientSecret, FederatedCredential, ManagedIdentity, RegisteredCertificate,
    Resource, Roles, ServicePrincipal, Source, Tenant, TokenVersion, TrustedSubject, User, World,
};
use crate::client_certificate;
use crate::clock::Clock;
use crate::guid;
use crate::oidc::Issuer;
use crate::secret::Secret;

impl World {
    /// The first tenant of the built-in world, also known as `contoso.example`.
    pub const TENANT_ID: &'static str = "c0a7e5b2-4f1d-4d6a-9a53-5e1f0b7c2d10";

    /// The second tenant of the built-in world, also known as
    /// `fabrikam.example`. [`World::CLIENT_ID`] is installed here, too.
    pub const OTHER_TENANT_ID: &'static str = "fab21c4d-93e8-4b07-8c6f-2a7d51e9b320";

    /// The confidential client of the built-in world. Its secret is
    /// [`World::client_secret`], its certificate
    /// [`Emulator::client_certificate`](crate::Emulator::client_certificate),
    /// and it trusts the subjects named here of each of the emulator's OIDC
    /// issuers.
    pub const CLIENT_ID: &'static str = "7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31";

    /// The client id of the built-in world's system-assigned identity.
    pub const SYSTEM_ASSIGNED_CLIENT_ID: &'static str = "5b8e2a14-6d07-4c39-a2f1-c3d90b64e742";

    /// The client id of the built-in world's user-assigned identity.
    pub const USER_ASSIGNED_CLIENT_ID: &'static str = "9e4c7d05-b8a3-4f16-8d2e-71f5a0c36b53";

    /// An API of the built-in world that calls others on behalf of its users.
    /// It has a secret and the client certificate.
    pub const API_CLIENT_ID: &'static str = "4f8a6c21-d3b7-4e95-8a10-b5e7c92f3d64";

    /// The scope with which users call that API.
    pub const ORDERS_SCOPE: &'static str = "api://contoso-orders/Orders.Read";

    /// A web application of the built-in world at which users sign in. It has
    /// a secret and the redirect URI [`World::WEB_REDIRECT_URI`].
    pub const WEB_CLIENT_ID: &'static str = "b1e60d97-2a4c-47f8-93d5-6c0e8f7a1b52";

    /// Where users of the web application are sent back to, with any port.
    pub const WEB_REDIRECT_URI: &'static str = "http://localhost/signed-in";

    /// The public client with which the Azure CLI and Microsoft's libraries
    /// sign users in when nobody names another one. It is in every world.
    pub const AZURE_CLI_CLIENT_ID: &'static str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

    /// The first user of the built-in world's first tenant.
    pub const USERNAME: &'static str = "ada@contoso.example";

    /// A user of the built-in world who needs a second factor.
    pub const MFA_USERNAME: &'static str = "grace@contoso.example";

    /// The user of the built-in world's second tenant.
    pub const OTHER_USERNAME: &'static str = "alan@fabrikam.example";

    /// The service connection that the emulator's pipeline job may use.
    pub const SERVICE_CONNECTION_ID: &'static str = "8c25f0d3-9b1e-4a67-b4d8-1f3e5a7c9b20";

    /// The subject of that service connection's tokens.
    pub const PIPELINES_SUBJECT: &'static str = "sc://contoso/orders/azure";

    /// The subject of the emulator's GitHub Actions job.
    pub const GITHUB_SUBJECT: &'static str = "repo:contoso/orders:ref:refs/heads/main";

    /// The subject of the emulator's Google Cloud machine.
    pub const GCP_SUBJECT: &'static str = "108432175690284613957";

    /// The subject of the emulator's Kubernetes workload.
    pub const KUBERNETES_SUBJECT: &'static str = "system:serviceaccount:orders:importer";
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
            certificates: vec![RegisteredCertificate(Source::OfThisProcess)],
            trusted_subjects: vec![TrustedSubject {
                common_name: client_certificate::COMMON_NAME.to_owned(),
                authority: Source::OfThisProcess,
            }],
            federated: [
                (Issuer::Pipelines, Self::PIPELINES_SUBJECT),
                (Issuer::GitHub, Self::GITHUB_SUBJECT),
                (Issuer::Gcp, Self::GCP_SUBJECT),
                (Issuer::Kubernetes, Self::KUBERNETES_SUBJECT),
            ]
            .map(|(issuer, subject)| FederatedCredential::own(issuer, subject))
            .to_vec(),
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
            ..Application::new(Self::CLIENT_ID, "Contoso Daemon")
        };
        let api = Application {
            certificates: vec![RegisteredCertificate(Source::OfThisProcess)],
            secrets: fresh_secret().into_iter().collect(),
            ..everywhere(Self::API_CLIENT_ID, "Contoso Orders")
        };
        let web = Application {
            secrets: fresh_secret().into_iter().collect(),
            redirect_uris: vec![Self::WEB_REDIRECT_URI.to_owned()],
            ..everywhere(Self::WEB_CLIENT_ID, "Contoso Web")
        };
        let orders = Resource {
            app_id: Self::API_CLIENT_ID.to_owned(),
            identifiers: vec!["api://contoso-orders".to_owned()],
            version: TokenVersion::V2,
            app_roles: Vec::new(),
            scopes: vec!["Orders.Read".to_owned()],
        };
        let identity = |client_id: &str, object_id: &str, resource_id: &str| ManagedIdentity {
            tenant_id: Self::TENANT_ID.to_owned(),
            client_id: client_id.to_owned(),
            object_id: object_id.to_owned(),
            resource_id: format!("{SUBSCRIPTION}/providers/{resource_id}"),
            system_assigned: false,
            roles: Roles::new(),
        };
        let tenants = vec![
            tenant(
                Self::TENANT_ID,
                ["contoso.example", "contoso.onmicrosoft.com"],
            ),
            tenant(
                Self::OTHER_TENANT_ID,
                ["fabrikam.example", "fabrikam.onmicrosoft.com"],
            ),
        ];
        Self {
            applications: vec![daemon, api, web, Application::azure_cli(&tenants)],
            tenants,
            resources: [orders].into_iter().chain(Resource::built_in()).collect(),
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
            users: users(),
            region: "westeurope".to_owned(),
            clock: Clock::default(),
        }
    }
}

/// An application that both tenants have.
fn everywhere(client_id: &str, name: &str) -> Application {
    let tenants = [World::TENANT_ID, World::OTHER_TENANT_ID];
    Application {
        service_principals: tenants
            .map(|tenant| ServicePrincipal::derived(client_id, tenant))
            .to_vec(),
        ..Application::new(client_id, name)
    }
}

fn users() -> Vec<User> {
    let grace = user(World::TENANT_ID, World::MFA_USERNAME, "Grace Hopper");
    vec![
        user(World::TENANT_ID, World::USERNAME, "Ada Lovelace"),
        User {
            needs_mfa: true,
            ..grace
        },
        user(World::OTHER_TENANT_ID, World::OTHER_USERNAME, "Alan Turing"),
    ]
}

fn user(tenant_id: &str, username: &str, name: &str) -> User {
    User {
        tenant_id: tenant_id.to_owned(),
        object_id: guid::derived(&["user", tenant_id, username]),
        username: username.to_owned(),
        name: name.to_owned(),
        needs_mfa: false,
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
