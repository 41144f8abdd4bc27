//! `-c environment`: an application that environment variables describe.

use std::sync::Arc;

use azidentity::{Credential, EnvironmentCredential};

use crate::failure::Failure;

use super::world::{World, with_entra_options};

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let builder = EnvironmentCredential::builder().environment(world.environment());
    Ok(with_entra_options!(builder, world).build()?)
}
