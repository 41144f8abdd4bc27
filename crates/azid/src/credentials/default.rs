//! `-c default`: the chain of whatever this machine can sign in with.

use std::sync::Arc;

use azidentity::{Credential, DefaultAzureCredential, DefaultChainMember};

use crate::{
    cli::{EntraArgs, MemberArgs},
    failure::Failure,
};

use super::{
    DEFAULT, environment,
    proof::by_option,
    world::{World, with_entra_options},
};

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let MemberArgs { exclude, include } = &world.args.members;
    if let Some(both) = exclude.iter().find(|name| include.contains(name)) {
        return Err(Failure::Configuration(format!(
            "{both} is both excluded and included; decide for one"
        )));
    }
    by_option(DEFAULT, world.args, &environment::WAYS)?;
    let builder = DefaultAzureCredential::builder()
        .environment(world.environment())
        .managed_identity_client_options(world.metadata_options());
    let mut builder = with_entra_options!(builder, world);
    // An option is meant for every member, a variable for those that read it.
    let EntraArgs {
        tenant_id,
        client_id,
        ..
    } = &world.args.entra;
    if let Some(tenant) = tenant_id {
        builder = builder.workload_identity_tenant_id(tenant);
    }
    if let Some(client) = client_id {
        builder = builder.workload_identity_client_id(client);
    }
    for member in DefaultChainMember::all() {
        let named = |names: &[String]| names.iter().any(|name| name == member.name());
        if named(exclude) {
            builder = builder.exclude(member);
        }
        if named(include) {
            builder = builder.include(member);
        }
    }
    Ok(builder.build()?)
}
