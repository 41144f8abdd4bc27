//! Which requests a fault is meant for.

use axum::http::Method;

use super::path::PathPattern;
use crate::form::Form;
use crate::managed_identity::{APP_SERVICE_PATH, IMDS_PATH};
use crate::oidc::{GCP_PATH, GITHUB_PATH, PIPELINES_PATH};
use crate::record::Server;

/// A request as the conditions of a fault see it.
pub(crate) struct Asked<'a> {
    pub(crate) server: Server,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: Form,
    pub(crate) form: Form,
}

impl Asked<'_> {
    /// A parameter, wherever this kind of endpoint takes it from.
    fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        [&self.form, &self.query]
            .into_iter()
            .filter_map(move |fields| fields.get(name))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection {
    place: Place,
    pub(super) method: Option<String>,
    pub(super) grant_type: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) resource: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Anywhere,
    Endpoint(Endpoint),
    Path(PathPattern),
}

impl Selection {
    pub(super) fn at(place: Place) -> Self {
        Self {
            place,
            method: None,
            grant_type: None,
            client_id: None,
            resource: None,
        }
    }

    pub(super) fn includes(&self, asked: &Asked<'_>) -> bool {
        let here = match &self.place {
            Place::Anywhere => true,
            Place::Endpoint(endpoint) => endpoint.is_asked(asked),
            Place::Path(pattern) => pattern.matches(asked.path),
        };
        here && holds(self.method.as_ref(), |method| {
            asked.method.as_str().eq_ignore_ascii_case(method)
        }) && holds(self.grant_type.as_ref(), |grant| {
            asked.form.get("grant_type") == Some(grant)
        }) && holds(self.client_id.as_ref(), |id| {
            asked
                .parameters("client_id")
                .any(|asked| asked.eq_ignore_ascii_case(id))
        }) && holds(self.resource.as_ref(), |part| {
            let part = part.to_ascii_lowercase();
            asked
                .parameters("scope")
                .chain(asked.parameters("resource"))
                .any(|asked| asked.to_ascii_lowercase().contains(&part))
        })
    }
}

/// A condition that was not set holds.
fn holds(condition: Option<&String>, test: impl FnOnce(&str) -> bool) -> bool {
    condition.is_none_or(|wanted| test(wanted))
}

/// An address that scripts have a name for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Endpoint {
    name: &'static str,
    /// `None`: either.
    server: Option<Server>,
    patterns: &'static [&'static str],
}

impl Endpoint {
    pub(super) const TOKEN: Self = Self::new("token", Server::Authority, &["/*/oauth2/v2.0/token"]);
    pub(super) const OPENID_CONFIGURATION: Self = Self::new(
        "openid-configuration",
        Server::Authority,
        &[
            "/*/.well-known/openid-configuration",
            "/*/v2.0/.well-known/openid-configuration",
        ],
    );
    pub(super) const JWKS: Self = Self::new(
        "jwks",
        Server::Authority,
        &["/*/discovery/keys", "/*/discovery/v2.0/keys"],
    );
    pub(super) const INSTANCE_DISCOVERY: Self = Self::new(
        "instance-discovery",
        Server::Authority,
        &["/common/discovery/instance"],
    );
    pub(super) const IMDS: Self = Self::new("imds", Server::ManagedIdentity, &[IMDS_PATH]);
    pub(super) const APP_SERVICE: Self =
        Self::new("app-service", Server::ManagedIdentity, &[APP_SERVICE_PATH]);

    pub(super) const AUTHORIZE: Self = Self::new(
        "authorize",
        Server::Authority,
        &["/*/oauth2/v2.0/authorize"],
    );
    pub(super) const PIPELINES: Self = Self::anywhere("pipelines", &[PIPELINES_PATH]);
    pub(super) const GITHUB: Self = Self::anywhere("github", &[GITHUB_PATH]);
    pub(super) const GCP: Self = Self::anywhere("gcp", &[GCP_PATH]);

    const ALL: &[Self] = &[
        Self::TOKEN,
        Self::AUTHORIZE,
        Self::OPENID_CONFIGURATION,
        Self::JWKS,
        Self::INSTANCE_DISCOVERY,
        Self::IMDS,
        Self::APP_SERVICE,
        Self::PIPELINES,
        Self::GITHUB,
        Self::GCP,
    ];

    const fn new(name: &'static str, server: Server, patterns: &'static [&'static str]) -> Self {
        Self {
            name,
            server: Some(server),
            patterns,
        }
    }

    const fn anywhere(name: &'static str, patterns: &'static [&'static str]) -> Self {
        Self {
            name,
            server: None,
            patterns,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name == name)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|known| known.name)
    }

    fn is_asked(&self, asked: &Asked<'_>) -> bool {
        self.server.is_none_or(|server| server == asked.server)
            && self
                .patterns
                .iter()
                .any(|pattern| PathPattern::new(pattern).matches(asked.path))
    }
}
