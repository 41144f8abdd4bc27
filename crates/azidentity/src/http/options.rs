//! The built-in HTTP client with settings of the caller's.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azure_core::http::{
    Context, Request, Transport, Url,
    policies::{Policy, PolicyResult},
};
use zeroize::Zeroizing;

use crate::IdentityError;

use super::{
    guard::final_error,
    pools::{Pools, finish},
};

/// How the built-in HTTP client reaches its servers: proxy, trust, a certificate of its own, time limits.
///
/// What it builds goes into the `transport` of any client options, for credentials and for service clients alike. Each
/// runtime gets a client of its own, made at its first request; share one transport among credentials, so that they share
/// connections.
///
/// ```
/// # fn example(corporate_authority: &[u8]) -> azure_core::Result<()> {
/// use azidentity::{ClientSecretCredential, TransportOptions};
/// use azure_core::http::ClientOptions;
///
/// let transport = TransportOptions::new()
///     .proxy("http://proxy.contoso.example:3128")
///     .root_certificates_pem(corporate_authority)
///     .build()?;
/// let credential = ClientSecretCredential::builder("contoso.example", "client-id", "secret")
///     .client_options(ClientOptions { transport: Some(transport), ..Default::default() })
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct TransportOptions {
    proxy: Proxy,
    roots: Vec<Vec<u8>>,
    certificate: Option<Zeroizing<Vec<u8>>>,
    connect_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
}

#[derive(Clone, Default)]
enum Proxy {
    #[default]
    Environment,
    Address(String),
    None,
}

impl TransportOptions {
    /// The client as it is without any settings: the proxy of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, the system's roots
    /// (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`), 20 seconds to connect, and the limit of 60 seconds that this
    /// crate sets to every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends everything through this proxy, an `http` or `https` URL, whatever the environment says. A user name and
    /// password in it are used for the proxy and shown nowhere.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Proxy::Address(url.into());
        self
    }

    /// Uses no proxy, whatever the environment says. Transports for managed identities need this.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Proxy::None;
        self
    }

    /// Trusts these authorities besides the system's: one or more PEM certificates. Can be called several times.
    pub fn root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Presents this certificate to servers and proxies that ask for one: PEM with the certificate, its chain and the
    /// private key. It has nothing to do with how an application signs in.
    pub fn client_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some(Zeroizing::new(pem.into()));
        self
    }

    /// Gives up on a connection after this. Default: 20 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Gives up on a request, from its first to its last byte, after this. In a credential no request takes longer than
    /// 60 seconds, whatever is set here.
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = Some(limit);
        self
    }

    /// Checks the settings and makes the transport. Connects to nothing yet.
    ///
    /// Fails with [`FailureKind::Configuration`](crate::FailureKind::Configuration) when the proxy is no URL or a PEM text
    /// holds no certificate or key.
    pub fn build(self) -> azure_core::Result<Transport> {
        let proxy = match &self.proxy {
            Proxy::Address(url) => Some(proxy(url)?),
            Proxy::Environment | Proxy::None => None,
        };
        let mut roots = Vec::new();
        for pem in &self.roots {
            roots.extend(certificates(pem)?);
        }
        let identity = self
            .certificate
            .as_deref()
            .map(|pem| identity(pem))
            .transpose()?;
        let pools = Pools::new(move || {
            let mut builder = reqwest::Client::builder()
                .tls_certs_merge(roots.iter().cloned())
                .connect_timeout(self.connect_timeout.unwrap_or(CONNECT_TIMEOUT));
            if let Some(limit) = self.request_timeout {
                builder = builder.timeout(limit);
            }
            if let Some(identity) = &identity {
                builder = builder.identity(identity.clone());
            }
            builder = match &proxy {
                Some(proxy) => builder.proxy(proxy.clone()),
                None if matches!(self.proxy, Proxy::None) => builder.no_proxy(),
                None => builder,
            };
            finish(builder)
        });
        Ok(Transport::with_policy(Arc::new(Pooled(pools))))
    }
}

/// As in `azure_core`'s own client.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Shows no certificate's key and no proxy's password.
impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = match &self.proxy {
            Proxy::Environment => "of the environment",
            Proxy::Address(_) => "set",
            Proxy::None => "none",
        };
        f.debug_struct("TransportOptions")
            .field("proxy", &proxy)
            .field("roots", &self.roots.len())
            .field("client_certificate", &self.certificate.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .finish()
    }
}

fn proxy(text: &str) -> Result<reqwest::Proxy, IdentityError> {
    // The text may hold a password, so no message repeats it.
    let wrong = || {
        IdentityError::configuration(
            "the proxy of the transport options is no http or https URL; write it as http://HOST:PORT",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    reqwest::Proxy::all(url.as_str()).map_err(|_| wrong())
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, IdentityError> {
    reqwest::Certificate::from_pem_bundle(pem)
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| {
            IdentityError::configuration(
                "the root certificates of the transport options hold no PEM certificate; pass the text of a file that \
                 has -----BEGIN CERTIFICATE----- in it",
            )
        })
}

fn identity(pem: &[u8]) -> Result<reqwest::Identity, IdentityError> {
    reqwest::Identity::from_pem(pem).map_err(|_| {
        IdentityError::configuration(
            "the client certificate of the transport options lacks a PEM certificate or its unencrypted private key; \
             pass both in one text",
        )
    })
}

/// The last policy of a pipeline: the client of the runtime at hand.
#[derive(Debug)]
struct Pooled(Arc<Pools>);

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and its macro tells the two forms apart"
)]
#[async_trait]
impl Policy for Pooled {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        _next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let transport = self.0.transport().map_err(final_error)?;
        transport.send(context, request).await
    }
}
