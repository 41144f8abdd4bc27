//! Applications, and what they prove themselves with.

use std::time::SystemTime;

use super::{FederatedCredential, RegisteredCertificate, Roles, Tenant, TrustedSubject, World};
use crate::guid;
use crate::secret::Secret;

/// An app registration and its service principals.
#[derive(Clone, Debug)]
pub struct Application {
    pub(crate) client_id: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) service_principals: Vec<ServicePrincipal>,
    pub(crate) secrets: Vec<ClientSecret>,
    pub(crate) roles: Roles,
    pub(crate) certificates: Vec<RegisteredCertificate>,
    pub(crate) trusted_subjects: Vec<TrustedSubject>,
    pub(crate) federated: Vec<FederatedCredential>,
    pub(crate) redirect_uris: Vec<String>,
    /// Identifiers of resources for which nobody has consented.
    pub(crate) needs_consent_for: Vec<String>,
}

impl Application {
    /// A confidential client without anything to prove itself with, installed
    /// nowhere.
    pub(crate) fn new(client_id: &str, name: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            name: name.to_owned(),
            public: false,
            service_principals: Vec::new(),
            secrets: Vec::new(),
            roles: Roles::new(),
            certificates: Vec::new(),
            trusted_subjects: Vec::new(),
            federated: Vec::new(),
            redirect_uris: Vec::new(),
            needs_consent_for: Vec::new(),
        }
    }

    /// The Azure CLI, which all tenants have.
    pub(crate) fn azure_cli(tenants: &[Tenant]) -> Self {
        let id = World::AZURE_CLI_CLIENT_ID;
        Self {
            public: true,
            service_principals: tenants
                .iter()
                .map(|tenant| ServicePrincipal::derived(id, tenant.id()))
                .collect(),
            ..Self::new(id, "Microsoft Azure CLI")
        }
    }

    /// The client id, a GUID in lower case.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is a public client, which cannot keep a secret and must
    /// not present one.
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// Its service principals: the home tenant's first, then those of the
    /// other tenants it is installed in. Never empty.
    pub fn service_principals(&self) -> &[ServicePrincipal] {
        &self.service_principals
    }

    /// The service principal in the tenant with this id; `None` when the
    /// application is not installed there.
    pub fn service_principal(&self, tenant_id: &str) -> Option<&ServicePrincipal> {
        self.service_principals
            .iter()
            .find(|p| p.tenant_id.eq_ignore_ascii_case(tenant_id))
    }

    /// The client secrets, expired ones included.
    pub fn secrets(&self) -> &[ClientSecret] {
        &self.secrets
    }

    /// The certificates that were registered for it, expired ones included.
    pub fn certificates(&self) -> &[RegisteredCertificate] {
        &self.certificates
    }

    /// The tokens of other issuers with which it can sign in.
    pub fn federated_credentials(&self) -> &[FederatedCredential] {
        &self.federated
    }

    /// Where users may be sent back to after they signed in. A public client
    /// has `http://localhost` with any port besides.
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }
}

/// An application as one tenant sees it.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    pub(crate) tenant_id: String,
    pub(crate) object_id: String,
}

impl ServicePrincipal {
    /// One whose object id nobody wrote down.
    pub(crate) fn derived(client_id: &str, tenant_id: &str) -> Self {
        Self {
            tenant_id: tenant_id.to_owned(),
            object_id: guid::derived(&["service principal", client_id, tenant_id]),
        }
    }

    /// The tenant it lives in, a GUID in lower case.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// Its object id, the `oid` of the tokens issued to it.
    pub fn object_id(&self) -> &str {
        &self.object_id
    }
}

/// A client secret. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    pub(crate) value: Secret,
    pub(crate) expires: Option<SystemTime>,
}

impl ClientSecret {
    /// The secret, in clear.
    pub fn value(&self) -> &str {
        self.value.expose()
    }

    /// When it expires; `None` for never.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    pub(crate) fn expired_at(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl World {
    /// Whether tokens with this `aud` are for this application: its client id,
    /// or an identifier of the resource that has the same id.
    pub(crate) fn is_application(&self, application: &Application, audience: &str) -> bool {
        let id = application.client_id();
        audience
            .strip_prefix("api://")
            .unwrap_or(audience)
            .eq_ignore_ascii_case(id)
            || self
                .resources
                .iter()
                .any(|resource| resource.app_id == id && resource.is(audience))
    }
}
