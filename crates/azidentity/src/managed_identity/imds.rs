//! The Azure Instance Metadata Service: virtual machines, scale sets, AKS nodes, Container Instances
//! ([documentation](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token)).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use azure_core::http::{Context, Request, Url};
use tracing::debug;

use crate::{
    Environment, IdentityError, MachineEvidence,
    http::{Answer, HttpPipeline, RetryRules},
    token::{AccessTokenInfo, ChainContext, TokenRequest},
};

use super::{Asked, IdParameters, UserAssignedId, response::Reading, token_request, unavailable};

pub(super) const HOST: &str = "the instance metadata service (IMDS)";

const API_VERSION: &str = "2018-02-01";

const NAMES: IdParameters = IdParameters {
    client: "client_id",
    object: "object_id",
    resource: "msi_res_id",
};

const PATH: &str = "/metadata/identity/oauth2/token";

/// Moves the service elsewhere, and says that it is there.
const HOST_VARIABLE: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// Which credentials the default chain may use; naming managed identity alone says that there is one.
const CREDENTIALS_VARIABLE: &str = "AZURE_TOKEN_CREDENTIALS";

/// How long a chain waits for a sign of the service where nothing is known of the machine.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// The same where the machine is positively not one of Azure's: enough for a local emulator.
const PROBE_LIMIT_ELSEWHERE: Duration = Duration::from_millis(100);

/// Scheme, host and port of the service, without a slash at the end.
pub(super) fn host(environment: &Environment) -> String {
    let moved = environment.variable(HOST_VARIABLE);
    let host = moved.as_deref().unwrap_or(environment.imds_host());
    host.trim().trim_matches('/').to_owned()
}

pub(crate) struct Imds {
    endpoint: Url,
    id: Option<UserAssignedId>,
    /// Whether the service is known to be there. Never remembers that it is not: a machine may be slow to start.
    proven: AtomicBool,
    http: HttpPipeline,
    environment: Environment,
}

impl Imds {
    pub(super) fn new(
        id: Option<UserAssignedId>,
        http: impl FnOnce(RetryRules) -> Result<HttpPipeline, IdentityError>,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        let moved = environment.variable(HOST_VARIABLE).is_some();
        let address = format!("{}{PATH}", host(environment));
        let endpoint = super::parse_endpoint(HOST_VARIABLE, &address)?;
        let chosen = environment
            .variable(CREDENTIALS_VARIABLE)
            .is_some_and(|value| {
                value
                    .trim()
                    .eq_ignore_ascii_case("managedidentitycredential")
            });
        let on_azure = environment.machine().evidence() == MachineEvidence::Azure;
        Ok(Self {
            endpoint,
            id,
            proven: AtomicBool::new(moved || chosen || on_azure),
            http: http(RetryRules::IMDS)?,
            environment: environment.clone(),
        })
    }

    pub(super) fn id(&self) -> Option<&UserAssignedId> {
        self.id.as_ref()
    }

    pub(super) async fn acquire(
        &self,
        request: &TokenRequest,
    ) -> Result<AccessTokenInfo, IdentityError> {
        let mut get = token_request(&self.endpoint, API_VERSION, request, self.id(), &NAMES)?;

        if request.chain == ChainContext::Chained && !self.proven.load(Ordering::Relaxed) {
            self.probe(&get, &request.context).await?;
        }

        get.insert_header("metadata", "true");
        let sent_at = self.environment.unix_now();
        let answer = self
            .http
            .send(&get, &request.context, &[])
            .await
            .map_err(unavailable)?;
        if says_unreachable(&answer) {
            return Err(self.unreachable());
        }
        let reading = Reading {
            host: HOST,
            endpoint: &self.endpoint,
            asked: Asked(self.id()),
            posted: None,
            sent_at,
        };
        let info = reading.token(&answer)?;
        self.proven.store(true, Ordering::Relaxed);
        Ok(info)
    }

    /// One short request that the real service answers at once: it lacks the header that every token request needs, so
    /// it costs the service nothing.
    async fn probe(&self, get: &Request, context: &Context<'_>) -> Result<(), IdentityError> {
        let limit = match self.environment.machine().evidence() {
            MachineEvidence::NotAzure => PROBE_LIMIT_ELSEWHERE,
            _ => PROBE_LIMIT,
        };
        let probe = self.http.send_single(get, context, &[]);
        let answer = match self.environment.within(limit, probe).await {
            None => {
                return Err(
                    self.not_there(&format!("gave no answer within {} ms", limit.as_millis()))
                );
            }
            Some(Err(error)) => return Err(self.not_there(&format!("({})", error.message()))),
            Some(Ok(answer)) => answer,
        };
        debug!(
            status = answer.status,
            "the metadata address answered the probe"
        );
        if says_unreachable(&answer) {
            return Err(self.unreachable());
        }
        if is_a_strangers(&answer) {
            return Err(self.not_there(&format!(
                "is answered by something else (HTTP {} and {})",
                answer.status,
                answer.describe_body()
            )));
        }
        self.proven.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn not_there(&self, what: &str) -> IdentityError {
        IdentityError::unavailable(format!(
            "there is no instance metadata service: {} {what}; on an Azure machine, check that the route to it is open",
            self.endpoint.origin().ascii_serialization()
        ))
    }

    /// Container runtimes answer for an address that they can't reach.
    fn unreachable(&self) -> IdentityError {
        self.not_there("is answered by a proxy that says the network is unreachable")
    }
}

fn says_unreachable(answer: &Answer) -> bool {
    answer.status == 403
        && answer
            .body()
            .windows(b"unreachable".len())
            .any(|window| window.eq_ignore_ascii_case(b"unreachable"))
}

/// Without its header the service answers 400. While it starts or is updated, it answers with JSON what can be retried.
fn is_a_strangers(answer: &Answer) -> bool {
    let json = serde_json::from_slice::<serde::de::IgnoredAny>(answer.body()).is_ok();
    !(answer.status == 400 || json)
}
