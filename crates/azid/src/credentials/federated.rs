//! `-c federated`: an application for which another identity provider vouches.

use std::sync::Arc;

use azidentity::{Credential, FederatedAssertion, FederatedCredential, IdentityError};

use crate::failure::Failure;

use super::world::{World, with_entra_options};

pub(super) const NAME: &str = "federated";

/// A source comes from the command line alone: a variable could have any program run.
pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let proof = &world.args.proof;
    let Some(source) = &proof.assertion_from else {
        return Err(Failure::Configuration(format!(
            "{NAME}: the source of assertions is missing; give --assertion-from with github-actions, gcp, env:NAME, \
             file:PATH or exec:PROGRAM"
        )));
    };
    let mut source: FederatedAssertion = source.parse().map_err(|error: IdentityError| {
        Failure::Configuration(format!("{NAME}: --assertion-from: {}", error.message()))
    })?;
    if !proof.assertion_args.is_empty() {
        if !matches!(source, FederatedAssertion::Program { .. }) {
            return Err(Failure::Configuration(format!(
                "{NAME}: --assertion-arg is given, but no program to take it; leave it out, or give --assertion-from \
                 exec:PROGRAM"
            )));
        }
        source = source.with_args(proof.assertion_args.iter().cloned())?;
    }
    // What is asked on this machine, as Google Cloud's metadata, is never asked through a proxy.
    let near = matches!(source, FederatedAssertion::GoogleCloud);
    let builder = FederatedCredential::builder(tenant.as_str(), client.as_str(), source)
        .environment(world.environment());
    let mut builder = with_entra_options!(builder, world);
    if let Some(audience) = &proof.assertion_audience {
        builder = builder.audience(audience);
    }
    if near {
        builder = builder.assertion_client_options(world.metadata_options());
    }
    Ok(builder.build()?)
}
