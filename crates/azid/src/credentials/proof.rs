//! How an application proves itself, for credentials that leave the choice.

use azidentity::{AssertionFile, ClientCertificate};

use crate::{cli::TokenArgs, failure::Failure};

use super::{
    choice::Choice,
    world::{CERTIFICATE_PASSWORD, CERTIFICATE_PATH, CLIENT_SECRET, World},
};

/// What an application proves itself with.
pub(super) enum Proof {
    Secret(String),
    Certificate(ClientCertificate),
    Assertion(AssertionFile),
}

/// The one of these `ways` that options ask for. Two would leave open which is meant.
pub(super) fn by_option(
    credential: &str,
    args: &TokenArgs,
    ways: &[Choice],
) -> Result<Option<Choice>, Failure> {
    let given: Vec<(Choice, &str)> = ways
        .iter()
        .filter_map(|way| Some((*way, way.given(args)?)))
        .collect();
    match given[..] {
        [] => Ok(None),
        [(way, _)] => Ok(Some(way)),
        _ => {
            let options: Vec<&str> = given.into_iter().map(|(_, option)| option).collect();
            Err(Failure::Configuration(format!(
                "{credential}: {} are given, but an application proves itself in one way; give the one that is meant",
                options.join(" and ")
            )))
        }
    }
}

/// What the option says; without one the secret in its variable, else the certificate that a variable names.
pub(super) fn proof(credential: &str, world: &World<'_>) -> Result<Option<Proof>, Failure> {
    let ways = [
        Choice::ClientSecretFile,
        Choice::Certificate,
        Choice::AssertionFile,
    ];
    let way = by_option(credential, world.args, &ways)?;
    if way == Some(Choice::AssertionFile) {
        let file = world.assertion_file(credential)?;
        return Ok(Some(Proof::Assertion(file)));
    }
    let certificate = |path: &str| Proof::Certificate(ClientCertificate::from_path(path));
    if way == Some(Choice::Certificate) {
        return Ok(Some(certificate(&world.certificate_path(credential)?)));
    }
    if let Some(secret) = world.value(CLIENT_SECRET) {
        return Ok(Some(Proof::Secret(secret.to_string())));
    }
    Ok(world.value(CERTIFICATE_PATH).map(|path| certificate(&path)))
}

/// The password that goes with a certificate.
pub(super) fn password(world: &World<'_>) -> Option<String> {
    world
        .value(CERTIFICATE_PASSWORD)
        .map(|password| password.to_string())
}

/// Tells a builder of the library how the application proves itself.
macro_rules! with_proof {
    ($builder:expr, $proof:expr, $world:expr) => {{
        use $crate::credentials::proof::{Proof, password};
        match $proof {
            Proof::Secret(secret) => $builder.client_secret(secret),
            Proof::Assertion(file) => $builder.client_assertion(file),
            Proof::Certificate(certificate) => {
                let builder = $builder.client_certificate(certificate);
                match password($world) {
                    Some(password) => builder.certificate_password(password),
                    None => builder,
                }
            }
        }
    }};
}

pub(super) use with_proof;
