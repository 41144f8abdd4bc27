//! With the built-in client, and proxies that listen.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::tls::Authority;

use super::*;

const NAME: &str = "6b2f.ests.aks";

/// What has arrived at a proxy: the server name that TLS asked for, and the head of the request.
struct Arrived {
    server_name: Option<String>,
    head: String,
}

/// A proxy that answers each connection's first request with a token, or with `status` and nothing.
struct Proxy {
    address: SocketAddr,
    arrivals: mpsc::UnboundedReceiver<Arrived>,
    certificate: tokio::sync::watch::Sender<Arc<ServerConfig>>,
}

impl Proxy {
    async fn start(certificate: Arc<ServerConfig>, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, arrivals) = mpsc::unbounded_channel();
        let (certificate, current) = tokio::sync::watch::channel(certificate);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = TlsAcceptor::from(current.borrow().clone());
                // One that doesn't trust us hangs up here.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let server_name = stream.get_ref().1.server_name().map(str::to_owned);
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.expect("a request's head"));
                }
                let head = String::from_utf8(head).expect("text").to_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .and_then(|length| length.parse().ok())
                    .expect("a length");
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await.expect("a body");
                let _ = sender.send(Arrived { server_name, head });
                stream
                    .write_all(answer.as_bytes())
                    .await
                    .expect("a listening client");
                let _ = stream.shutdown().await;
            }
        });
        Self {
            address,
            arrivals,
            certificate,
        }
    }

    async fn next(&mut self) -> Arrived {
        self.arrivals.recv().await.expect("a request")
    }
}

