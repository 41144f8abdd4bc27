//! The HTTP port: what a machine in Azure finds in its neighbourhood.
//!
//! Each kind of host has a file of its own, for its address, its headers, the
//! shape of its answers and its way of refusing. What they have in common is
//! here: which identity is meant, and its token.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use crate::clock;
use crate::control;
use crate::oidc;
use crate::requested_claims::RequestedClaims;
use crate::state::State;
use crate::token::{AppToken, ClientProof};
use crate::world::{ManagedIdentity, World, resource_not_found};

mod app_service;
mod compute;
mod imds;

pub(crate) use app_service::PATH as APP_SERVICE_PATH;
pub(crate) use imds::PATH as IMDS_PATH;

/// Seconds for which a managed identity's token is valid: a day, so that
/// renewing at half of it, as clients do from two hours on, can be tested.
const LIFETIME: u64 = 24 * 60 * 60;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route(imds::PATH, get(imds::token))
        .route(compute::PATH, get(compute::location))
        .route(APP_SERVICE_PATH, get(app_service::token))
        .merge(oidc::sources())
        .merge(control::router(&state))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(state)
}

/// Which identity a request means.
#[derive(Debug)]
enum Selector<'a> {
    Unspecified,
    ClientId(&'a str),
    ObjectId(&'a str),
    ResourceId(&'a str),
}

/// More than one selector was given.
struct Ambiguous;

impl<'a> Selector<'a> {
    /// Of the values of the parameters for each kind, at most one may be there.
    fn one_of(candidates: impl IntoIterator<Item = Option<Self>>) -> Result<Self, Ambiguous> {
        let mut given = candidates.into_iter().flatten();
        match (given.next(), given.next()) {
            (None, _) => Ok(Self::Unspecified),
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(Ambiguous),
        }
    }

    /// The identity it selects, the system-assigned one when it says nothing.
    fn find(&self, world: &'a World) -> Option<&'a ManagedIdentity> {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        world.identities().iter().find(|identity| match *self {
            Self::Unspecified => identity.is_system_assigned(),
            Self::ClientId(id) => same(identity.client_id(), id),
            Self::ObjectId(id) => same(identity.object_id(), id),
            Self::ResourceId(id) => same(identity.resource_id(), id),
        })
    }
}

/// A managed identity's token, before the host puts it into its own shape.
struct Issued {
    access_token: String,
    /// Seconds since 1970.
    not_before: u64,
    /// Seconds since 1970.
    expires_on: u64,
}

/// Why there is no token.
enum Refusal {
    /// Nobody knows the resource; the text says so.
    Resource(String),
    /// The emulator failed.
    Fault(&'static str),
}

async fn issue(
    state: &State,
    identity: &ManagedIdentity,
    resource: &str,
) -> Result<Issued, Refusal> {
    let Some(audience) = state.world.audience(resource) else {
        let tenant = state
            .world
            .find_tenant(identity.tenant_id())
            .unwrap_or(state.world.tenant());
        let text = resource_not_found(&state.showable(resource), tenant);
        return Err(Refusal::Resource(format!("AADSTS500011: {text}")));
    };
    let token = AppToken {
        tenant_id: identity.tenant_id(),
        client_id: identity.client_id(),
        object_id: identity.object_id(),
        proof: ClientProof::Certificate,
        audience: &audience,
        roles: &identity.roles,
        asked: &RequestedClaims::default(),
        managed_identity: Some(identity.resource_id()),
    };
    let now = clock::unix(state.now());
    let claims = token.claims(&state.authority, now, LIFETIME);
    let access_token = state.sign(&claims).await.map_err(Refusal::Fault)?;
    let moment = |claim: &str| claims[claim].as_u64().unwrap_or(now);
    Ok(Issued {
        access_token,
        not_before: moment("nbf"),
        expires_on: moment("exp"),
    })
}
