//! `-c client-secret`: an application with a secret.

use std::sync::Arc;

use azidentity::{ClientSecretCredential, Credential};

use crate::failure::Failure;

use super::world::{CLIENT_ID, CLIENT_SECRET, TENANT_ID, World, with_entra_options};

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let value = |variable, option: &str, what: &str| {
        world.value(variable).ok_or_else(|| {
            Failure::Configuration(format!(
                "client-secret: {what} is missing; give {option}, or set the variable {variable}"
            ))
        })
    };
    let tenant = value(TENANT_ID, "--tenant-id", "the tenant")?;
    let client = value(CLIENT_ID, "--client-id", "the application's client id")?;
    let secret = value(
        CLIENT_SECRET,
        "--client-secret-file with the name of a file (- for standard input)",
        "the client secret",
    )?;
    let builder =
        ClientSecretCredential::builder(tenant.as_str(), client.as_str(), secret.to_string());
    Ok(with_entra_options!(builder, world).build()?)
}
