//! The token proxy of Azure Kubernetes Service ("identity binding"): stands in for Microsoft Entra inside a cluster, under
//! an address of its own and with a certificate of the cluster's own authority.

mod roots;
mod settings;

use std::{
    collections::BTreeSet,
    fmt, io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{
        Context, HttpClient, Request, Transport, Url,
        policies::{Policy, PolicyResult},
    },
};
use futures::channel::oneshot;
use tracing::warn;
use url::{Host, Position};

use crate::{Environment, IdentityError};

use super::{fault, guard::final_error, transport::Way};

use roots::Roots;
use settings::{PROXY, Settings};

/// What to do about a certificate that is not trusted.
const REMEDY: &str = "it has to be issued by the authority in AZURE_KUBERNETES_CA_FILE or AZURE_KUBERNETES_CA_DATA, for the \
                      name in AZURE_KUBERNETES_SNI_NAME where that is set, else for the host of the proxy";

/// What an HTTP client for the token proxy has to heed.
#[derive(Debug)]
pub struct TokenProxyClientOptions<'a> {
    /// PEM certificates of the authorities to trust, and no others; `None` for the system's.
    pub certificate_authority: Option<&'a [u8]>,

    /// The host of the requests' URLs: the TLS server name, and the name that the certificate must be for.
    pub server_name: &'a str,

    /// Where to connect to instead of asking for the addresses of `server_name`; empty to ask.
    pub resolved_addresses: &'a [SocketAddr],
}

/// Makes HTTP clients for the AKS token proxy, for
/// [`WorkloadIdentityCredentialBuilder::proxy_client`](crate::WorkloadIdentityCredentialBuilder::proxy_client).
///
/// Implement it where the built-in client is not wanted, or not there (without the features `reqwest` and `tokio`).
pub trait TokenProxyClient: fmt::Debug + Send + Sync {
    /// Makes a client. It must follow no redirect, and send a `host` header of the request as it is.
    ///
    /// Called when the credential is made or sends its first request, and again when the authority's certificate or the
    /// proxy's addresses have changed.
    fn create(
        &self,
        options: TokenProxyClientOptions<'_>,
    ) -> azure_core::Result<Arc<dyn HttpClient>>;
}

/// The transport to the token proxy that the variables describe; `None` where there is none.
///
/// Trusts the certificates in the variables and no others. `client` replaces the built-in client.
pub(crate) fn transport(
    environment: &Environment,
    client: Option<Arc<dyn TokenProxyClient>>,
) -> Result<Option<Transport>, IdentityError> {
    let Some(settings) = Settings::read(environment)? else {
        return Ok(None);
    };
    let proxy = TokenProxy::new(settings, client)?;
    Ok(Some(Transport::with_policy(Arc::new(proxy))))
}

/// The last policy of a pipeline: sends everything to the proxy.
#[derive(Debug)]
struct TokenProxy {
    proxy: Url,
    /// The name in the proxy's certificate, if that is not its host.
    server_name: Option<String>,
    roots: Roots,
    /// `None` for the built-in client.
    maker: Option<Arc<dyn TokenProxyClient>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The last certificates that were of use.
    trusted: Option<Vec<u8>>,
    client: Option<Client>,
}

#[derive(Debug)]
struct Client {
    addresses: BTreeSet<SocketAddr>,
    way: Way,
}

impl TokenProxy {
    fn new(
        settings: Settings,
        maker: Option<Arc<dyn TokenProxyClient>>,
    ) -> Result<Self, IdentityError> {
        let this = Self {
            state: Mutex::new(State {
                trusted: settings.roots.first()?,
                client: None,
            }),
            proxy: settings.proxy,
            server_name: settings.server_name,
            roots: settings.roots,
            maker,
        };
        // Tells now what is wrong with the certificates. Where addresses are needed first, a foreign maker has to wait for
        // them: nothing asks the network while a credential is made.
        if this.maker.is_none() || this.server_name.is_none() {
            let mut state = this.state();
            let way = this.make(state.trusted.as_deref(), &[])?;
            state.client = Some(Client {
                addresses: BTreeSet::new(),
                way,
            });
        }
        Ok(this)
    }

    /// The transport for a request that is made here and now, with the certificates and addresses of now.
    async fn transport(&self) -> azure_core::Result<Transport> {
        let resolved = match &self.server_name {
            Some(_) => addresses(&self.proxy).await.map_err(|error| {
                let ours = IdentityError::transport(format!(
                    "the host of the token proxy {} has no address ({error}); check the variable {PROXY} and the \
                     cluster's DNS",
                    fault::origin(&self.proxy)
                ));
                azure_core::Error::new(ErrorKind::Io, ours.with_source(error))
            })?,
            None => Vec::new(),
        };
        let addresses: BTreeSet<SocketAddr> = resolved.iter().copied().collect();
        let newest = self.roots.newest();

        let mut state = self.state();
        let renewed = newest.filter(|newest| Some(newest) != state.trusted.as_ref());
        if let Some(certificates) = renewed {
            match self.make(Some(&certificates), &resolved) {
                Ok(way) => {
                    state.client = Some(Client {
                        addresses: addresses.clone(),
                        way,
                    });
                    state.trusted = Some(certificates);
                }
                Err(error) => warn!(
                    error = error.message(),
                    "the token proxy's new certificates are of no use; those from before stay in use"
                ),
            }
        }
        let client = match state.client.take() {
            Some(client) if client.addresses == addresses => client,
            _ => Client {
                way: self
                    .make(state.trusted.as_deref(), &resolved)
                    .map_err(final_error)?,
                addresses,
            },
        };
        state
            .client
            .insert(client)
            .way
            .transport()
            .map_err(final_error)
    }

