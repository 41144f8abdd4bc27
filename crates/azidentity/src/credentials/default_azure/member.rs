//! Which credentials the default chain can have, and which of them a variable leaves.

use crate::{
    Environment, IdentityError,
    credentials::{environment, managed_identity, workload_identity},
};

/// Chooses the members of the chain: `dev`, `prod`, or the type name of one credential.
const CREDENTIALS_VARIABLE: &str = "AZURE_TOKEN_CREDENTIALS";

/// A credential that the default chain can have, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefaultChainMember {
    /// [`EnvironmentCredential`](crate::EnvironmentCredential).
    Environment,
    /// [`WorkloadIdentityCredential`](crate::WorkloadIdentityCredential).
    WorkloadIdentity,
    /// [`ManagedIdentityCredential`](crate::ManagedIdentityCredential).
    ManagedIdentity,
}

/// What `AZURE_TOKEN_CREDENTIALS` can say of a member.
struct Row {
    member: DefaultChainMember,
    name: &'static str,
    /// In lower case, as the variable is compared.
    variable_value: &'static str,
    group: &'static str,
}

const DEVELOPMENT: &str = "dev";
const PRODUCTION: &str = "prod";

const TABLE: &[Row] = &[
    Row {
        member: DefaultChainMember::Environment,
        name: environment::NAME,
        variable_value: "environmentcredential",
        group: PRODUCTION,
    },
    Row {
        member: DefaultChainMember::WorkloadIdentity,
        name: workload_identity::NAME,
        variable_value: "workloadidentitycredential",
        group: PRODUCTION,
    },
    Row {
        member: DefaultChainMember::ManagedIdentity,
        name: managed_identity::NAME,
        variable_value: "managedidentitycredential",
        group: PRODUCTION,
    },
];

impl DefaultChainMember {
    /// All members, in the order in which they are asked.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.member)
    }

    /// The name that messages and the command line use, such as `managed-identity`.
    pub fn name(self) -> &'static str {
        TABLE
            .iter()
            .find(|row| row.member == self)
            .map_or("", |row| row.name)
    }
}

/// The members that `AZURE_TOKEN_CREDENTIALS` leaves.
pub(super) fn by_variable(
    environment: &Environment,
) -> Result<Vec<DefaultChainMember>, IdentityError> {
    let value = environment
        .variable(CREDENTIALS_VARIABLE)
        .map(|value| value.trim().to_lowercase())
        .filter(|value| !value.is_empty());
    let Some(value) = value else {
        return Ok(DefaultChainMember::all().collect());
    };
    let chosen: Vec<_> = TABLE
        .iter()
        .filter(|row| row.variable_value == value || row.group == value)
        .map(|row| row.member)
        .collect();
    if chosen.is_empty() && value != DEVELOPMENT {
        let mut valid: Vec<&str> = TABLE.iter().map(|row| row.variable_value).collect();
        valid.sort_unstable();
        return Err(IdentityError::configuration(format!(
            "the variable {CREDENTIALS_VARIABLE} is {value:?}, which is none of this version's credentials; it can be {DEVELOPMENT}, {PRODUCTION}, {}",
            valid.join(", ")
        )));
    }
    Ok(chosen)
}
