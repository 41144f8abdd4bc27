//! Where faults are committed.

use super::Fault;
use crate::script::path::PathPattern;
use crate::script::selection::{Endpoint, Place, Selection};

/// Where a fault is committed.
impl Fault {
    /// The token endpoint of the authority, for any tenant.
    pub fn token() -> Self {
        Self::at(Place::Endpoint(Endpoint::TOKEN))
    }

    /// The page at which users sign in, for any tenant.
    pub fn authorize() -> Self {
        Self::at(Place::Endpoint(Endpoint::AUTHORIZE))
    }

    /// The metadata of a tenant, with and without `/v2.0`.
    pub fn openid_configuration() -> Self {
        Self::at(Place::Endpoint(Endpoint::OPENID_CONFIGURATION))
    }

    /// The keys that tokens are verified with.
    pub fn jwks() -> Self {
        Self::at(Place::Endpoint(Endpoint::JWKS))
    }

    /// Instance discovery.
    pub fn instance_discovery() -> Self {
        Self::at(Place::Endpoint(Endpoint::INSTANCE_DISCOVERY))
    }

    /// The managed identity endpoint of virtual machines.
    pub fn imds() -> Self {
        Self::at(Place::Endpoint(Endpoint::IMDS))
    }

    /// The managed identity endpoint of App Service.
    pub fn app_service() -> Self {
        Self::at(Place::Endpoint(Endpoint::APP_SERVICE))
    }

    /// The endpoint for jobs of Azure Pipelines, on either port.
    pub fn pipelines() -> Self {
        Self::at(Place::Endpoint(Endpoint::PIPELINES))
    }

    /// The endpoint for jobs of GitHub Actions, on either port.
    pub fn github() -> Self {
        Self::at(Place::Endpoint(Endpoint::GITHUB))
    }

    /// The identity endpoint of Google Cloud's machines, on either port.
    pub fn gcp() -> Self {
        Self::at(Place::Endpoint(Endpoint::GCP))
    }

    /// Paths, on either port. `*` stands for anything within one segment,
    /// `**` as a segment for any number of segments. Surplus slashes make no
    /// difference, neither in the pattern nor in the request; letter case does.
    pub fn path(pattern: &str) -> Self {
        Self::at(Place::Path(PathPattern::new(pattern)))
    }

    /// Every request, except those to the emulator's own `/_emulator/`.
    pub fn anywhere() -> Self {
        Self::at(Place::Anywhere)
    }

    fn at(place: Place) -> Self {
        Self::new(Selection::at(place))
    }
}
