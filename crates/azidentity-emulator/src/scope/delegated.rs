//! What an application asks for on a user's behalf.

use super::{ALL, audience, invalid, is_well_formed};
use crate::entra_error::EntraError;
use crate::state::State;
use crate::world::{Audience, GRAPH, Tenant};

/// Scopes that are about the user and not about a resource.
const RESERVED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Permissions at one resource, and what else goes with the token.
#[derive(Debug)]
pub(crate) struct Delegated {
    pub(crate) audience: Audience,
    /// The `scp` claim.
    pub(crate) permissions: String,
    /// The `scope` of the answer. MSAL for Python finds a token again by it, so
    /// that it repeats what was asked for.
    pub(crate) granted: String,
    pub(crate) wants_id_token: bool,
    pub(crate) wants_refresh_token: bool,
}

/// Reads a scope such as `https://vault.azure.net/.default offline_access`,
/// whose parts come in any order.
pub(crate) fn of_user(
    state: &State,
    tenant: &Tenant,
    scope: &str,
) -> Result<Delegated, EntraError> {
    let asked: Vec<_> = scope.split(' ').filter(|part| !part.is_empty()).collect();
    let has = |name: &str| asked.contains(&name);
    if asked.is_empty() || !asked.iter().all(|part| is_well_formed(part)) {
        return Err(invalid(&state.showable(scope)));
    }
    let mut found: Option<Audience> = None;
    let (mut permissions, mut granted) = (Vec::new(), Vec::new());
    for part in asked.iter().filter(|part| !RESERVED.contains(part)) {
        let (resource, permission) = split(part);
        let here = audience(state, tenant, resource)?;
        let here = match found {
            None => here,
            Some(first) if first.is(resource) => first,
            Some(_) => return Err(several(&state.showable(scope))),
        };
        granted.push((*part).to_owned());
        if permission == &ALL[1..] {
            for permission in here.default_scopes() {
                granted.push(format!("{resource}/{permission}"));
                permissions.push(permission);
            }
        } else if permission.is_empty() {
            return Err(invalid(&state.showable(part)));
        } else if here.has_scope(permission) {
            permissions.push(permission.to_owned());
        } else {
            return Err(EntraError::new(
                650_053,
                format!(
                    "The resource defines no scope '{}'.",
                    state.showable(permission)
                ),
            ));
        }
        found = Some(here);
    }
    let audience = if let Some(audience) = found {
        audience
    } else {
        // Only about the user, of whom Microsoft Graph knows.
        for name in RESERVED.iter().filter(|name| has(name)) {
            granted.push((*name).to_owned());
            permissions.push((*name).to_owned());
        }
        audience(state, tenant, GRAPH)?
    };
    permissions.dedup();
    granted.dedup();
    Ok(Delegated {
        audience,
        permissions: permissions.join(" "),
        granted: granted.join(" "),
        wants_id_token: has("openid"),
        wants_refresh_token: has("offline_access"),
    })
}

/// Resource and permission. One without a resource is Microsoft Graph's.
fn split(scope: &str) -> (&str, &str) {
    match scope.rsplit_once('/') {
        Some((resource, permission)) => (resource, permission),
        None => (GRAPH, scope),
    }
}

fn several(shown: &str) -> EntraError {
    EntraError::new(
        28000,
        format!(
            "The value of the parameter 'scope' names more than one resource. A token is for one. The scope {shown} \
             is not valid."
        ),
    )
}
