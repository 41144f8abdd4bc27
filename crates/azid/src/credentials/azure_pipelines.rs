//! `-c azure-pipelines`: the service connection of a job in Azure Pipelines.

use std::sync::Arc;

use azidentity::{AzurePipelinesCredential, Credential, FailureKind, IdentityError};

use crate::failure::Failure;

use super::world::{World, with_entra_options};

pub(super) const NAME: &str = "azure-pipelines";

/// The job's own token. Azure Pipelines hands it to a script only when that maps it.
const ACCESS_TOKEN: &str = "SYSTEM_ACCESSTOKEN";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let Some(connection) = &world.args.proof.service_connection_id else {
        return Err(Failure::Configuration(format!(
            "{NAME}: the service connection is missing; give --service-connection-id with its id (resourceId)"
        )));
    };
    let Some(token) = world.value(ACCESS_TOKEN) else {
        let missing = IdentityError::new(
            FailureKind::Unavailable,
            format!(
                "the variable {ACCESS_TOKEN} is not set, so this is no job of Azure Pipelines, or its step has not been given \
                 the job's token; write `env: {ACCESS_TOKEN}: $(System.AccessToken)` into the step, or use another \
                 credential here"
            ),
        );
        return Err(Failure::Identity(missing.of_credential(NAME)));
    };
    let builder = AzurePipelinesCredential::builder(
        tenant.as_str(),
        client.as_str(),
        connection.as_str(),
        token.to_string(),
    );
    let builder = builder.environment(world.environment());
    Ok(with_entra_options!(builder, world).build()?)
}
