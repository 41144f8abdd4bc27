//! What a workload finds where it runs.

use std::time::Duration;

use serde_json::Map;

use super::Emulator;
use crate::oidc::{GITHUB_PATH, Issuer, PIPELINES_PATH, WorkloadToken};
use crate::sign_in::SignInError;
use crate::signing::OIDC;
use crate::world::World;

impl Emulator {
    /// The value for `SYSTEM_OIDCREQUESTURI`, at which a job of Azure Pipelines
    /// asks for tokens of a service connection:
    /// [`World::SERVICE_CONNECTION_ID`]. The same path of
    /// [`Emulator::authority_host`] is an address with HTTPS.
    pub fn pipelines_oidc_uri(&self) -> String {
        format!("{}{PIPELINES_PATH}", self.http_endpoint())
    }

    /// The value for `SYSTEM_ACCESSTOKEN`, a secret that is new at every start.
    pub fn pipelines_access_token(&self) -> &str {
        self.state.pipelines_token.expose()
    }

    /// The value for `ACTIONS_ID_TOKEN_REQUEST_URL`, at which a job of GitHub
    /// Actions asks for tokens. As in the real one there is a query already,
    /// to which `&audience=` is added.
    pub fn github_oidc_url(&self) -> String {
        format!("{}{GITHUB_PATH}?api-version=2.0", self.http_endpoint())
    }

    /// The value for `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, a secret that is new at
    /// every start.
    pub fn github_request_token(&self) -> &str {
        self.state.github_token.expose()
    }

    /// The issuer of the emulator's Kubernetes cluster, Azure Pipelines
    /// (`pipelines`), GitHub (`github`) or Google Cloud (`gcp`), for trust that
    /// is described elsewhere. `None`: there is no issuer of that name.
    pub fn oidc_issuer(&self, name: &str) -> Option<String> {
        Some(Issuer::named(name)?.url(self.authority_host()))
    }

    /// A token as Kubernetes writes it into the file that
    /// `AZURE_FEDERATED_TOKEN_FILE` names: valid for an hour, for
    /// [`World::KUBERNETES_SUBJECT`] unless another subject is given.
    ///
    /// Blocks the thread until the issuers' key exists, which takes a few
    /// hundred milliseconds, once per process.
    ///
    /// # Errors
    /// The key could not be made.
    pub fn service_account_token(
        &self,
        audience: &str,
        subject: Option<&str>,
    ) -> Result<String, SignInError> {
        let lifetime = Duration::from_secs(60 * 60);
        let token = WorkloadToken {
            issuer: Issuer::Kubernetes,
            subject: subject.unwrap_or(World::KUBERNETES_SUBJECT),
            audience,
            lifetime: lifetime.as_secs(),
            further: Map::new(),
        };
        let signed = OIDC.wait()?.sign(&token.claims(&self.state));
        Ok(signed.map_err(|_| "the token could not be signed")?)
    }
}
