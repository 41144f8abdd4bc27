//! HTTP clients for credentials: TLS by rustls with ring, made at the first request that needs them.
//!
//! The library would bring a client of its own, whose TLS provider spends 60 ms of processor time at its first random
//! byte. That would be most of what a command costs.

use std::{
    env, fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport, Url},
};
use reqwest::{Client, redirect};
use tracing::debug;

use crate::trust::Trust;

/// Authorities can be far away, and behind a proxy.
const AUTHORITY_CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// Managed identity endpoints are on this machine or next to it, or not there at all.
const METADATA_CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// The transports of one command.
#[derive(Clone, Debug)]
pub(crate) struct Transports {
    authority: Arc<LazyClient>,
    metadata: Arc<LazyClient>,
}

impl Transports {
    /// To the world: trusts what the system trusts, and reaches authorities through the proxy that the environment names.
    pub(crate) fn system() -> Self {
        Self::new(&Trust::System, Proxy::OfEnvironment)
    }

    /// To servers on this machine: trusts one certificate and never uses a proxy.
    pub(crate) fn loopback(certificate_der: &[u8]) -> Self {
        Self::new(&Trust::Only(certificate_der.to_vec()), Proxy::None)
    }

    fn new(trust: &Trust, proxy: Proxy) -> Self {
        let client = |proxy, connect_limit| {
            Arc::new(LazyClient {
                trust: trust.clone(),
                proxy,
                connect_limit,
                plain: OnceLock::new(),
                secure: OnceLock::new(),
            })
        };
        Self {
            authority: client(proxy, AUTHORITY_CONNECT_LIMIT),
            metadata: client(Proxy::None, METADATA_CONNECT_LIMIT),
        }
    }

    /// For credentials that talk to Microsoft Entra.
    pub(crate) fn authority(&self) -> ClientOptions {
        options(&self.authority)
    }

    /// For managed identities.
    pub(crate) fn metadata(&self) -> ClientOptions {
        options(&self.metadata)
    }

    /// Why no TLS connection is possible, once that has turned out: it is the user's configuration that has to change,
    /// whatever the credentials made of the failure.
    pub(crate) fn trouble(&self) -> Option<&str> {
        [&self.authority, &self.metadata]
            .into_iter()
            .filter_map(|client| client.secure.get()?.as_ref().err())
            .map(String::as_str)
            .next()
    }
}

fn options(client: &Arc<LazyClient>) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(client.clone())),
        ..Default::default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proxy {
    OfEnvironment,
    None,
}

/// An HTTP client that does not exist before its first request; one without TLS for plain addresses, which must work
/// where there are no certificates.
struct LazyClient {
    trust: Trust,
    proxy: Proxy,
    connect_limit: Duration,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl LazyClient {
    fn client(&self, scheme: &str) -> &Result<Client, String> {
        if scheme == "http" {
            self.plain.get_or_init(|| self.make(&Trust::Nobody))
        } else {
            self.secure.get_or_init(|| self.make(&self.trust))
        }
    }

    fn make(&self, trust: &Trust) -> Result<Client, String> {
        debug!(proxy = ?self.proxy, "making an HTTP client");
        let mut builder = Client::builder()
            .tls_backend_preconfigured(trust.configuration()?)
            // A secret must not go where an answer points.
            .redirect(redirect::Policy::none())
            .connect_timeout(self.connect_limit);
        match self.proxy {
            Proxy::OfEnvironment => check_proxy_variables()?,
            Proxy::None => builder = builder.no_proxy(),
        }
        builder
            .build()
            .map_err(|error| format!("the HTTP client could not be made: {error}"))
    }
}

/// reqwest passes over a proxy variable that it can't read, and a secret would go out past the proxy that was meant.
fn check_proxy_variables() -> Result<(), String> {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        let address = value.to_str().map(|text| {
            if text.contains("://") {
                text.to_owned()
            } else {
                format!("http://{text}")
            }
        });
        let known = address
            .and_then(|address| Url::parse(&address).ok())
            .is_some_and(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        if !known {
            // The value may hold a password.
            return Err(format!(
                "the variable {name} names no proxy that can be used; write it as http://HOST:PORT, or unset it"
            ));
        }
    }
    Ok(())
}

impl fmt::Debug for LazyClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyClient")
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for LazyClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        match self.client(request.url().scheme()) {
            Ok(client) => client.execute_request(request).await,
            // Of a kind that no retry repeats.
            Err(why) => Err(azure_core::Error::with_message(
                ErrorKind::Other,
                why.clone(),
            )),
        }
    }
}
