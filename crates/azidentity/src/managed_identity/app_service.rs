//! App Service, Functions, Container Apps and everything else with the same contract
//! ([documentation](https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference)).

use azure_core::http::Url;

use crate::{
    Environment, IdentityError,
    http::{HttpPipeline, RetryRules},
    secret::SecretText,
    token::{AccessTokenInfo, TokenRequest},
};

use super::{Asked, IdParameters, UserAssignedId, response::Reading, token_request, unavailable};

pub(super) const HOST: &str = "App Service";

const API_VERSION: &str = "2019-08-01";

const NAMES: IdParameters = IdParameters {
    client: "client_id",
    object: "object_id",
    resource: "mi_res_id",
};

pub(crate) struct AppService {
    endpoint: Url,
    /// Proves that the caller may read the process's environment.
    header: SecretText,
    id: Option<UserAssignedId>,
    http: HttpPipeline,
    environment: Environment,
}

impl AppService {
    pub(super) fn new(
        endpoint: Url,
        header: String,
        id: Option<UserAssignedId>,
        http: impl FnOnce(RetryRules) -> Result<HttpPipeline, IdentityError>,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        if !header.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(IdentityError::configuration(
                "the variable IDENTITY_HEADER holds characters that no HTTP header can carry; it must be passed on as \
                 the host has set it",
            ));
        }
        Ok(Self {
            endpoint,
            header: SecretText::new(header),
            id,
            http: http(RetryRules::STANDARD)?,
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
        get.insert_header("x-identity-header", self.header.expose().to_owned());
        // The endpoint has no use for it, but proxies in front of metadata endpoints may.
        get.insert_header("metadata", "true");

        let sent_at = self.environment.unix_now();
        let answer = self
            .http
            .send(&get, &request.context, &[self.header.expose()])
            .await
            .map_err(unavailable)?;
        let reading = Reading {
            host: HOST,
            endpoint: &self.endpoint,
            asked: Asked(self.id()),
            posted: Some(self.header.expose()),
            sent_at,
        };
        reading.token(&answer)
    }
}
