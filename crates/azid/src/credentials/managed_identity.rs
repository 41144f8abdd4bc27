//! `-c managed-identity`: the identity of the Azure host this runs on.

use std::sync::Arc;

use azidentity::{Credential, ManagedIdentityCredential, UserAssignedId};

use crate::{cli::TokenArgs, failure::Failure};

use super::world::World;

pub(super) const NAME: &str = "managed-identity";

/// The ways to name a user-assigned identity: option, value, and what it means.
fn names(args: &TokenArgs) -> Vec<(&'static str, UserAssignedId)> {
    let TokenArgs {
        entra, identity, ..
    } = args;
    let client = entra.client_id.clone().map(UserAssignedId::ClientId);
    let object = identity.object_id.clone().map(UserAssignedId::ObjectId);
    let resource = identity.resource_id.clone().map(UserAssignedId::ResourceId);
    [
        ("--client-id", client),
        ("--object-id", object),
        ("--resource-id", resource),
    ]
    .into_iter()
    .filter_map(|(option, id)| Some((option, id?)))
    .collect()
}

/// Two names could be those of two identities.
pub(super) fn check(args: &TokenArgs) -> Result<(), Failure> {
    let given: Vec<&str> = names(args).into_iter().map(|(option, _)| option).collect();
    if given.len() > 1 {
        return Err(Failure::Configuration(format!(
            "{NAME}: {} are given, but a managed identity has one name at a time; give one of them",
            given.join(" and ")
        )));
    }
    Ok(())
}

/// `AZURE_CLIENT_ID` is not looked at: it names the application of other credentials, and only the default chain takes
/// it for a managed identity.
pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let mut builder = ManagedIdentityCredential::builder().client_options(world.metadata_options());
    if let Some((_, id)) = names(world.args).into_iter().next() {
        builder = builder.user_assigned_id(id);
    }
    Ok(builder.build()?)
}
