//! `-c environment`: an application that environment variables describe.

use std::sync::Arc;

use azidentity::{Credential, EnvironmentCredential};

use crate::failure::Failure;

use super::{
    choice::Choice,
    proof::by_option,
    world::{World, with_entra_options},
};

pub(super) const NAME: &str = "environment";

/// How the application can prove itself.
pub(super) const WAYS: [Choice; 2] = [Choice::ClientSecretFile, Choice::Certificate];

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    by_option(NAME, world.args, &WAYS)?;
    let builder = EnvironmentCredential::builder().environment(world.environment());
    Ok(with_entra_options!(builder, world).build()?)
}
