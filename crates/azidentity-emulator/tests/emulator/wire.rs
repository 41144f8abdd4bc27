//! Bytes as they go over the wire, with TLS and without.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use azidentity_emulator::{Emulator, Server};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// No test waits for it; it only ends one that would hang.
const PATIENCE: Duration = Duration::from_secs(100);

pub(crate) trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

pub(crate) fn port(emulator: &Emulator, server: Server) -> u16 {
    let address = match server {
        Server::Authority => emulator.authority_host(),
        _ => emulator.http_endpoint(),
    };
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

pub(crate) fn connect(emulator: &Emulator, server: Server) -> Box<dyn Wire> {
    let stream = TcpStream::connect(("127.0.0.1", port(emulator, server))).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    if server != Server::Authority {
        return Box::new(stream);
    }
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from(emulator.ca_certificate_der().to_vec());
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    Box::new(StreamOwned::new(tls, stream))
}

/// What comes back for a request, and how it ends.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: io::Result<()>,
}

impl Reply {
    fn parts(&self) -> (String, &[u8]) {
        let middle = self.bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let middle = middle.unwrap_or_else(|| panic!("no head: {self:?}")) + 4;
        let (head, body) = self.bytes.split_at(middle);
        (String::from_utf8(head.to_vec()).unwrap(), body)
    }

    /// The lines before the body.
    pub(crate) fn head(&self) -> String {
        self.parts().0
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.parts().1
    }

    pub(crate) fn status(&self) -> u16 {
        let head = self.head();
        let status = head.strip_prefix("HTTP/1.1 ").unwrap();
        status[..3].parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.head();
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.to_owned())
    }

    pub(crate) fn length(&self) -> usize {
        self.header("content-length").unwrap().parse().unwrap()
    }
}

/// Sends a request, head and body, and reads until the connection ends.
pub(crate) fn ask(emulator: &Emulator, server: Server, request: &str) -> Reply {
    let mut wire = connect(emulator, server);
    wire.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let end = wire.read_to_end(&mut bytes).map(|_| ());
    Reply { bytes, end }
}

/// Sends a GET request for a path, the last one of its connection.
pub(crate) fn get(emulator: &Emulator, server: Server, path: &str) -> Reply {
    ask(emulator, server, &request(path))
}

pub(crate) fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}
