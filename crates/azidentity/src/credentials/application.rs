//! What all applications that sign in in their own name have in common; they differ in how they prove who they are.

use std::fmt;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenRequestOptions};

use crate::{
    IdentityError,
    cache::TokenSource,
    entra::{ClientAuthentication, EntraClient, Grant},
    token::{AccessTokenInfo, TokenRequest},
};

use super::{Remembers, acquisition::Acquisition, settings::EntraSettings};

/// An application with the client credentials grant
/// ([documentation](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow)).
pub(super) struct Application {
    acquisition: Acquisition,
    client_id: String,
    authority: String,
}

impl Application {
    /// Checks everything but `authentication`. Errors and tokens bear the credential's `name`.
    pub(super) fn new(
        name: &'static str,
        tenant_id: &str,
        client_id: &str,
        authentication: ClientAuthentication,
        settings: &EntraSettings,
    ) -> Result<Self, IdentityError> {
        Self::assemble(name, tenant_id, client_id, authentication, settings)
            .map_err(|error| error.of_credential(name))
    }

    fn assemble(
        name: &'static str,
        tenant_id: &str,
        client_id: &str,
        authentication: ClientAuthentication,
        settings: &EntraSettings,
    ) -> Result<Self, IdentityError> {
        let tenants = settings.tenant_rules(tenant_id)?;
        let client = settings.client(client_id, authentication)?;
        Ok(Self {
            client_id: client.client_id().to_owned(),
            authority: client.authority().as_str().to_owned(),
            acquisition: Acquisition::new(
                name,
                InOwnName(client),
                Some(tenants),
                &settings.environment,
            )
            .with_support_logging(settings.support_logging),
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.acquisition.name()
    }

    pub(super) fn get(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> impl Future<Output = azure_core::Result<AccessTokenInfo>> + Send {
        self.acquisition.get(scopes, options)
    }

    /// The fields of a credential's `Debug`.
    pub(super) fn describe(&self, credential: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(credential)
            .field("client_id", &self.client_id)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl Remembers for Application {
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.acquisition.cached(scopes, options)
    }

    fn copied(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessToken> {
        self.acquisition.copied(scopes, options)
    }
}

struct InOwnName(EntraClient);

#[async_trait]
impl TokenSource for InOwnName {
    async fn acquire(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError> {
        let redeemed = self.0.redeem(&Grant::ClientCredentials, request).await?;
        Ok(redeemed.access)
    }
}
