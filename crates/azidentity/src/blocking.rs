//! Credentials for programs without `async`: the same credentials, options and errors, and calls that return a token.
//!
//! Any credential becomes a blocking one with [`Credential::from`]:
//!
//! ```no_run
//! # fn example() -> azure_core::Result<()> {
//! use azidentity::{DefaultAzureCredential, blocking};
//!
//! let credential = blocking::Credential::from(DefaultAzureCredential::new(None)?);
//! let token = credential.get_token(&["https://vault.azure.net/.default"], None)?;
//! println!("expires {}", token.expires_on);
//! # Ok(()) }
//! ```
//!
//! A token from memory is returned on the spot, by the thread that asks. Everything else happens on one background thread
//! that all blocking credentials of the process share: requests, and the renewals of tokens that are due. The thread is
//! started when it is first needed, and again should it ever end.
//!
//! Calls are allowed everywhere, inside asynchronous code and inside a tokio runtime of any kind, too. There they hold up
//! the thread they are made on, and with it whatever else that thread would have run; a transport of your own that lives
//! on the same runtime may then have to wait for its time limit. Asynchronous code that can wait should use the
//! credentials themselves.
//!
//! Code of yours that a credential calls while it gets a token (a policy, a transport, a callback) runs on the background
//! thread. It should not block for long, since all wait for it, and can't ask a blocking credential for a token that is
//! not in memory: that is an error, as the thread would wait for itself.

mod background;
mod bearer_token;

use std::{sync::Arc, time::Duration};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions as CoreOptions};
use tokio::runtime::Handle;

use crate::{AccessTokenInfo, ChainMember, TokenRequestOptions};

pub use bearer_token::{BearerTokenProvider, bearer_token_provider};

use background::Background;

/// A credential whose calls wait for the token. Cheap to clone; clones share one memory.
///
/// When the last clone is dropped, and no one else has the credential inside, its renewals are cancelled.
///
/// ```
/// # fn main() -> azure_core::Result<()> {
/// use azidentity::{ClientSecretCredential, blocking};
///
/// let credential = blocking::Credential::from(ClientSecretCredential::new(
///     "contoso.onmicrosoft.com",
///     "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
///     "the secret".into(),
///     None,
/// )?);
/// assert_eq!(credential.name(), "client-secret");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Credential {
    credential: Arc<dyn crate::Credential>,
    time_limit: Option<Duration>,
}

impl Credential {
    /// Wraps a credential that implements [`crate::Credential`], as all of this crate do.
    ///
    /// ```
    /// # fn main() -> azure_core::Result<()> {
    /// use std::sync::Arc;
    /// use azidentity::{Credential, ManagedIdentityCredential, blocking};
    ///
    /// let chosen: Arc<dyn Credential> = ManagedIdentityCredential::new(None)?;
    /// let credential = blocking::Credential::new(chosen);
    /// # Ok(()) }
    /// ```
    pub fn new(credential: Arc<dyn crate::Credential>) -> Self {
        Self {
            credential,
            time_limit: None,
        }
    }

    /// Wraps any other `TokenCredential`, under a name for messages. It runs on the background thread, inside a tokio
    /// runtime, and is asked at each call: what it remembers is its own matter.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use azidentity::blocking;
    /// use azure_core::credentials::TokenCredential;
    ///
    /// fn wait_for(theirs: Arc<dyn TokenCredential>) -> blocking::Credential {
    ///     blocking::Credential::foreign("theirs", theirs)
    /// }
    /// ```
    pub fn foreign(name: impl Into<String>, credential: Arc<dyn TokenCredential>) -> Self {
        Self::new(Arc::new(ChainMember::foreign(name, credential)))
    }

