//! Assertions of a GitHub Actions job
//! ([documentation](https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token)).

use async_trait::async_trait;
use azure_core::http::{
    Method, Request,
    headers::{ACCEPT, AUTHORIZATION},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Environment, IdentityError,
    entra::{AssertionSource, Audience},
    http::{Answer, HttpPipeline},
    secret::SecretText,
    token::TokenRequest,
};

use super::{assertion, bearer_endpoint, fits_in_header, said};

const URL_VARIABLE: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN_VARIABLE: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

const REMEDY: &str = "give the job `permissions: id-token: write`";

pub(super) struct GitHubActions {
    audience: String,
    http: HttpPipeline,
    environment: Environment,
}

#[derive(Deserialize)]
struct Body {
    value: Option<Zeroizing<String>>,
}

impl GitHubActions {
    pub(super) fn new(audience: String, http: HttpPipeline, environment: Environment) -> Self {
        Self {
            audience,
            http,
            environment,
        }
    }

    fn read(answer: &Answer, token: &str) -> Result<SecretText, IdentityError> {
        let body = serde_json::from_slice::<Body>(answer.body()).ok();
        match body.and_then(|body| body.value) {
            Some(value) if answer.status == 200 => {
                assertion(value.trim(), "the OIDC endpoint of GitHub Actions")
            }
            _ => {
                let remedy = match answer.status {
                    429 | 500..=599 => "try again later, and look at the state of GitHub",
                    400..=499 => "ask only while the job runs, and with the job's own variables",
                    _ => {
                        "check what stands between the job and GitHub, such as a proxy with a sign-in page, and leave the \
                         variables as the job has set them"
                    }
                };
                Err(IdentityError::authentication_failed(format!(
                    "the OIDC endpoint of GitHub Actions gave no assertion: it answered with HTTP {} and {}{}; {remedy}",
                    answer.status,
                    answer.describe_body(),
                    said(answer, token)
                )))
            }
        }
    }
}

#[async_trait]
impl AssertionSource for GitHubActions {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        let variable = |name| {
            self.environment.variable(name).ok_or_else(|| {
                IdentityError::unavailable(format!(
                    "there is no assertion of GitHub Actions: the variable {name} is not set; in a job of GitHub \
                     Actions, {REMEDY}"
                ))
            })
        };
        let mut url = bearer_endpoint(URL_VARIABLE, &variable(URL_VARIABLE)?)?;
        let token = SecretText::new(variable(TOKEN_VARIABLE)?);
        if !fits_in_header(token.expose()) {
            return Err(IdentityError::configuration(format!(
                "the variable {TOKEN_VARIABLE} holds characters that no token has; leave it as the job has set it"
            )));
        }
        url.query_pairs_mut()
            .append_pair("audience", &self.audience);
        let mut get = Request::new(url, Method::Get);
        get.insert_header(ACCEPT, "application/json");
        get.insert_header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        let answer = self
            .http
            .send(&get, &request.context, &[token.expose()])
            .await?;
        Self::read(&answer, token.expose())
    }
}
