//! The token proxy of Azure Kubernetes Service.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use azidentity::{
    DefaultAzureCredential, Environment, EnvironmentBuilder, FailureKind, ManualClock,
    TokenProxyClient, TokenProxyClientOptions, WorkloadIdentityCredential,
};
use azure_core::{
    credentials::TokenCredential,
    http::{HttpClient, Transport},
};
use tempfile::TempDir;

use crate::{
    client_assertion::ASSERTION,
    support::{CLIENT, SCOPE, START, TENANT, Wire, expect_error},
};

/// A pod with a token in a file, and room for others.
struct Pod {
    folder: TempDir,
}

impl Pod {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("token"), ASSERTION).expect("a file");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn environment(&self) -> EnvironmentBuilder {
        Environment::builder()
            .clock(Arc::new(ManualClock::skipping(START)))
            .variables([
                ("AZURE_TENANT_ID", TENANT),
                ("AZURE_CLIENT_ID", CLIENT),
                // Would have to be asked about, if anything went there.
                ("AZURE_AUTHORITY_HOST", "https://login.private.example"),
            ])
            .variable(
                "AZURE_FEDERATED_TOKEN_FILE",
                self.path("token").to_str().expect("UTF-8"),
            )
    }
}

fn in_pod(environment: EnvironmentBuilder) -> azure_core::Result<Arc<WorkloadIdentityCredential>> {
    WorkloadIdentityCredential::builder()
        .environment(environment.build())
        .enable_proxy(true)
        .build()
}

/// Certificates, server name and addresses.
type MadeFor = (Option<Vec<u8>>, String, Vec<SocketAddr>);

/// Makes clients that hand every request to the test, and notes what they were made for.
#[derive(Debug)]
struct Noting {
    client: Transport,
    made: std::sync::Mutex<Vec<MadeFor>>,
}

impl Noting {
    fn new(wire: &Wire) -> Arc<Self> {
        let transport = wire.client_options().transport.expect("the wire's");
        Arc::new(Self {
            client: transport,
            made: std::sync::Mutex::default(),
        })
    }

    fn made(&self) -> Vec<MadeFor> {
        self.made.lock().expect("unpoisoned").clone()
    }
}

/// The wire as a client.
#[derive(Debug)]
struct OverWire(Transport);

#[async_trait::async_trait]
impl HttpClient for OverWire {
    async fn execute_request(
        &self,
        request: &azure_core::http::Request,
    ) -> azure_core::Result<azure_core::http::AsyncRawResponse> {
        let mut request = request.clone();
        self.0
            .send(&azure_core::http::Context::new(), &mut request)
            .await
    }
}

impl TokenProxyClient for Noting {
    fn create(
        &self,
        options: TokenProxyClientOptions<'_>,
    ) -> azure_core::Result<Arc<dyn HttpClient>> {
        if options.certificate_authority == Some(b"useless") {
            return Err(std::io::Error::other("no certificate in it").into());
        }
        self.made.lock().expect("unpoisoned").push((
            options.certificate_authority.map(<[u8]>::to_vec),
            options.server_name.to_owned(),
            options.resolved_addresses.to_vec(),
        ));
        Ok(Arc::new(OverWire(self.client.clone())))
    }
}

#[tokio::test]
async fn a_client_of_the_callers_gets_what_it_has_to_heed() {
    let pod = Pod::new();
    let mut wire = Wire::new();
    let noting = Noting::new(&wire);
    let ca = pod.path("ca.pem");
    fs::write(&ca, "first").expect("a file");
    let credential = WorkloadIdentityCredential::builder()
        .environment(
            pod.environment()
                .variable(
                    "AZURE_KUBERNETES_TOKEN_PROXY",
                    "https://127.0.0.1:6443/base/",
                )
                .variable("AZURE_KUBERNETES_CA_FILE", ca.to_str().expect("UTF-8"))
                .variable("AZURE_KUBERNETES_SNI_NAME", "id.ests.aks")
                .build(),
        )
        .enable_proxy(true)
        .proxy_client(noting.clone())
        .build()
        .expect("a valid configuration");
    assert!(noting.made().is_empty(), "addresses are not asked for yet");

    let mut expected = Vec::new();
    for (number, content, makes) in [
        (0, Some("first"), true),
        (1, Some("first"), false),
        (2, Some("second"), true),
        (3, Some(""), false),
        (4, None, false),
        (5, Some("useless"), false),
        (6, Some("third"), true),
    ] {
        match content {
            Some(content) => fs::write(&ca, content).expect("a file"),
            None => fs::remove_file(&ca).expect("it was there"),
        }
        let scope = format!("https://{number}.example/.default");
        let scopes = [scope.as_str()];
        let (token, ()) = futures::join!(credential.get_token(&scopes, None), async {
            let exchange = wire.next().await;
            assert_eq!(
                exchange.url.as_str(),
                format!("https://id.ests.aks:6443/base/{TENANT}/oauth2/v2.0/token")
            );
            assert_eq!(exchange.headers["host"], "127.0.0.1:6443");
            assert_eq!(exchange.form["client_assertion"], ASSERTION);
            exchange.answer_token("token", 3600);
        });
        token.expect("a token");
        if makes {
            expected.push((
                content.map(|content| content.as_bytes().to_vec()),
                "id.ests.aks".to_owned(),
                vec!["127.0.0.1:6443".parse().expect("an address")],
            ));
        }
        assert_eq!(noting.made(), expected, "{number}");
    }
}