    fn make(
        &self,
        certificates: Option<&[u8]>,
        addresses: &[SocketAddr],
    ) -> Result<Way, IdentityError> {
        let server_name = self
            .server_name
            .as_deref()
            .or(self.proxy.host_str())
            .unwrap_or_default();
        let Some(maker) = &self.maker else {
            return built_in(certificates, server_name, addresses)
                .map_err(|error| error.adding(&self.roots.describe()));
        };
        let options = TokenProxyClientOptions {
            certificate_authority: certificates,
            server_name,
            resolved_addresses: addresses,
        };
        let client = maker.create(options).map_err(|error| {
            IdentityError::configuration(format!(
                "the client for the token proxy could not be made: {error}{}",
                self.roots.describe()
            ))
            .with_source(error)
        })?;
        Ok(Way::Callers(Transport::new(client)))
    }

    /// Where a request goes instead. One that goes to the proxy already stays as it is.
    fn rewrite(&self, asked: &Url) -> Url {
        let base = self.proxy.path().trim_end_matches('/');
        let below = asked
            .path()
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let mut url = if below && asked.origin() == self.proxy.origin() {
            asked.clone()
        } else {
            let mut url = self.proxy.clone();
            url.set_path(&format!("{base}/{}", asked.path().trim_start_matches('/')));
            url.set_query(asked.query());
            url
        };
        if let Some(name) = &self.server_name {
            // Has been checked to be a host name when the settings were read.
            let _ = url.set_host(Some(name));
        }
        url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and its macro tells the two forms apart"
)]
#[async_trait]
impl Policy for TokenProxy {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        _next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let transport = self.transport().await?;
        let mut rewritten = request.clone();
        *rewritten.url_mut() = self.rewrite(request.url());
        if self.server_name.is_some() {
            // The name is for TLS alone. What is asked is the proxy, under its own name, as Microsoft's libraries do it.
            let host = &self.proxy[Position::BeforeHost..Position::AfterPort];
            rewritten.insert_header("host", host.to_owned());
        }
        transport
            .send(context, &mut rewritten)
            .await
            .map_err(|error| fault::classify_with_roots_of(error, &self.proxy, REMEDY))
    }
}

/// The addresses of the proxy as they are now. On a thread of its own, since asking the system takes its time.
async fn addresses(proxy: &Url) -> io::Result<Vec<SocketAddr>> {
    let port = proxy.port_or_known_default().unwrap_or(443);
    let name = match proxy.host() {
        Some(Host::Ipv4(address)) => return Ok(vec![(address, port).into()]),
        Some(Host::Ipv6(address)) => return Ok(vec![(address, port).into()]),
        Some(Host::Domain(name)) => name.to_owned(),
        None => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("azidentity-dns".into())
        .spawn(move || {
            let found = (name, port).to_socket_addrs().map(Iterator::collect);
            // The one who asked may have gone away.
            let _ = sender.send(found);
        })?;
    receiver
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the thread that asked panicked")))
}

/// Clients of our own, one for each runtime. They use no other proxy on the way to this one: it is part of the cluster.
#[cfg(all(feature = "reqwest", feature = "tokio"))]
fn built_in(
    certificates: Option<&[u8]>,
    server_name: &str,
    addresses: &[SocketAddr],
) -> Result<Way, IdentityError> {
    use super::pools::{Pools, finish};

    /// As in `azure_core`'s own client.
    const CONNECT_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

    let certificates = match certificates {
        None => None,
        Some(pem) => {
            let found = reqwest::Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|found| !found.is_empty());
            Some(found.ok_or_else(|| {
                IdentityError::configuration(
                    "there is no PEM certificate to trust the token proxy by; the text has to have \
                     -----BEGIN CERTIFICATE----- in it",
                )
            })?)
        }
    };
    let (server_name, addresses) = (server_name.to_owned(), addresses.to_vec());
    let pools = Pools::new(move || {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            // HTTP/2 has no header that tells the host apart from the URL.
            .http1_only()
            .no_proxy()
            .connect_timeout(CONNECT_LIMIT);
        if let Some(certificates) = &certificates {
            builder = builder.tls_certs_only(certificates.iter().cloned());
        }
        if !addresses.is_empty() {
            builder = builder.resolve_to_addrs(&server_name, &addresses);
        }
        finish(builder)
    });
    pools.check().map_err(|error| {
        IdentityError::configuration("the HTTP client for the token proxy could not be made")
            .with_source(error)
    })?;
    Ok(Way::Pools(pools))
}

#[cfg(not(all(feature = "reqwest", feature = "tokio")))]
fn built_in(_: Option<&[u8]>, _: &str, _: &[SocketAddr]) -> Result<Way, IdentityError> {
    Err(IdentityError::configuration(
        "there is no HTTP client for the token proxy: turn on azidentity's features `tokio` and `reqwest`, or set \
         `proxy_client` to something that makes one",
    ))
}

#[cfg(test)]
mod tests;
