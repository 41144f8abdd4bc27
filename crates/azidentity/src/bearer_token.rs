//! A credential and its scopes as a function without arguments, for other SDKs.

use std::{pin::Pin, sync::Arc};

use azure_core::credentials::{AccessToken, Secret, TokenCredential};

use crate::token::validate_scopes;

/// Binds a credential to scopes, for code that only wants the text of a token: clients of `OpenAI` and of databases,
/// message brokers, and whatever else takes a token where it would take a key or a password.
///
/// `credential` can be any of this crate and any other `TokenCredential`. Fails with
/// [`FailureKind::Configuration`](crate::FailureKind::Configuration) when there is no scope, or one is malformed. Gets no
/// token yet.
///
/// Ask for a token each time one is needed instead of keeping it. The provider keeps none either: the credential answers
/// from its memory and renews in time, beside its callers, and a second memory could only hand out older tokens and fail
/// for renewals that the first one bridges. (A foreign credential is asked at each call.)
///
/// ```no_run
/// # async fn example() -> azure_core::Result<()> {
/// use azidentity::{DefaultAzureCredential, bearer_token_provider};
///
/// let tokens = bearer_token_provider(
///     DefaultAzureCredential::new(None)?,
///     &["https://cognitiveservices.azure.com/.default"],
/// )?;
/// let api_key = tokens.token().await?;
/// # let _ = api_key.secret();
/// # Ok(()) }
/// ```
pub fn bearer_token_provider(
    credential: Arc<dyn TokenCredential>,
    scopes: &[&str],
) -> azure_core::Result<BearerTokenProvider> {
    validate_scopes(scopes)?;
    Ok(BearerTokenProvider {
        credential,
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
    })
}

/// Gives the text of a token that is valid now, from the credential's memory nearly always. Made by
/// [`bearer_token_provider`]; cheap to clone.
#[derive(Clone, Debug)]
pub struct BearerTokenProvider {
    credential: Arc<dyn TokenCredential>,
    scopes: Arc<[String]>,
}

impl BearerTokenProvider {
    /// The bare text of a token, without `Bearer `. Fails as [`get_token`](TokenCredential::get_token) does.
    ///
    /// ```no_run
    /// # async fn example(tokens: azidentity::BearerTokenProvider) -> azure_core::Result<()> {
    /// let header = format!("Bearer {}", tokens.token().await?.secret());
    /// # Ok(()) }
    /// ```
    pub async fn token(&self) -> azure_core::Result<Secret> {
        Ok(self.access_token().await?.token)
    }

    /// A token and when it expires, for SDKs that want to know. Fails as [`get_token`](TokenCredential::get_token) does.
    ///
    /// ```no_run
    /// # async fn example(tokens: azidentity::BearerTokenProvider) -> azure_core::Result<()> {
    /// let token = tokens.access_token().await?;
    /// let (text, expires_on) = (token.token.secret(), token.expires_on.unix_timestamp());
    /// # Ok(()) }
    /// ```
    pub async fn access_token(&self) -> azure_core::Result<AccessToken> {
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        self.credential.get_token(&scopes, None).await
    }

    /// The provider as a function without arguments that returns a future of a token's text.
    ///
    /// ```no_run
    /// # async fn example(tokens: azidentity::BearerTokenProvider) -> azure_core::Result<()> {
    /// use std::{future::Future, pin::Pin};
    ///
    /// type Text = Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send>>;
    /// struct Client {
    ///     password: Box<dyn Fn() -> Text + Send + Sync>,
    /// }
    ///
    /// let client = Client { password: Box::new(tokens.into_fn()) };
    /// let password = (client.password)().await?;
    /// # Ok(()) }
    /// ```
    pub fn into_fn(
        self,
    ) -> impl Fn() -> Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send>>
    + Clone
    + Send
    + Sync
    + 'static {
        move || {
            let this = self.clone();
            Box::pin(async move { Ok(this.token().await?.secret().to_owned()) })
        }
    }
}
