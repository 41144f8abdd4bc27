//! `-c certificate`: an application with a certificate.

use std::sync::Arc;

use azidentity::{ClientCertificate, ClientCertificateCredential, Credential};

use crate::failure::Failure;

use super::{
    proof::password,
    world::{World, with_entra_options},
};

pub(super) const NAME: &str = "certificate";

pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let path = world.certificate_path(NAME)?;
    let builder = ClientCertificateCredential::builder(
        tenant.as_str(),
        client.as_str(),
        ClientCertificate::from_path(path.as_str()),
    );
    let mut builder = with_entra_options!(builder, world).environment(world.environment());
    if let Some(password) = password(world) {
        builder = builder.password(password);
    }
    Ok(builder.build()?)
}
