//! From names and options on the command line to credentials.
//!
//! A credential is one row of [`TABLE`] and one file beside this one.

mod authorization_code;
mod azure_pipelines;
mod certificate;
mod choice;
mod client_assertion;
mod client_secret;
mod default;
mod environment;
mod federated;
mod managed_identity;
mod on_behalf_of;
mod proof;
mod secret_file;
mod workload_identity;
mod world;

use std::sync::Arc;

use azidentity::{
    ChainMember, ChainedTokenCredential, Credential, DefaultChainMember, FailureKind,
};

use crate::{cli::TokenArgs, failure::Failure, transport::Transports};

use choice::Choice;
use world::World;

/// The credential that is used when none is named.
pub(crate) const DEFAULT: &str = "default";

struct Row {
    name: &'static str,
    /// The options beyond those of every request that mean something to it.
    takes: &'static [Choice],
    make: fn(&World<'_>) -> Result<Arc<dyn Credential>, Failure>,
}

const TABLE: &[Row] = &[
    Row {
        name: DEFAULT,
        takes: &[
            Choice::Tenant,
            Choice::Client,
            Choice::ClientSecretFile,
            Choice::Certificate,
            Choice::TokenFile,
            Choice::Members,
        ],
        make: default::make,
    },
    Row {
        name: environment::NAME,
        takes: &[
            Choice::Tenant,
            Choice::Client,
            Choice::ClientSecretFile,
            Choice::Certificate,
        ],
        make: environment::make,
    },
    Row {
        name: workload_identity::NAME,
        takes: &[Choice::Tenant, Choice::Client, Choice::TokenFile],
        make: workload_identity::make,
    },
    Row {
        name: managed_identity::NAME,
        takes: &[Choice::Client, Choice::ObjectId, Choice::ResourceId],
        make: managed_identity::make,
    },
    Row {
        name: client_secret::NAME,
        takes: &[Choice::Tenant, Choice::Client, Choice::ClientSecretFile],
        make: client_secret::make,
    },
    Row {
        name: certificate::NAME,
        takes: &[Choice::Tenant, Choice::Client, Choice::Certificate],
        make: certificate::make,
    },
    Row {
        name: client_assertion::NAME,
        takes: &[Choice::Tenant, Choice::Client, Choice::AssertionFile],
        make: client_assertion::make,
    },
    Row {
        name: azure_pipelines::NAME,
        takes: &[Choice::Tenant, Choice::Client, Choice::ServiceConnection],
        make: azure_pipelines::make,
    },
    Row {
        name: federated::NAME,
        takes: &[Choice::Tenant, Choice::Client, Choice::AssertionFrom],
        make: federated::make,
    },
    Row {
        name: on_behalf_of::NAME,
        takes: &[
            Choice::Tenant,
            Choice::Client,
            Choice::ClientSecretFile,
            Choice::Certificate,
            Choice::AssertionFile,
            Choice::UserAssertion,
        ],
        make: on_behalf_of::make,
    },
    Row {
        name: authorization_code::NAME,
        takes: &[
            Choice::Tenant,
            Choice::Client,
            Choice::ClientSecretFile,
            Choice::Certificate,
            Choice::AssertionFile,
            Choice::Code,
        ],
        make: authorization_code::make,
    },
];

/// The names of all credentials.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// The names of the default chain's members.
pub(crate) fn default_members() -> impl Iterator<Item = &'static str> {
    DefaultChainMember::all().map(DefaultChainMember::name)
}

/// The credential that the command line describes.
pub(crate) fn make(
    args: &TokenArgs,
    transports: &Transports,
) -> Result<Arc<dyn Credential>, Failure> {
    let rows: Vec<&Row> = args
        .credentials
        .iter()
        .filter_map(|name| TABLE.iter().find(|row| row.name == name))
        .collect();
    check(args, &rows)?;
    let world = World::new(args, transports)?;
    match rows[..] {
        [row] => (row.make)(&world),
        _ => chain(&rows, &world),
    }
}

fn check(args: &TokenArgs, rows: &[&Row]) -> Result<(), Failure> {
    for choice in Choice::ALL {
        let Some(option) = choice.given(args) else {
            continue;
        };
        if !rows.iter().any(|row| row.takes.contains(&choice)) {
            let takers: Vec<&str> = TABLE
                .iter()
                .filter(|row| row.takes.contains(&choice))
                .map(|row| row.name)
                .collect();
            return Err(Failure::Configuration(format!(
                "{option} means nothing to {}, so the token would not be the one you ask for; it is for {}",
                args.credentials.join(", "),
                takers.join(", ")
            )));
        }
    }
    if rows.iter().any(|row| row.name == managed_identity::NAME) {
        managed_identity::check(args)?;
    }
    Ok(())
}

/// What a member lacks on this machine is told when its turn comes. What is wrong with the command line is told at once.
fn chain(rows: &[&Row], world: &World<'_>) -> Result<Arc<dyn Credential>, Failure> {
    let mut members = Vec::new();
    for row in rows {
        members.push(match (row.make)(world) {
            Ok(credential) => ChainMember::new(credential),
            Err(Failure::Identity(error)) if error.kind() == FailureKind::Unavailable => {
                ChainMember::unmade(row.name, error)
            }
            Err(failure) => return Err(failure),
        });
    }
    Ok(ChainedTokenCredential::new(members)?)
}
