//! `-c on-behalf-of`: an application for the user whose token it has.

use std::sync::Arc;

use azidentity::{Credential, OnBehalfOfCredential};

use crate::failure::Failure;

use super::{
    proof::{proof, with_proof},
    world::{CERTIFICATE_PATH, CLIENT_SECRET, World, with_entra_options},
};

pub(super) const NAME: &str = "on-behalf-of";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let Some(user) = &world.user_assertion else {
        return Err(Failure::Configuration(format!(
            "{NAME}: the user's token is missing; give --user-assertion-file with the name of a file (- for standard input)"
        )));
    };
    let proof = proof(NAME, world)?.ok_or_else(|| {
        Failure::Configuration(format!(
            "{NAME}: it is not said how the application proves itself; give one of --client-secret-file, \
             --certificate-path and --assertion-file, or set {CLIENT_SECRET} or {CERTIFICATE_PATH}"
        ))
    })?;
    let builder = OnBehalfOfCredential::builder(tenant.as_str(), client.as_str(), user.as_str());
    let builder = with_entra_options!(builder, world).environment(world.environment());
    Ok(with_proof!(builder, proof, world).build()?)
}
