//! `-c client-assertion`: an application with an assertion in a file.

use std::sync::Arc;

use azidentity::{ClientAssertionCredential, Credential};

use crate::failure::Failure;

use super::world::{World, with_entra_options};

pub(super) const NAME: &str = "client-assertion";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let file = world.assertion_file(NAME)?;
    let builder = ClientAssertionCredential::builder(tenant.as_str(), client.as_str(), file);
    Ok(with_entra_options!(builder, world).build()?)
}
