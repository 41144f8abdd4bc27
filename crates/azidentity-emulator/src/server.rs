//! Ports, connections and their limits.

use std::error::Error as _;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::certificates::Certificates;
use crate::record::Server;
use crate::state::State;

mod exchange;
mod faults;
mod takeover;

use takeover::{TakeOver, Wire};

/// How long a connection may take to send a request's head, and also how long
/// it may stay open between two requests.
const HEAD_LIMIT: Duration = Duration::from_secs(120);

/// The longest head of a request: a query with a claims challenge fits in.
const HEAD_SIZE: usize = 64 * 1024;

/// How long a TLS handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(15);

/// Connections at one port at a time; further ones wait to be accepted.
const CONNECTIONS: usize = 1000;

/// The rest after a failed accept, as when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Sockets of one port, IPv4 and, where there is one, IPv6.
///
/// `localhost` is both, and clients try IPv6 first. If nothing listened there
/// they would lose a moment, and could reach another program.
pub(crate) struct Port {
    listeners: Vec<TcpListener>,
    pub(crate) number: u16,
}

impl Port {
    /// Binds the port on both loopback addresses; 0 is a port free on both.
    pub(crate) fn bind(wanted: u16) -> Result<Self, (SocketAddr, io::Error)> {
        // A port the system found free for IPv4 can be taken for IPv6.
        const ATTEMPTS: usize = 50;
        let mut attempt = 1;
        loop {
            match Self::bind_both(wanted) {
                Err((_, error))
                    if wanted == 0
                        && attempt < ATTEMPTS
                        && error.kind() == io::ErrorKind::AddrInUse =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn bind_both(wanted: u16) -> Result<Self, (SocketAddr, io::Error)> {
        let listen = |address: SocketAddr| {
            let listener = TcpListener::bind(address).map_err(|error| (address, error))?;
            listener
                .set_nonblocking(true)
                .map_err(|error| (address, error))?;
            Ok(listener)
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted));
        let v4 = listen(address)?;
        let number = v4.local_addr().map_err(|error| (address, error))?.port();
        let mut listeners = vec![v4];
        match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, number))) {
            Ok(v6) => listeners.push(v6),
            Err((address, error)) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err((address, error));
            }
            // A machine without IPv6.
            Err(_) => {}
        }
        Ok(Self { listeners, number })
    }
}

/// TLS for the authority. The provider is given by name: with two of them in a
/// program rustls refuses to choose.
pub(crate) fn tls(certificates: Certificates) -> Result<TlsAcceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificates.leaf], certificates.leaf_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What one port does with the requests that come to it.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) server: Server,
    pub(crate) router: Router,
    pub(crate) state: Arc<State>,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Accepts connections in tasks of the current runtime, for as long as it runs.
pub(crate) fn serve(port: Port, service: &Service) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    for listener in port.listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(accept(listener, service.clone(), Arc::clone(&permits)));
    }
    Ok(())
}

async fn accept(listener: tokio::net::TcpListener, service: Service, permits: Arc<Semaphore>) {
    // The semaphore is never closed; an error would only end the loop.
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let service = service.clone();
                tokio::spawn(async move {
                    connection(stream, service).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, service: Service) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = service.tls.clone() else {
        return http(stream, service).await;
    };
    match timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await {
        Ok(Ok(stream)) => http(stream, service).await,
        // Most often a client that does not trust the authority; its own
        // message is the one that helps.
        Ok(Err(error)) => tracing::debug!(%error, "no TLS connection came about"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn http(stream: impl Wire, service: Service) {
    let answer = service_fn(|request| {
        let service = service.clone();
        async move { exchange::answer(&service, request).await }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(stream), answer);
    let Err(error) = (&mut connection).await else {
        return;
    };
    let cause = error.source();
    let fault = cause.and_then(|cause| cause.downcast_ref::<TakeOver>());
    if let Some(fault) = fault.cloned() {
        let stream = connection.into_parts().io.into_inner();
        fault.carry_out(stream).await;
    } else {
        tracing::debug!(%error, "a connection ended");
    }
}
