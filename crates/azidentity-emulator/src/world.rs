//! Who exists: tenants, applications, users, resources and managed identities.

use std::collections::BTreeMap;

use crate::clock::Clock;
use crate::secret::Secret;

mod applications;
mod built_in;
mod credentials;
mod resources;
mod users;

pub use applications::{Application, ClientSecret, ServicePrincipal};
pub use credentials::{FederatedCredential, RegisteredCertificate};
pub(crate) use credentials::{IssuerKeys, Source, TrustedSubject};
pub(crate) use resources::{Audience, GRAPH, resource_not_found};
pub use resources::{Resource, TokenVersion};
pub use users::User;

/// Everything the emulator knows about: tenants, applications, users, the
/// resources tokens can be asked for, and managed identities.
///
/// The default is the built-in world, whose ids are constants of this type and
/// whose client secret is new in every [`World`]. Another one is described in
/// TOML: see [`Config::from_toml`](crate::Config::from_toml).
///
/// ```
/// use azidentity_emulator::World;
///
/// let world = World::default();
/// assert_eq!(world.tenant().id(), World::TENANT_ID);
/// assert!(world.client_secret(World::CLIENT_ID).is_some());
/// ```
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) applications: Vec<Application>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) identities: Vec<ManagedIdentity>,
    pub(crate) accept_any_resource: bool,
    pub(crate) users: Vec<User>,
    pub(crate) region: String,
    /// What time it is there: the system's, until an emulator sets another.
    pub(crate) clock: Clock,
}

impl World {
    /// The tenants, in the order in which they were described. Never empty.
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }

    /// The first tenant, in which managed identities without a tenant of their
    /// own live.
    #[allow(
        clippy::missing_panics_doc,
        reason = "a world without a tenant cannot be made"
    )]
    pub fn tenant(&self) -> &Tenant {
        &self.tenants[0]
    }

    /// The applications, in the order in which they were described.
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// The application with this client id, in whatever letter case.
    pub fn application(&self, client_id: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|a| a.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The first secret of an application that has not expired, in clear: what
    /// a client is to be configured with. An emulator's world goes by the
    /// emulator's clock.
    pub fn client_secret(&self, client_id: &str) -> Option<&str> {
        let now = self.clock.now();
        let application = self.application(client_id)?;
        let secret = application.secrets.iter().find(|s| !s.expired_at(now))?;
        Some(secret.value())
    }

    /// The resources the tenants know, the built-in ones included.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Whether tokens are also issued for resources nobody described. True in
    /// the built-in world.
    pub fn accept_any_resource(&self) -> bool {
        self.accept_any_resource
    }

    /// The Azure region in which the emulated machine stands: what its metadata
    /// service says, and a name under which the authority can be reached, too
    /// (`https://REGION.localhost:PORT`). Default: `westeurope`.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The managed identities of the emulated machine.
    pub fn identities(&self) -> &[ManagedIdentity] {
        &self.identities
    }

    /// The tenant with this id or domain name, in whatever letter case.
    pub fn find_tenant(&self, id_or_domain: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.is(id_or_domain))
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.applications
            .iter()
            .flat_map(|a| a.secrets.iter().map(|s| &s.value))
    }
}

/// A directory: a GUID and the domain names that also stand for it.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub(crate) id: String,
    pub(crate) domains: Vec<String>,
}

impl Tenant {
    /// The tenant id, a GUID in lower case.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Domain names that may stand in place of the id.
    pub fn domains(&self) -> &[String] {
        &self.domains
    }

    /// How error texts call it: its first domain name, else its id.
    pub(crate) fn name(&self) -> &str {
        self.domains.first().unwrap_or(&self.id)
    }

    pub(crate) fn is(&self, id_or_domain: &str) -> bool {
        self.id.eq_ignore_ascii_case(id_or_domain)
            || self
                .domains
                .iter()
                .any(|d| d.eq_ignore_ascii_case(id_or_domain))
    }
}

/// App roles that were granted, by identifier of the resource that defines them.
pub(crate) type Roles = BTreeMap<String, Vec<String>>;

/// A managed identity of the emulated machine.
#[derive(Clone, Debug)]
pub struct ManagedIdentity {
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    pub(crate) object_id: String,
    pub(crate) resource_id: String,
    pub(crate) system_assigned: bool,
    pub(crate) roles: Roles,
}

impl ManagedIdentity {
    /// The tenant that issues its tokens, a GUID in lower case.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// The client id, a GUID in lower case.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The object id of its service principal (also called principal id).
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The Azure resource id: of the identity when it is user-assigned, of the
    /// machine when it is system-assigned.
    pub fn resource_id(&self) -> &str {
        &self.resource_id
    }

    /// Whether it belongs to the machine; else it is user-assigned.
    pub fn is_system_assigned(&self) -> bool {
        self.system_assigned
    }
}
