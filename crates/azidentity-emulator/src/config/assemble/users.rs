//! Users, and what else every world has.

use toml::Spanned;

use super::Assembly;
use crate::config::{ConfigError, file};
use crate::guid;
use crate::world::{Application, User, World};

impl Assembly<'_> {
    pub(super) fn user(&mut self, user: file::User) -> Result<(), ConfigError> {
        let username = user.username.get_ref().clone();
        let well_formed = username
            .split_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty());
        if !well_formed || username.contains(char::is_whitespace) {
            return Err(self.error(
                &user.username.span(),
                format!("`{username}` is not a user name such as ada@contoso.example"),
            ));
        }
        self.claim("user", &username, &user.username.span())?;
        let tenant_id = self.tenant_id(user.tenant.as_ref())?;
        let object_id = match user.object_id {
            Some(guid::Guid(id)) => id,
            None => guid::derived(&["user", &tenant_id, &username]),
        };
        self.world.users.push(User {
            tenant_id,
            object_id,
            name: user.name.unwrap_or_else(|| username.clone()),
            username,
            needs_mfa: user.needs_mfa,
        });
        Ok(())
    }

    /// Every tenant has the Azure CLI, the described ones as well.
    pub(super) fn azure_cli(&mut self) {
        let id = World::AZURE_CLI_CLIENT_ID;
        let applications = &mut self.world.applications;
        let described = applications.iter().rposition(|a| a.client_id == id);
        match described {
            None => applications.push(Application::azure_cli(&self.world.tenants)),
            // Described in a file that adds to the built-in world.
            Some(last) => {
                let mut at = 0;
                applications.retain(|a| {
                    at += 1;
                    a.client_id != id || at == last + 1
                });
            }
        }
    }

    /// The name of a region, which becomes part of a host name.
    pub(super) fn region(&mut self, region: Spanned<String>) -> Result<(), ConfigError> {
        let name = region.get_ref();
        if name.is_empty() || name.len() > 63 || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(self.error(
                &region.span(),
                format!("`{name}` is not a region such as westeurope"),
            ));
        }
        self.world.region = region.into_inner();
        Ok(())
    }
}
