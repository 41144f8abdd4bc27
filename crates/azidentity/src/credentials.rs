//! What a user constructs. One file, one credential: it checks its configuration once and turns each call into a
//! request for the token cache and the source behind it.

mod acquisition;
mod application;
mod authorization_code;
mod azure_pipelines;
mod chained;
mod client_assertion;
#[cfg(feature = "client_certificate")]
mod client_certificate;
mod client_secret;
mod default_azure;
mod environment;
mod federated;
mod managed_identity;
mod on_behalf_of;
mod proof;
mod settings;
mod workload_identity;

use std::pin::Pin;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};

use crate::token::AccessTokenInfo;

pub use authorization_code::{AuthorizationCodeCredential, AuthorizationCodeCredentialBuilder};
pub use azure_pipelines::{
    AzurePipelinesCredential, AzurePipelinesCredentialBuilder, AzurePipelinesCredentialOptions,
};
pub use chained::{ChainMember, ChainedTokenCredential};
pub use client_assertion::{
    AssertionFn, ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialBuilder,
    ClientAssertionCredentialOptions,
};
#[cfg(feature = "client_certificate")]
pub use client_certificate::{
    ClientCertificateCredential, ClientCertificateCredentialBuilder,
    ClientCertificateCredentialOptions,
};
pub use client_secret::{
    ClientSecretCredential, ClientSecretCredentialBuilder, ClientSecretCredentialOptions,
};
pub use default_azure::{
    DefaultAzureCredential, DefaultAzureCredentialBuilder, DefaultAzureCredentialOptions,
    DefaultChainMember,
};
pub use environment::{
    EnvironmentCredential, EnvironmentCredentialBuilder, EnvironmentCredentialOptions,
};
pub use federated::{FederatedCredential, FederatedCredentialBuilder, FederatedCredentialOptions};
pub use managed_identity::{
    ManagedIdentityCredential, ManagedIdentityCredentialBuilder, ManagedIdentityCredentialOptions,
};
pub use on_behalf_of::{
    OnBehalfOfClient, OnBehalfOfClientBuilder, OnBehalfOfCredential, OnBehalfOfCredentialBuilder,
};
pub use workload_identity::{
    WorkloadIdentityCredential, WorkloadIdentityCredentialBuilder,
    WorkloadIdentityCredentialOptions,
};

/// What every credential of this crate can do beyond `azure_core`'s [`TokenCredential`].
///
/// Implement it for credentials of your own to give chains their fast path; otherwise
/// [`ChainMember::foreign`] takes any `TokenCredential`.
#[async_trait]
pub trait Credential: TokenCredential {
    /// A short name such as `client-secret`, the same that the command line uses.
    fn name(&self) -> &str;

    /// Gets a token with everything that is known about it, from the cache or from outside.
    ///
    /// The token's text is shared with the cache instead of being copied. Fails as
    /// [`get_token`](TokenCredential::get_token) does.
    async fn get_token_info(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo>;

    /// The token from memory, if there is a valid one; starts its renewal in the background when that is due.
    ///
    /// Outside a tokio runtime nothing can renew in the background; there a token that is due counts as absent.
    ///
    /// Never waits and never fails: whatever is wrong with the arguments, [`get_token_info`](Self::get_token_info)
    /// tells.
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo>;
}

/// The memory of what stands behind a credential.
pub(crate) trait Remembers {
    /// See [`Credential::cached`].
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo>;

    /// The same as `azure_core` knows it. Whoever holds the tokens itself copies the text in place, without a counted
    /// reference, over which threads would get in each other's way.
    fn copied(
        &self,
        scopes: &[&str],
        options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessToken> {
        let info = self.cached(scopes, options)?;
        Some(info.to_access_token())
    }
}

/// Implements [`Credential`] and `TokenCredential` for a credential by one of its fields, whose type is one that
/// [`Remembers`] and has the methods `name` and `get`.
///
/// Written out by hand instead of with `async fn`, so that the answer from the cache is a small ready future and not the
/// whole state machine of a fetch.
macro_rules! implement_credential {
    // The last part is the type's parameters, if it has some.
    ($credential:ty, $field:ident $(, $($parameter:tt)+)?) => {
        impl<$($($parameter)+)?> $crate::Credential for $credential {
            fn name(&self) -> &str {
                self.$field.name()
            }

            fn get_token_info<'life0, 'life1, 'life2, 'life3, 'async_trait>(
                &'life0 self,
                scopes: &'life1 [&'life2 str],
                options: Option<azure_core::credentials::TokenRequestOptions<'life3>>,
            ) -> $crate::credentials::Answering<'async_trait, $crate::AccessTokenInfo>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                'life2: 'async_trait,
                'life3: 'async_trait,
                Self: 'async_trait,
            {
                match $crate::credentials::Remembers::cached(&self.$field, scopes, options.as_ref()) {
                    Some(info) => Box::pin(std::future::ready(Ok(info))),
                    None => Box::pin(self.$field.get(scopes, options)),
                }
            }

            fn cached(
                &self,
                scopes: &[&str],
                options: Option<&azure_core::credentials::TokenRequestOptions<'_>>,
            ) -> Option<$crate::AccessTokenInfo> {
                $crate::credentials::Remembers::cached(&self.$field, scopes, options)
            }
        }

        impl<$($($parameter)+)?> azure_core::credentials::TokenCredential for $credential {
            fn get_token<'life0, 'life1, 'life2, 'life3, 'async_trait>(
                &'life0 self,
                scopes: &'life1 [&'life2 str],
                options: Option<azure_core::credentials::TokenRequestOptions<'life3>>,
            ) -> $crate::credentials::Answering<'async_trait, azure_core::credentials::AccessToken>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                'life2: 'async_trait,
                'life3: 'async_trait,
                Self: 'async_trait,
            {
                match $crate::credentials::Remembers::copied(&self.$field, scopes, options.as_ref()) {
                    Some(token) => Box::pin(std::future::ready(Ok(token))),
                    None => Box::pin(async move {
                        Ok(self.$field.get(scopes, options).await?.to_access_token())
                    }),
                }
            }
        }
    };
}

/// What an `async fn` of a trait returns once `async_trait` has been over it.
pub(crate) type Answering<'a, T> = Pin<Box<dyn Future<Output = azure_core::Result<T>> + Send + 'a>>;

pub(crate) use implement_credential;
