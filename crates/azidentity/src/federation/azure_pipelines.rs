//! Assertions of a job of Azure Pipelines, for a service connection
//! ([documentation](https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create)).

use std::borrow::Cow;

use async_trait::async_trait;
use azure_core::http::{
    ClientOptions, Method, Request, Url,
    headers::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Environment, IdentityError,
    entra::{AssertionSource, Audience},
    http::{Answer, Destination, HttpPipeline, RetryRules},
    secret::SecretText,
    token::TokenRequest,
};

use super::{assertion, bearer_endpoint, fits_in_header, said};

/// Where a job asks for its assertions; set by Azure Pipelines.
const URL_VARIABLE: &str = "SYSTEM_OIDCREQUESTURI";

const API_VERSION: &str = "7.1";

/// The ids of an answer that the support of Azure DevOps asks for.
const SUPPORT_HEADERS: [&str; 2] = ["x-vss-e2eid", "x-msedge-ref"];

/// Longest id that is shown.
const LONGEST_ID: usize = 128;

/// The text that is left where a variable of the pipeline was not known.
const UNEXPANDED: &str = "$(";

pub(crate) struct AzurePipelines {
    /// `None` outside of Azure Pipelines.
    endpoint: Option<Url>,
    system_access_token: SecretText,
    http: HttpPipeline,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "oidcToken")]
    oidc_token: Option<Zeroizing<String>>,
}

impl AzurePipelines {
    pub(crate) fn new(
        service_connection_id: &str,
        system_access_token: SecretText,
        mut client_options: ClientOptions,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        if service_connection_id.trim().is_empty() {
            return Err(IdentityError::configuration(
                "the service connection id is empty; give the id (resourceId) of the service connection, which stands \
                 in the address of its page in the project settings",
            ));
        }
        let token = system_access_token.expose();
        if token.is_empty() || token.starts_with(UNEXPANDED) {
            return Err(IdentityError::configuration(
                "the system access token is empty; hand it to the step: `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
            ));
        }
        if !fits_in_header(token) {
            return Err(IdentityError::configuration(
                "the system access token contains spaces, line breaks or other characters that no token has; pass the \
                 value of $(System.AccessToken) as it is",
            ));
        }
        let endpoint = environment
            .variable(URL_VARIABLE)
            .map(|value| bearer_endpoint(URL_VARIABLE, &value))
            .transpose()?
            .map(|mut url| {
                let path = url.path().trim_end_matches('/').to_owned();
                url.set_path(&path);
                url.query_pairs_mut()
                    .append_pair("api-version", API_VERSION)
                    .append_pair("serviceConnectionId", service_connection_id.trim());
                url
            });
        client_options
            .logging
            .additional_allowed_header_names
            .extend(SUPPORT_HEADERS.map(Cow::Borrowed));
        Ok(Self {
            endpoint,
            system_access_token,
            http: HttpPipeline::new(
                client_options,
                Destination::Authority,
                RetryRules::STANDARD,
                environment.clone(),
            )?,
        })
    }

    fn read(&self, answer: &Answer) -> Result<SecretText, IdentityError> {
        let body = serde_json::from_slice::<Body>(answer.body()).ok();
        match body.and_then(|body| body.oidc_token) {
            Some(token) if answer.status == 200 => {
                assertion(token.trim(), "the OIDC endpoint of Azure Pipelines")
            }
            _ => Err(self.refusal(answer)),
        }
    }

    fn refusal(&self, answer: &Answer) -> IdentityError {
        let is_page = answer
            .header("content-type")
            .is_some_and(|stated| stated.trim_start().starts_with("text/html"));
        let remedy = match answer.status {
            // A server of Azure DevOps shows whom it does not know the way to a sign-in page.
            200..=399 if answer.status != 200 || is_page => {
                "that is the way to a sign-in page, so the system access token is not valid, or no longer: pass the \
                 job's own $(System.AccessToken), and ask only while the job runs"
            }
            401 | 403 => {
                "the system access token is refused: pass the job's own $(System.AccessToken), ask only while the job \
                 runs, and let the pipeline use the service connection"
            }
            400 | 404 => {
                "check the service connection id, and that the pipeline may use that service connection"
            }
            429 | 500..=599 => "try again later, and look at the state of Azure DevOps",
            _ => "check the service connection, and the state of Azure DevOps",
        };
        let ids: String = SUPPORT_HEADERS
            .into_iter()
            .filter_map(|name| {
                // Cleaned of what was posted when the answer came in.
                let id: String = answer.header(name)?.chars().take(LONGEST_ID).collect();
                Some(format!(", {name} {id:?}"))
            })
            .collect();
        IdentityError::authentication_failed(format!(
            "the OIDC endpoint of Azure Pipelines gave no assertion: it answered with HTTP {} and {}{}{ids}; {remedy}",
            answer.status,
            answer.describe_body(),
            said(answer, self.system_access_token.expose()),
        ))
    }
}

#[async_trait]
impl AssertionSource for AzurePipelines {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        let Some(endpoint) = &self.endpoint else {
            return Err(IdentityError::unavailable(format!(
                "this is no job of Azure Pipelines: the variable {URL_VARIABLE}, which every job has, is not set; use \
                 another credential here"
            )));
        };
        let token = self.system_access_token.expose();
        let mut post = Request::new(endpoint.clone(), Method::Post);
        post.insert_header(ACCEPT, "application/json");
        post.insert_header(CONTENT_TYPE, "application/json");
        post.insert_header(CONTENT_LENGTH, "0");
        post.insert_header(AUTHORIZATION, format!("Bearer {token}"));
        // Asks for a plain refusal instead of the way to a sign-in page.
        post.insert_header("x-tfs-fedauthredirect", "Suppress");
        let answer = self.http.send(&post, &request.context, &[token]).await?;
        self.read(&answer)
    }
}
