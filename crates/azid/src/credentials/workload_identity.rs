//! `-c workload-identity`: the service account of a pod in Kubernetes.

use std::sync::Arc;

use azidentity::{Credential, WorkloadIdentityCredential};

use crate::failure::Failure;

use super::world::{World, with_entra_options};

pub(super) const NAME: &str = "workload-identity";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let builder = WorkloadIdentityCredential::builder().environment(world.environment());
    Ok(with_entra_options!(builder, world).build()?)
}
