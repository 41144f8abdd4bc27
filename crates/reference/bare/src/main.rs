//! One token request over TLS with nothing but rustls, ring and the system's roots: what no program that does the same can
//! be quicker than. `.ci/measure-start` compares `azid token` with it.
//!
//! Arguments: host, port, tenant, client id, scope. The secret comes from `AZURE_CLIENT_SECRET`.

use std::{
    env,
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, tenant, client, scope] = arguments.as_slice() else {
        return Err("arguments: HOST PORT TENANT CLIENT_ID SCOPE".into());
    };
    let secret = env::var("AZURE_CLIENT_SECRET")?;

    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), host.clone().try_into()?)?;
    let stream = TcpStream::connect((host.as_str(), port.parse()?))?;
    stream.set_nodelay(true)?;
    let mut tls = StreamOwned::new(connection, stream);

    let body = format!(
        "client_id={client}&grant_type=client_credentials&scope={}&client_secret={}",
        encode(scope),
        encode(&secret)
    );
    // In one piece: each write is a record of its own.
    let request = format!(
        "POST /{tenant}/oauth2/v2.0/token HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tls.write_all(request.as_bytes())?;
    let mut answer = String::new();
    // A server that hangs up without saying goodbye has said all the same.
    let _ = tls.read_to_string(&mut answer);
    let token = answer
        .split_once("\"access_token\":\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .ok_or("no token in the answer")?
        .0;
    println!("{token}");
    Ok(())
}

fn encode(text: &str) -> String {
    use std::fmt::Write;

    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
