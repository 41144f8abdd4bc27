//! Managed identities: which host's endpoint is here, how to ask it, and what its answers mean.
//!
//! One file per kind of endpoint builds the request; reading the answer is shared.

mod app_service;
mod expiry;
mod imds;
mod response;

use std::fmt;

use async_trait::async_trait;
use azure_core::http::{ClientOptions, Method, Request, Url};
use tracing::info;

use crate::{
    Environment, FailureKind, IdentityError,
    cache::TokenSource,
    http::{Destination, HttpPipeline},
    token::{AccessTokenInfo, TokenRequest},
};

use app_service::AppService;
use imds::Imds;

/// Scheme, host and port of the instance metadata service, which knows more than tokens.
pub(crate) fn imds_host(environment: &Environment) -> String {
    imds::host(environment)
}

/// A user-assigned managed identity, by one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserAssignedId {
    /// Its client (application) id.
    ClientId(String),
    /// Its object (principal) id.
    ObjectId(String),
    /// Its Azure resource id, `/subscriptions/…/userAssignedIdentities/…`.
    ResourceId(String),
}

impl UserAssignedId {
    fn kind(&self) -> &'static str {
        match self {
            Self::ClientId(_) => "client id",
            Self::ObjectId(_) => "object id",
            Self::ResourceId(_) => "resource id",
        }
    }

    fn value(&self) -> &str {
        match self {
            Self::ClientId(id) | Self::ObjectId(id) | Self::ResourceId(id) => id,
        }
    }
}

/// `client id 0000…` or `the system-assigned identity`, for messages.
struct Asked<'a>(Option<&'a UserAssignedId>);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // Escaped: the value may come from a variable, and goes into logs.
            Some(id) => write!(
                f,
                "the identity with {} {}",
                id.kind(),
                id.value().escape_debug()
            ),
            None => f.write_str("the system-assigned identity"),
        }
    }
}

const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const IDENTITY_HEADER: &str = "IDENTITY_HEADER";
const IDENTITY_SERVER_THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";
const IMDS_ENDPOINT: &str = "IMDS_ENDPOINT";
const MSI_ENDPOINT: &str = "MSI_ENDPOINT";
const MSI_SECRET: &str = "MSI_SECRET";

/// The endpoint that this machine's managed identity is to be had from.
pub(crate) enum ManagedIdentitySource {
    AppService(Box<AppService>),
    Imds(Box<Imds>),
}

impl ManagedIdentitySource {
    /// Finds the endpoint by the variables that Azure's hosts set.
    ///
    /// An endpoint without the variable that goes with it is no reason to look elsewhere: the process is on a host that has
    /// managed identities, and was set up incompletely.
    pub(crate) fn detect(
        id: Option<UserAssignedId>,
        client_options: ClientOptions,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        if let Some(id) = &id
            && id.value().trim().is_empty()
        {
            return Err(IdentityError::configuration(format!(
                "the {} of the managed identity is empty; leave it out for the system-assigned identity",
                id.kind()
            )));
        }
        let set = |name: &str| environment.variable(name).is_some();
        let http = |rules| {
            HttpPipeline::new(
                client_options,
                Destination::Metadata,
                rules,
                environment.clone(),
            )
        };
        let not_served = |host: &str| {
            Err(IdentityError::unavailable(format!(
                "this looks like {host}, whose managed identities this version does not serve"
            )))
        };
        let source = if let Some(endpoint) = environment.variable(IDENTITY_ENDPOINT) {
            if let Some(header) = environment.variable(IDENTITY_HEADER) {
                if set(IDENTITY_SERVER_THUMBPRINT) {
                    return not_served("Azure Service Fabric");
                }
                let endpoint = parse_endpoint(IDENTITY_ENDPOINT, &endpoint)?;
                Self::AppService(Box::new(AppService::new(
                    endpoint,
                    header,
                    id,
                    http,
                    environment,
                )?))
            } else if set(IMDS_ENDPOINT) {
                return not_served("Azure Arc");
            } else {
                return Err(IdentityError::unavailable(
                    "the variable IDENTITY_ENDPOINT is set, but neither IDENTITY_HEADER (App Service, Container Apps) \
                     nor IMDS_ENDPOINT (Azure Arc) is; a host with managed identities sets both of a pair",
                ));
            }
        } else if set(MSI_ENDPOINT) {
            return not_served(if set(MSI_SECRET) {
                "Azure Machine Learning"
            } else {
                "Azure Cloud Shell"
            });
        } else {
            Self::Imds(Box::new(Imds::new(id, http, environment)?))
        };
        info!(
            source = source.host(),
            identity = %Asked(source.id()),
            "managed identity endpoint chosen"
        );
        Ok(source)
    }

    fn host(&self) -> &'static str {
        match self {
            Self::AppService(_) => app_service::HOST,
            Self::Imds(_) => imds::HOST,
        }
    }

    fn id(&self) -> Option<&UserAssignedId> {
        match self {
            Self::AppService(source) => source.id(),
            Self::Imds(source) => source.id(),
        }
    }
}

#[async_trait]
impl TokenSource for ManagedIdentitySource {
    async fn acquire(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError> {
        match self {
            Self::AppService(source) => source.acquire(request).await,
            Self::Imds(source) => source.acquire(request).await,
        }
    }
}

/// Managed identity endpoints serve resources, not scopes: exactly one suffix makes the difference.
fn resource(request: &TokenRequest) -> Result<&str, IdentityError> {
    let [scope] = request.scopes.as_slice() else {
        return Err(IdentityError::configuration(format!(
            "a managed identity gets a token for one resource at a time, but {} scopes were given: {}",
            request.scopes.len(),
            request.scopes.join(", ")
        )));
    };
    Ok(scope.strip_suffix("/.default").unwrap_or(scope))
}

/// What a kind of endpoint calls the names of a user-assigned identity.
struct IdParameters {
    client: &'static str,
    object: &'static str,
    resource: &'static str,
}

/// A GET request for a token, with its query percent-encoded.
fn token_request(
    endpoint: &Url,
    api_version: &str,
    request: &TokenRequest,
    id: Option<&UserAssignedId>,
    names: &IdParameters,
) -> Result<Request, IdentityError> {
    let mut url = endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("api-version", api_version)
        .append_pair("resource", resource(request)?);
    if let Some(id) = id {
        let name = match id {
            UserAssignedId::ClientId(_) => names.client,
            UserAssignedId::ObjectId(_) => names.object,
            UserAssignedId::ResourceId(_) => names.resource,
        };
        query.append_pair(name, id.value());
    }
    drop(query);
    Ok(Request::new(url, Method::Get))
}

fn parse_endpoint(variable: &str, value: &str) -> Result<Url, IdentityError> {
    Url::parse(value.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            // What stands before an @ may be a password.
            let shown = value
                .rsplit_once('@')
                .map_or_else(|| value.to_owned(), |(_, rest)| format!("***@{rest}"));
            IdentityError::configuration(format!(
                "the variable {variable} is {shown:?}, which is no http or https URL; unset it unless this host has a \
                 managed identity endpoint there"
            ))
        })
}

/// Where there is no answer, there is no managed identity.
fn unavailable(error: IdentityError) -> IdentityError {
    match error.kind() {
        FailureKind::Transport | FailureKind::AuthenticationFailed => {
            error.into_kind(FailureKind::Unavailable)
        }
        _ => error,
    }
}