const TOKEN: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 66\r\n\r\n\
                     {\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"a-token\"}\n";

fn named(pod: &Pod, proxy: &Proxy) -> EnvironmentBuilder {
    pod.environment()
        .variable(
            "AZURE_KUBERNETES_TOKEN_PROXY",
            format!("https://localhost:{}/base", proxy.address.port()),
        )
        .variable("AZURE_KUBERNETES_SNI_NAME", NAME)
}

#[tokio::test]
async fn the_server_name_is_for_tls_and_the_host_for_the_proxy() {
    let pod = Pod::new();
    let authority = Authority::new();
    let mut proxy = Proxy::start(authority.certify(NAME), TOKEN).await;
    let environment =
        named(&pod, &proxy).variable("AZURE_KUBERNETES_CA_DATA", authority.pem.as_str());
    let credential = in_pod(environment).expect("a valid configuration");
    let token = credential.get_token(&[SCOPE], None).await.expect("a token");
    assert_eq!(token.token.secret(), "a-token");
    let arrived = proxy.next().await;
    assert_eq!(arrived.server_name.as_deref(), Some(NAME));
    assert!(
        arrived.head.starts_with(&format!(
            "post /base/{TENANT}/oauth2/v2.0/token http/1.1\r\n"
        )),
        "{}",
        arrived.head
    );
    let host = format!("\r\nhost: localhost:{}\r\n", proxy.address.port());
    assert_eq!(arrived.head.matches("\r\nhost:").count(), 1);
    assert!(arrived.head.contains(&host), "{}", arrived.head);
}

#[tokio::test]
async fn without_a_server_name_the_certificate_is_the_hosts() {
    let pod = Pod::new();
    let authority = Authority::new();
    let mut proxy = Proxy::start(authority.certify("localhost"), TOKEN).await;
    let environment = named(&pod, &proxy)
        .variable("AZURE_KUBERNETES_SNI_NAME", "")
        .variable("AZURE_KUBERNETES_CA_DATA", authority.pem.as_str());
    in_pod(environment)
        .expect("a valid configuration")
        .get_token(&[SCOPE], None)
        .await
        .expect("a token");
    assert_eq!(proxy.next().await.server_name.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn nobody_else_is_trusted() {
    let pod = Pod::new();
    let (ours, other) = (Authority::new(), Authority::new());
    for (certificate, ca) in [
        // Another authority's, another name's, and the system's roots where ours is not given.
        (other.certify(NAME), ours.pem.as_str()),
        (ours.certify("localhost"), ours.pem.as_str()),
        (ours.certify(NAME), ""),
    ] {
        let mut proxy = Proxy::start(certificate, TOKEN).await;
        let environment = named(&pod, &proxy).variable("AZURE_KUBERNETES_CA_DATA", ca);
        let credential = in_pod(environment).expect("a valid configuration");
        let origin = format!("https://localhost:{}", proxy.address.port());
        let error = expect_error(
            credential.get_token(&[SCOPE], None).await,
            FailureKind::Transport,
            &[
                "certificate",
                &origin,
                "AZURE_KUBERNETES_CA_FILE",
                "AZURE_KUBERNETES_SNI_NAME",
            ],
        );
        assert!(
            !error.message().contains("tried"),
            "one try is enough: {error}"
        );
        assert!(proxy.arrivals.try_recv().is_err(), "no assertion is sent");
    }
}

#[tokio::test]
async fn a_renewed_authority_is_followed() {
    let pod = Pod::new();
    let (first, second) = (Authority::new(), Authority::new());
    let ca = pod.path("ca.pem");
    fs::write(&ca, &first.pem).expect("a file");
    let mut proxy = Proxy::start(first.certify(NAME), TOKEN).await;
    let environment =
        named(&pod, &proxy).variable("AZURE_KUBERNETES_CA_FILE", ca.to_str().expect("UTF-8"));
    let credential = in_pod(environment).expect("a valid configuration");
    for (number, content) in [
        (0, Some(first.pem.clone())),
        // Of no use: the trust stays as it was.
        (1, Some(String::new())),
        (2, Some("no certificate".into())),
        (
            3,
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
        ),
        (4, None),
        (5, Some(second.pem.clone())),
    ] {
        match content {
            Some(content) => fs::write(&ca, content).expect("a file"),
            None => fs::remove_file(&ca).expect("it was there"),
        }
        if number == 5 {
            proxy.certificate.send_replace(second.certify(NAME));
        }
        let scope = format!("https://{number}.example/.default");
        credential
            .get_token(&[&scope], None)
            .await
            .unwrap_or_else(|error| panic!("{number}: {error}"));
        proxy.next().await;
    }
    // The old authority is no longer trusted.
    proxy.certificate.send_replace(first.certify(NAME));
    expect_error(
        credential.get_token(&[SCOPE], None).await,
        FailureKind::Transport,
        &["certificate"],
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    const REDIRECT: &str = "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://localhost:1/\r\n\
                            Connection: close\r\nContent-Length: 0\r\n\r\n";
    let pod = Pod::new();
    let authority = Authority::new();
    let proxy = Proxy::start(authority.certify(NAME), REDIRECT).await;
    let environment =
        named(&pod, &proxy).variable("AZURE_KUBERNETES_CA_DATA", authority.pem.as_str());
    expect_error(
        in_pod(environment)
            .expect("a valid configuration")
            .get_token(&[SCOPE], None)
            .await,
        FailureKind::AuthenticationFailed,
        &["HTTP 307"],
    );
}

#[test]
fn certificates_of_no_use_are_told_at_once() {
    let pod = Pod::new();
    for bad in [
        "pl4nted",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let environment = pod
            .environment()
            .variable("AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy.example")
            .variable("AZURE_KUBERNETES_CA_DATA", bad);
        expect_error(
            in_pod(environment),
            FailureKind::Configuration,
            &["token proxy", "AZURE_KUBERNETES_CA_DATA"],
        );
    }
}

/// A pool is driven by its runtime, and must not outlive it.
#[test]
fn each_runtime_has_a_client_of_its_own() {
    let pod = Pod::new();
    let authority = Authority::new();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
    };
    let serving = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let proxy = serving.block_on(Proxy::start(authority.certify(NAME), TOKEN));
    let environment =
        named(&pod, &proxy).variable("AZURE_KUBERNETES_CA_DATA", authority.pem.as_str());
    let credential = in_pod(environment).expect("a valid configuration");
    for scope in [SCOPE, crate::support::OTHER_SCOPE] {
        runtime()
            .block_on(credential.get_token(&[scope], None))
            .expect("a token");
    }
}
