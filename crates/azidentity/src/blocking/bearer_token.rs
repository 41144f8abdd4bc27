//! A credential and its scopes as a function without arguments, for other SDKs without `async`.

use std::sync::Arc;

use azure_core::credentials::{AccessToken, Secret};

use crate::token::validate_scopes;

use super::Credential;

/// Binds a credential to scopes, for code that only wants the text of a token: the blocking form of
/// [`azidentity::bearer_token_provider`](crate::bearer_token_provider()).
///
/// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when there is no scope, or one is
/// malformed. Gets no token yet.
///
/// ```no_run
/// # fn example() -> azure_core::Result<()> {
/// use azidentity::{DefaultAzureCredential, blocking};
///
/// let tokens = blocking::bearer_token_provider(
///     DefaultAzureCredential::new(None)?,
///     &["https://ossrdbms-aad.database.windows.net/.default"],
/// )?;
/// // Wherever the database client asks for the password of a new connection:
/// let password = tokens.token()?;
/// # let _ = password.secret();
/// # Ok(()) }
/// ```
pub fn bearer_token_provider(
    credential: impl Into<Credential>,
    scopes: &[&str],
) -> azure_core::Result<BearerTokenProvider> {
    validate_scopes(scopes)?;
    Ok(BearerTokenProvider {
        credential: credential.into(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
    })
}

/// Gives the text of a token that is valid now, from memory nearly always. Made by [`bearer_token_provider`]; cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct BearerTokenProvider {
    credential: Credential,
    scopes: Arc<[String]>,
}

impl BearerTokenProvider {
    /// The bare text of a token, without `Bearer `. Fails as [`Credential::get_token`] does.
    ///
    /// ```no_run
    /// # fn example(tokens: azidentity::blocking::BearerTokenProvider) -> azure_core::Result<()> {
    /// let header = format!("Bearer {}", tokens.token()?.secret());
    /// # Ok(()) }
    /// ```
    pub fn token(&self) -> azure_core::Result<Secret> {
        Ok(self.access_token()?.token)
    }

    /// A token and when it expires, for SDKs that want to know. Fails as [`Credential::get_token`] does.
    ///
    /// ```no_run
    /// # fn example(tokens: azidentity::blocking::BearerTokenProvider) -> azure_core::Result<()> {
    /// // As Kafka's clients want it.
    /// let token = tokens.access_token()?;
    /// let (text, milliseconds) = (token.token.secret(), token.expires_on.unix_timestamp() * 1000);
    /// # Ok(()) }
    /// ```
    pub fn access_token(&self) -> azure_core::Result<AccessToken> {
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        self.credential.get_token(&scopes, None)
    }

    /// The provider as a function without arguments that returns a token's text.
    ///
    /// ```no_run
    /// # fn example(tokens: azidentity::blocking::BearerTokenProvider) -> azure_core::Result<()> {
    /// struct Client {
    ///     password: Box<dyn Fn() -> azure_core::Result<String> + Send + Sync>,
    /// }
    ///
    /// let client = Client { password: Box::new(tokens.into_fn()) };
    /// let password = (client.password)()?;
    /// # Ok(()) }
    /// ```
    pub fn into_fn(
        self,
    ) -> impl Fn() -> azure_core::Result<String> + Clone + Send + Sync + 'static {
        move || Ok(self.token()?.secret().to_owned())
    }
}