#[tokio::test]
async fn without_a_server_name_the_proxys_host_is_it() {
    let pod = Pod::new();
    let mut wire = Wire::new();
    let noting = Noting::new(&wire);
    let credential = WorkloadIdentityCredential::builder()
        .environment(
            pod.environment()
                .variable("AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy.example")
                .variable("AZURE_KUBERNETES_CA_DATA", "data")
                .build(),
        )
        .enable_proxy(true)
        .proxy_client(noting.clone())
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let exchange = wire.next().await;
        assert_eq!(
            exchange.url.as_str(),
            format!("https://proxy.example/{TENANT}/oauth2/v2.0/token")
        );
        assert_eq!(exchange.headers.get("host"), None, "the client's own");
        exchange.answer_token("token", 3600);
    });
    token.expect("a token");
    let expected = (Some(b"data".to_vec()), "proxy.example".to_owned(), vec![]);
    assert_eq!(noting.made(), [expected]);
}

#[tokio::test]
async fn nothing_goes_to_the_proxy_unasked() {
    let pod = Pod::new();
    let environment = || {
        pod.environment()
            .variable("AZURE_AUTHORITY_HOST", "")
            .variable("AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy.example")
    };
    let mut wire = Wire::new();
    let alone = WorkloadIdentityCredential::builder()
        .client_options(wire.client_options())
        .environment(environment().build())
        .build()
        .expect("a valid configuration");
    let in_default_chain = DefaultAzureCredential::builder()
        .client_options(wire.client_options())
        .environment(environment().build())
        .build()
        .expect("a chain");
    let credentials: [Arc<dyn TokenCredential>; 2] = [alone, in_default_chain];
    for credential in credentials {
        let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
            let exchange = wire.next().await;
            assert_eq!(exchange.url.host_str(), Some("login.microsoftonline.com"));
            exchange.answer_token("token", 3600);
        });
        token.expect("a token");
    }

    // Asked for, but not there: nothing changes.
    let credential = WorkloadIdentityCredential::builder()
        .client_options(wire.client_options())
        .environment(
            pod.environment()
                .variable("AZURE_AUTHORITY_HOST", "")
                .build(),
        )
        .enable_proxy(true)
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        wire.next().await.answer_token("token", 3600);
    });
    token.expect("a token");
}

#[test]
fn contradictions_and_missing_certificates_are_told_at_once() {
    let pod = Pod::new();
    let file = |name: &str| pod.path(name).to_str().expect("UTF-8").to_owned();
    fs::write(pod.path("blank"), "\n").expect("a file");
    let proxy = (
        "AZURE_KUBERNETES_TOKEN_PROXY",
        "https://proxy.example".to_owned(),
    );
    let ca_file = |name: &str| ("AZURE_KUBERNETES_CA_FILE", file(name));
    let ca_data = ("AZURE_KUBERNETES_CA_DATA", "pem".to_owned());
    for (variables, says) in [
        (vec![ca_data.clone()], "AZURE_KUBERNETES_TOKEN_PROXY"),
        (
            vec![proxy.clone(), ca_file("token"), ca_data.clone()],
            "only one",
        ),
        (vec![proxy.clone(), ca_file("absent")], "does not exist"),
        (vec![proxy.clone(), ca_file("")], "is a folder"),
        (vec![proxy.clone(), ca_file("blank")], "is empty"),
        (
            vec![(
                "AZURE_KUBERNETES_TOKEN_PROXY",
                "http://proxy.example".into(),
            )],
            "https://",
        ),
    ] {
        let error = expect_error(
            in_pod(pod.environment().variables(variables)),
            FailureKind::Configuration,
            &["AZURE_KUBERNETES", says],
        );
        assert_eq!(error.credential(), Some("workload-identity"));
    }
}

#[cfg(not(all(feature = "reqwest", feature = "tokio")))]
#[test]
fn without_a_client_the_features_are_named() {
    let pod = Pod::new();
    let environment = pod
        .environment()
        .variable("AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy.example");
    expect_error(
        in_pod(environment),
        FailureKind::Configuration,
        &["no HTTP client", "`reqwest`", "proxy_client"],
    );
}

/// With real connections.
#[cfg(all(feature = "reqwest", feature = "tokio"))]
mod built_in;
