//! `-c client-assertion`: an application with an assertion in a file.

use std::sync::Arc;

use azidentity::{AssertionFile, ClientAssertionCredential, Credential};

use crate::failure::Failure;

use super::world::{World, with_entra_options};

pub(super) const NAME: &str = "client-assertion";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let Some(path) = &world.args.proof.assertion_file else {
        return Err(Failure::Configuration(format!(
            "{NAME}: the assertion is missing; give --assertion-file with the name of a file"
        )));
    };
    let builder = ClientAssertionCredential::builder(
        tenant.as_str(),
        client.as_str(),
        AssertionFile::new(path),
    );
    Ok(with_entra_options!(builder, world).build()?)
}
