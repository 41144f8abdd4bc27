//! `-c client-secret`: an application with a secret.

use std::sync::Arc;

use azidentity::{ClientSecretCredential, Credential};

use crate::failure::Failure;

use super::world::{CLIENT_SECRET, World, with_entra_options};

pub(super) const NAME: &str = "client-secret";

/// How messages name the option.
pub(super) const OPTION: &str =
    "--client-secret-file with the name of a file (- for standard input)";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let secret = world.require(NAME, CLIENT_SECRET, OPTION, "the client secret")?;
    let builder =
        ClientSecretCredential::builder(tenant.as_str(), client.as_str(), secret.to_string());
    Ok(with_entra_options!(builder, world).build()?)
}