    /// Sets how long a call may wait, by the system's clock. A call that takes longer gives up, takes its request back
    /// unless others wait for it, and fails with [`FailureKind::Transport`](crate::FailureKind::Transport).
    ///
    /// Default: no limit but those of the credential itself, which end every request and its retries.
    ///
    /// ```no_run
    /// # fn example() -> azure_core::Result<()> {
    /// use std::time::Duration;
    /// use azidentity::{DefaultAzureCredential, blocking};
    ///
    /// let credential = blocking::Credential::from(DefaultAzureCredential::new(None)?)
    ///     .with_time_limit(Duration::from_secs(20));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// The credential's name, such as `client-secret`.
    pub fn name(&self) -> &str {
        self.credential.name()
    }

    /// Gets a token, from memory or from outside. Fails as the credential itself does.
    ///
    /// ```no_run
    /// # fn example(credential: azidentity::blocking::Credential) -> azure_core::Result<()> {
    /// use azidentity::TokenRequestOptions;
    ///
    /// let options = TokenRequestOptions {
    ///     tenant_id: Some("fabrikam.onmicrosoft.com".into()),
    ///     ..Default::default()
    /// };
    /// let token = credential.get_token(&["https://vault.azure.net/.default"], Some(options))?;
    /// # Ok(()) }
    /// ```
    pub fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions>,
    ) -> azure_core::Result<AccessToken> {
        Ok(self.get_token_info(scopes, options)?.to_access_token())
    }

    /// Gets a token with everything that is known about it; its text is shared with the memory instead of being copied.
    /// Fails as [`get_token`](Self::get_token) does.
    ///
    /// ```no_run
    /// # fn example(credential: azidentity::blocking::Credential) -> azure_core::Result<()> {
    /// let info = credential.get_token_info(&["https://vault.azure.net/.default"], None)?;
    /// println!("{} supplied a token that expires {}", info.credential(), info.expires_on());
    /// # Ok(()) }
    /// ```
    pub fn get_token_info(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions>,
    ) -> azure_core::Result<AccessTokenInfo> {
        let options = options.map(CoreOptions::from);
        if let Some(info) = self.remembered(scopes, options.as_ref()) {
            return Ok(info);
        }
        let scopes: Arc<[String]> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        background::run(self.time_limit, || {
            let credential = self.credential.clone();
            let (scopes, options) = (scopes.clone(), options.clone());
            async move {
                let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                credential.get_token_info(&scopes, options).await
            }
        })
        .map_err(|error| error.of_credential(self.name().to_owned()))?
    }

    /// The token from memory, if there is a valid one. Never waits and never fails; starts the token's renewal on the
    /// background thread when that is due.
    ///
    /// ```
    /// # fn main() -> azure_core::Result<()> {
    /// use azidentity::{ManagedIdentityCredential, blocking};
    ///
    /// let credential = blocking::Credential::from(ManagedIdentityCredential::new(None)?);
    /// assert!(credential.cached(&["https://vault.azure.net/.default"], None).is_none());
    /// # Ok(()) }
    /// ```
    pub fn cached(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions>,
    ) -> Option<AccessTokenInfo> {
        let options = options.map(CoreOptions::from);
        self.remembered(scopes, options.as_ref())
    }

    fn remembered(
        &self,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        // Outside of tokio this finds all that needs no renewal, and the background thread need not be there. Inside, a
        // renewal would land on the caller's runtime, which this very call may keep from running.
        if Handle::try_current().is_err() {
            let info = self.credential.cached(scopes, options);
            if info.is_some() {
                return info;
            }
        }
        // Here a renewal that is due starts on the background thread, without waiting for it.
        let background = Background::get().ok()?;
        let _inside = background.enter();
        self.credential.cached(scopes, options)
    }
}

impl<C: crate::Credential + 'static> From<Arc<C>> for Credential {
    fn from(credential: Arc<C>) -> Self {
        Self::new(credential)
    }
}

impl From<Arc<dyn crate::Credential>> for Credential {
    fn from(credential: Arc<dyn crate::Credential>) -> Self {
        Self::new(credential)
    }
}
