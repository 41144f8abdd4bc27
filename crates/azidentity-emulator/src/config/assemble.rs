//! From the file to a world in which every reference leads somewhere.

use std::collections::HashSet;
use std::ops::Range;
use std::time::SystemTime;

use toml::Spanned;

use super::file::{self, File, Kind};
use super::{Config, ConfigError};
use crate::guid::Guid;
use crate::script;
use crate::world::{
    Application, ClientSecret, ManagedIdentity, Resource, Roles, ServicePrincipal, Tenant, World,
};

mod credentials;
mod users;

pub(super) fn config(file: File, text: &str) -> Result<Config, ConfigError> {
    let mut assembly = Assembly {
        text,
        world: World::default(),
        taken: HashSet::new(),
    };
    if !file.tenants.is_empty() {
        assembly.world.tenants.clear();
        assembly.world.applications.clear();
        assembly.world.identities.clear();
        assembly.world.users.clear();
        assembly.world.resources = Resource::built_in();
    }
    assembly.reserve_what_is_built_in();
    if let Some(any) = file.accept_any_resource {
        assembly.world.accept_any_resource = any;
    }
    for tenant in file.tenants {
        assembly.tenant(tenant)?;
    }
    let mut resources = Vec::new();
    for resource in file.resources {
        resources.push(assembly.resource(resource)?);
    }
    // In front, so that a described resource hides a built-in one of its name.
    assembly.world.resources.splice(0..0, resources);
    for application in file.applications {
        assembly.application(application)?;
    }
    assembly.azure_cli();
    for user in file.users {
        assembly.user(user)?;
    }
    for identity in file.identities {
        assembly.identity(identity)?;
    }
    if let Some(region) = file.region {
        assembly.region(region)?;
    }
    Ok(Config {
        world: assembly.world,
        https_port: file.https_port,
        http_port: file.http_port,
        script: script::assemble(&file.faults, text)?,
        start_time: file.start_time.map(|at| SystemTime::from(at.0)),
    })
}

struct Assembly<'a> {
    text: &'a str,
    world: World,
    /// Names that may stand for one thing only, with what they are names of.
    taken: HashSet<(&'static str, String)>,
}

