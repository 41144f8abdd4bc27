//! `-c workload-identity`: the service account of a pod in Kubernetes.

use std::sync::Arc;

use azidentity::{Credential, FailureKind, IdentityError, WorkloadIdentityCredential};

use crate::failure::Failure;

use super::world::{CLIENT_ID, TENANT_ID, TOKEN_FILE, World, with_entra_options};

pub(super) const NAME: &str = "workload-identity";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let missing: Vec<String> = [
        ("--tenant-id", TENANT_ID),
        ("--client-id", CLIENT_ID),
        ("--token-file-path", TOKEN_FILE),
    ]
    .into_iter()
    .filter(|(_, variable)| world.value(variable).is_none())
    .map(|(option, variable)| format!("{option} (variable {variable})"))
    .collect();
    if !missing.is_empty() {
        let unavailable = IdentityError::new(
            FailureKind::Unavailable,
            format!(
                "workload identity is not set up, because this is missing: {}; give it, or in Kubernetes label the pod with \
                 azure.workload.identity/use: \"true\" and annotate its service account with \
                 azure.workload.identity/client-id",
                missing.join(", ")
            ),
        );
        return Err(Failure::Identity(unavailable.of_credential(NAME)));
    }
    let builder = WorkloadIdentityCredential::builder().environment(world.environment());
    Ok(with_entra_options!(builder, world).build()?)
}
