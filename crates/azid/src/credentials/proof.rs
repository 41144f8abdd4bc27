//! How an application proves itself, for credentials that leave the choice.

use azidentity::{AssertionFile, ClientCertificate};

use crate::{cli::ProofArgs, failure::Failure};

use super::world::{CERTIFICATE_PASSWORD, CERTIFICATE_PATH, CLIENT_SECRET, World};

/// What an application proves itself with.
pub(super) enum Proof {
    Secret(String),
    Certificate(ClientCertificate),
    Assertion(AssertionFile),
}

/// The one option that is given, else the secret or the certificate that a variable has.
pub(super) fn proof(credential: &str, world: &World<'_>) -> Result<Option<Proof>, Failure> {
    let ProofArgs {
        client_secret_file,
        certificate_path,
        assertion_file,
        ..
    } = &world.args.proof;
    let given: Vec<&str> = [
        ("--client-secret-file", client_secret_file.is_some()),
        ("--certificate-path", certificate_path.is_some()),
        ("--assertion-file", assertion_file.is_some()),
    ]
    .into_iter()
    .filter(|(_, given)| *given)
    .map(|(option, _)| option)
    .collect();
    if given.len() > 1 {
        return Err(Failure::Configuration(format!(
            "{credential}: {} are given, but an application proves itself in one way; give the one that is meant",
            given.join(" and ")
        )));
    }
    let certificate = || {
        let path = world.value(CERTIFICATE_PATH)?;
        Some(Proof::Certificate(ClientCertificate::from_path(
            path.as_str(),
        )))
    };
    if let Some(path) = assertion_file {
        return Ok(Some(Proof::Assertion(AssertionFile::new(path))));
    }
    if certificate_path.is_some() {
        return Ok(certificate());
    }
    let secret = world.value(CLIENT_SECRET);
    Ok(secret
        .map(|secret| Proof::Secret(secret.to_string()))
        .or_else(certificate))
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
