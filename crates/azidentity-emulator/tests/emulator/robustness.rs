//! Foreign input of the worst kind.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use azidentity_emulator::{Emulator, World};
use reqwest::Method;

use crate::client::{Client, built_in, send};

const VAULT: &str = "https://vault.azure.net/.default";

fn port(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Sends bytes and hangs up, then reads until the other side does, too.
fn throw(port: u16, bytes: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // The server may have hung up already, which is an answer as well.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Sends requests, the last of which closes the connection, and returns what
/// comes back.
fn ask(port: u16, requests: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(requests.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn still_works(emulator: &Emulator) {
    let client = Client::of(emulator);
    assert_eq!(
        client.built_in_token(emulator.world(), VAULT).await.status,
        200
    );
}

#[tokio::test]
async fn bytes_that_are_no_http() {
    let emulator = built_in();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    };
    for address in [emulator.authority_host(), emulator.http_endpoint()] {
        for length in [0, 1, 5, 100, 5000] {
            throw(port(address), &noise(length));
        }
    }
    let http = port(emulator.http_endpoint());
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000));
    for request in [
        long.as_str(),
        "GET / HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://x/metadata/identity/oauth2/token HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /msi/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /msi/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        "POST /msi/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ] {
        throw(http, request.as_bytes());
    }
    still_works(&emulator).await;
}

#[tokio::test]
async fn requests_that_are_hardly_http() {
    let emulator = built_in();
    let http = port(emulator.http_endpoint());
    for path in [
        "/%",
        "/%zz",
        "/%ff%fe",
        "/%00",
        "/..%2f..",
        "/?%ff&&=&==",
        "/metadata/identity/oauth2/token?resource=%ff",
        "/_emulator/requests/../x",
        "/?a=%E2%82",
        "////",
        "/a//b///",
        "/metadata/identity/oauth2/token/?&&&",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = ask(http, &request);
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
    let headers = "Metadata: \u{ff}\r\nX-Identity-Header: \u{fe}\r\nContent-Type: ;;;=\r\n";
    let request =
        format!("GET /msi/token HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n");
    assert!(ask(http, &request).starts_with("HTTP/1.1 401"));
    still_works(&emulator).await;
}

#[tokio::test]
async fn forms_that_are_hardly_forms() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let url = format!("/{}/oauth2/v2.0/token", World::TENANT_ID);
    let deep = format!(
        "grant_type=client_credentials&claims={}",
        "[".repeat(100_000)
    );
    let many = "a=b&".repeat(20_000);
    let long_id = format!(
        "grant_type=client_credentials&scope=x&client_id={}",
        "é\"\\\n".repeat(3000)
    );
    for body in [
        "",
        "&",
        "=",
        "%",
        "%ff=%fe",
        "grant_type",
        "grant_type=%00",
        &deep,
        &many,
        &long_id,
    ] {
        let request = client
            .request(Method::POST, &url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned());
        let answer = send(request).await;
        assert_eq!(answer.status, 400, "{body:.40}");
        assert!(
            answer.text.len() < 10_000 && !answer.text.contains('\\'),
            "{body:.40}"
        );
        assert!(answer.json()["error_codes"][0].is_number());
    }
    still_works(&emulator).await;
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let emulator = built_in();
    let http = port(emulator.http_endpoint());
    let length = 257 * 1024;
    let mut request = format!(
        "POST /msi/token HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    request.push_str(&"a".repeat(length));
    let mut stream = TcpStream::connect(("127.0.0.1", http)).unwrap();
    // The connection may be reset while the rest of the body is on its way,
    // and the answer with it.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(emulator.requests()[0].status(), Some(413));
    still_works(&emulator).await;
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let emulator = built_in();
    let http = port(emulator.http_endpoint());
    let one = format!("GET /_emulator/ca.pem HTTP/1.1\r\nHost: localhost:{http}\r\n");
    let answer = ask(
        http,
        &format!("{one}\r\n{one}\r\n{one}Connection: close\r\n\r\n"),
    );
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
    assert_eq!(
        answer
            .to_ascii_lowercase()
            .matches("content-length: ")
            .count(),
        3
    );
}
