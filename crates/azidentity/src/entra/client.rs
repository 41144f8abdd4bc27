//! Talks to the token endpoint.

use azure_core::{
    Uuid,
    cloud::CloudConfiguration,
    http::{ClientOptions, Method, Request, headers},
};

use crate::{
    Environment, IdentityError,
    http::{Destination, HttpPipeline, RetryRules},
    token::{AccessTokenInfo, TokenRequest},
};

use super::{
    Authority, AuthorityOptions, ClientAuthentication, Grant, grant,
    response::{self, Reading},
};

/// An application's line to Microsoft Entra.
pub(crate) struct EntraClient {
    authority: Authority,
    client_id: String,
    http: HttpPipeline,
    environment: Environment,
}

impl EntraClient {
    pub(crate) fn new(
        client_id: &str,
        authority: &AuthorityOptions,
        client_options: ClientOptions,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        if client_id.trim().is_empty() {
            return Err(IdentityError::configuration(
                "the client id is empty; give the application (client) id from the app registration",
            ));
        }
        let cloud: Option<&CloudConfiguration> = client_options.cloud.as_deref();
        Ok(Self {
            authority: Authority::choose(authority, cloud, environment)?,
            client_id: client_id.to_owned(),
            http: HttpPipeline::new(
                client_options,
                Destination::Authority,
                RetryRules::STANDARD,
                environment.clone(),
            )?,
            environment: environment.clone(),
        })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Exchanges a grant for a token.
    pub(crate) async fn redeem(
        &self,
        grant: &Grant,
        authentication: &ClientAuthentication,
        request: &TokenRequest,
    ) -> Result<AccessTokenInfo, IdentityError> {
        let form = grant::form(&self.client_id, grant, authentication, request)?;
        self.authority
            .ensure_known(&request.tenant, &self.http, &self.environment)
            .await?;

        let mut post = Request::new(
            self.authority.token_endpoint(&request.tenant)?,
            Method::Post,
        );
        post.insert_header(
            headers::CONTENT_TYPE,
            headers::content_type::APPLICATION_X_WWW_FORM_URLENCODED,
        );
        post.insert_header("accept", "application/json");
        // Comes back as the correlation id, by which Entra's sign-in logs can be searched.
        post.insert_header("client-request-id", Uuid::new_v4().to_string());
        post.set_body(form);

        let sent_at = self.environment.unix_now();
        let posted: Vec<&str> = authentication.secrets().collect();
        let answer = self.http.send(&post, &request.context, &posted).await?;
        let reading = Reading {
            asked: self.authority.as_str(),
            client_id: &self.client_id,
            tenant: &request.tenant,
            posted,
            sent_at,
        };
        response::read(&answer, &reading)
    }
}
