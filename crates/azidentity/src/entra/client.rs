//! Talks to the token endpoint.

use azure_core::{
    Uuid,
    cloud::CloudConfiguration,
    http::{ClientOptions, Method, Request, headers},
};

use crate::{
    Environment, IdentityError,
    http::{Destination, HttpPipeline, RetryRules},
    token::TokenRequest,
};

use super::{
    Audience, Authority, AuthorityOptions, ClientAuthentication, Grant, Redeemed, grant,
    region::Region,
    response::{self, Reading},
    tenant::ADFS,
};

/// An application's line to Microsoft Entra.
pub(crate) struct EntraClient {
    authority: Authority,
    client_id: String,
    authentication: ClientAuthentication,
    http: HttpPipeline,
    /// A malformed setting is told at the first request, as it may be meant for other programs on the machine.
    region: Result<Region, IdentityError>,
    environment: Environment,
}

impl EntraClient {
    pub(crate) fn new(
        client_id: &str,
        authentication: ClientAuthentication,
        authority: &AuthorityOptions,
        client_options: ClientOptions,
        metadata_client_options: &ClientOptions,
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
            authentication,
            http: HttpPipeline::new(
                client_options,
                Destination::Authority,
                RetryRules::STANDARD,
                environment.clone(),
            )?,
            region: Region::configured(environment, metadata_client_options),
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
        grant: &Grant<'_>,
        request: &TokenRequest,
    ) -> Result<Redeemed, IdentityError> {
        self.authority
            .ensure_known(&request.tenant, &self.http, &self.environment)
            .await?;
        let endpoint = self.authority.token_endpoint(&request.tenant)?;
        let region = match (grant, &self.region) {
            (Grant::ClientCredentials, Ok(region)) => region.name().await,
            (Grant::ClientCredentials, Err(error)) => return Err(error.clone()),
            _ => None,
        };
        let regional = region.and_then(|region| self.authority.in_region(region, &endpoint));
        let audience = Audience {
            token_endpoint: &endpoint,
            client_id: &self.client_id,
            ad_fs: request.tenant == ADFS,
        };
        let proof = self.authentication.prove(&audience, request).await?;
        let form = grant::form(&self.client_id, grant, &proof, request)?;

        let asked = regional.as_ref().unwrap_or(&endpoint).clone();
        let mut post = Request::new(asked, Method::Post);
        post.insert_header(
            headers::CONTENT_TYPE,
            headers::content_type::APPLICATION_X_WWW_FORM_URLENCODED,
        );
        post.insert_header("accept", "application/json");
        // Comes back as the correlation id, by which Entra's sign-in logs can be searched.
        post.insert_header("client-request-id", Uuid::new_v4().to_string());
        post.set_body(form);

        let sent_at = self.environment.unix_now();
        let posted: Vec<&str> = proof.secret().into_iter().chain(grant.secret()).collect();
        let answer = if grant.works_once() {
            grant.note_sent();
            self.http
                .send_single(&post, &request.context, &posted)
                .await?
        } else {
            let sent = self.http.send(&post, &request.context, &posted).await;
            let region = region.filter(|_| regional.is_some());
            sent.map_err(|error| self.naming_region(error, region))?
        };
        let reading = Reading {
            asked: self.authority.as_str(),
            client_id: &self.client_id,
            tenant: &request.tenant,
            posted,
            sent_at,
        };
        response::read(&answer, &reading)
    }

    /// A failure on the way to a regional endpoint, with where its address comes from.
    fn naming_region(&self, error: IdentityError, region: Option<&str>) -> IdentityError {
        let variable = self.region.as_ref().ok().and_then(Region::variable);
        match (region, variable) {
            (Some(region), Some(variable)) => error.adding(&format!(
                "; the variable {variable} has the endpoint of the region {region} asked: correct it, or unset it to ask \
                 the central one"
            )),
            _ => error,
        }
    }
}
