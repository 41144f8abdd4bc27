//! The `scope` parameter.

use crate::entra_error::EntraError;
use crate::state::State;
use crate::world::{Audience, Tenant, resource_not_found};

mod delegated;

pub(crate) use delegated::{Delegated, of_user};

/// The permissions of an application are fixed by its administrator, so it can
/// only ask for all of them, at one resource at a time.
const ALL: &str = "/.default";

/// The audience an application asks for with `RESOURCE/.default`.
pub(crate) fn of_application(
    state: &State,
    tenant: &Tenant,
    scope: &str,
) -> Result<Audience, EntraError> {
    let shown = state.showable(scope);
    let invalid = || invalid(&shown);
    let mut scopes = scope.split(' ').filter(|part| !part.is_empty());
    let (Some(only), None) = (scopes.next(), scopes.next()) else {
        return Err(invalid());
    };
    if !is_well_formed(only) {
        return Err(invalid());
    }
    let Some(resource) = only.strip_suffix(ALL) else {
        return Err(EntraError::new(
            1_002_012,
            format!(
                "The value {shown} of the parameter 'scope' is not valid. The client_credentials grant takes the \
                 identifier of a resource (application ID URI) followed by {ALL}."
            ),
        ));
    };
    if resource.is_empty() {
        return Err(invalid());
    }
    audience(state, tenant, resource)
}

fn audience(state: &State, tenant: &Tenant, resource: &str) -> Result<Audience, EntraError> {
    state.world.audience(resource).ok_or_else(|| {
        EntraError::new(
            500_011,
            resource_not_found(&state.showable(resource), tenant),
        )
    })
}

fn invalid(shown: &str) -> EntraError {
    EntraError::new(
        70011,
        format!("The value of the parameter 'scope' is not valid. The scope {shown} is not valid."),
    )
}

/// RFC 6749, section 3.3.
fn is_well_formed(scope: &str) -> bool {
    scope
        .bytes()
        .all(|b| matches!(b, b'!' | b'#'..=b'[' | b']'..=b'~'))
}
