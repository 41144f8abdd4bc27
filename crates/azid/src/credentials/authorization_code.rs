//! `-c authorization-code`: a user who has come back from the sign-in page with a code.

use std::sync::Arc;

use azidentity::{AuthorizationCodeCredential, Credential};

use crate::failure::Failure;

use super::{
    proof::{proof, with_proof},
    world::{World, with_entra_options},
};

pub(super) const NAME: &str = "authorization-code";

/// Without a proof the application is a public one.
pub(super) fn make(world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let (tenant, client) = world.application(NAME)?;
    let user = &world.args.user;
    let (Some(code), Some(redirect_uri)) = (&user.authorization_code, &user.redirect_uri) else {
        return Err(Failure::Configuration(format!(
            "{NAME}: give both --authorization-code, with what the user's sign-in has brought, and --redirect-uri, with the \
             address to which that was sent"
        )));
    };
    let builder = AuthorizationCodeCredential::builder(
        tenant.as_str(),
        client.as_str(),
        code.as_str().to_owned(),
        redirect_uri.as_str(),
    );
    let mut builder = with_entra_options!(builder, world).environment(world.environment());
    if let Some(proof) = proof(NAME, world)? {
        builder = with_proof!(builder, proof, world);
    }
    Ok(builder.build()?)
}