impl Assembly<'_> {
    fn reserve_what_is_built_in(&mut self) {
        let applications = self.world.applications.iter().map(|a| &a.client_id);
        // A file may say more about the Azure CLI than that it exists.
        let applications = applications.filter(|id| *id != World::AZURE_CLI_CLIENT_ID);
        let identities = self.world.identities.iter().map(|i| &i.client_id);
        self.taken.extend(
            applications
                .chain(identities)
                .map(|id| ("client id", id.clone())),
        );
        let users = self.world.users.iter().map(|user| &user.username);
        self.taken
            .extend(users.map(|name| ("user", name.to_ascii_lowercase())));
    }

    fn error(&self, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::new(Some(file::line_of(self.text, span)), message)
    }

    fn claim(
        &mut self,
        what: &'static str,
        name: &str,
        span: &Range<usize>,
    ) -> Result<(), ConfigError> {
        if self.taken.insert((what, name.to_ascii_lowercase())) {
            return Ok(());
        }
        Err(self.error(span, format!("the {what} `{name}` is used twice")))
    }

    fn claim_id(&mut self, what: &'static str, id: &Spanned<Guid>) -> Result<String, ConfigError> {
        let text = id.get_ref().0.clone();
        self.claim(what, &text, &id.span())?;
        Ok(text)
    }

    fn tenant(&mut self, tenant: file::Tenant) -> Result<(), ConfigError> {
        let id = self.claim_id("tenant", &tenant.id)?;
        let mut domains = Vec::new();
        for domain in tenant.domains {
            let name = domain.get_ref();
            if !is_domain(name) {
                return Err(self.error(
                    &domain.span(),
                    format!("`{name}` is not a domain name: letters, digits, hyphens and at least one dot"),
                ));
            }
            self.claim("tenant", name, &domain.span())?;
            domains.push(domain.into_inner());
        }
        self.world.tenants.push(Tenant { id, domains });
        Ok(())
    }

    fn resource(&mut self, resource: file::Resource) -> Result<Resource, ConfigError> {
        let app_id = self.claim_id("app id", &resource.app_id)?;
        let mut identifiers = Vec::new();
        for identifier in resource.identifiers {
            let name = identifier.get_ref().trim_end_matches('/');
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(self.error(&identifier.span(), "an identifier is a URI without spaces"));
            }
            self.claim("resource", name, &identifier.span())?;
            identifiers.push(identifier.into_inner());
        }
        Ok(Resource {
            app_id,
            identifiers,
            version: resource.token_version.0,
            app_roles: resource.app_roles,
            scopes: resource.scopes,
        })
    }

    fn application(&mut self, application: file::Application) -> Result<(), ConfigError> {
        let client_id = self.claim_id("client id", &application.client_id)?;
        let proofs = [
            ("a secret", application.secrets.is_empty()),
            ("a certificate", application.certificates.is_empty()),
            ("a trusted subject", application.trusted_subjects.is_empty()),
            ("a federated credential", application.federated.is_empty()),
        ];
        let proof = proofs.into_iter().find(|(_, none)| !none);
        if let (true, Some((proof, _))) = (application.public, proof) {
            return Err(self.error(
                &application.client_id.span(),
                format!("the public client `{client_id}` cannot have {proof}"),
            ));
        }
        let certificates = self.certificates(application.certificates)?;
        let trusted_subjects = self.trusted_subjects(application.trusted_subjects)?;
        let federated = self.federated(application.federated)?;
        let redirect_uris = self.redirect_uris(application.redirect_uris)?;
        let roles = self.roles(application.roles)?;
        let home = self.tenant_id(application.tenant.as_ref())?;
        let mut principals = vec![principal(&client_id, home, application.object_id)];
        for installation in application.installed_in {
            let tenant_id = self.tenant_id(Some(&installation.tenant))?;
            if principals.iter().any(|p| p.tenant_id == tenant_id) {
                return Err(self.error(
                    &installation.tenant.span(),
                    format!(
                        "`{client_id}` is already installed in `{}`",
                        installation.tenant.get_ref()
                    ),
                ));
            }
            principals.push(principal(&client_id, tenant_id, installation.object_id));
        }
        let secrets = application.secrets.into_iter().map(|secret| ClientSecret {
            value: secret.value,
            expires: secret.expires.map(|at| SystemTime::from(at.0)),
        });
        self.world.applications.push(Application {
            name: application.name.unwrap_or_else(|| client_id.clone()),
            client_id,
            public: application.public,
            service_principals: principals,
            secrets: secrets.collect(),
            roles,
            certificates,
            trusted_subjects,
            federated,
            redirect_uris,
            needs_consent_for: application.needs_consent_for,
        });
        Ok(())
    }

    fn identity(&mut self, identity: file::Identity) -> Result<(), ConfigError> {
        let client_id = self.claim_id("client id", &identity.client_id)?;
        let system_assigned = *identity.kind.get_ref() == Kind::SystemAssigned;
        if system_assigned && self.world.identities.iter().any(|i| i.system_assigned) {
            return Err(self.error(
                &identity.kind.span(),
                "a machine has one system-assigned identity",
            ));
        }
        let roles = self.roles(identity.roles)?;
        let tenant_id = self.tenant_id(identity.tenant.as_ref())?;
        let ServicePrincipal {
            tenant_id,
            object_id,
        } = principal(&client_id, tenant_id, identity.object_id);
        self.world.identities.push(ManagedIdentity {
            tenant_id,
            client_id,
            object_id,
            resource_id: identity.resource_id,
            system_assigned,
            roles,
        });
        Ok(())
    }

    fn tenant_id(&self, name: Option<&Spanned<String>>) -> Result<String, ConfigError> {
        let Some(name) = name else {
            return Ok(self.world.tenant().id.clone());
        };
        match self.world.find_tenant(name.get_ref()) {
            Some(tenant) => Ok(tenant.id.clone()),
            None => Err(self.error(
                &name.span(),
                format!("no tenant `{}` was described", name.get_ref()),
            )),
        }
    }

    fn roles(&self, roles: Option<Spanned<Roles>>) -> Result<Roles, ConfigError> {
        let Some(roles) = roles else {
            return Ok(Roles::new());
        };
        for (name, granted) in roles.get_ref() {
            let Some(resource) = self.world.resources.iter().find(|r| r.is(name)) else {
                if self.world.audience(name).is_some() {
                    continue;
                }
                return Err(
                    self.error(&roles.span(), format!("no resource `{name}` was described"))
                );
            };
            let known =
                |role: &&String| resource.app_roles.is_empty() || resource.app_roles.contains(role);
            if let Some(role) = granted.iter().find(|role| !known(role)) {
                return Err(self.error(&roles.span(), format!("`{name}` has no app role `{role}`")));
            }
        }
        Ok(roles.into_inner())
    }
}

fn principal(client_id: &str, tenant_id: String, object_id: Option<Guid>) -> ServicePrincipal {
    match object_id {
        Some(Guid(object_id)) => ServicePrincipal {
            tenant_id,
            object_id,
        },
        None => ServicePrincipal::derived(client_id, &tenant_id),
    }
}

fn is_domain(name: &str) -> bool {
    name.contains('.')
        && name.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}
