//! Claims challenges, met by the real clients of Key Vault and Blob Storage at a server that refuses the first token it sees.

use std::sync::{Arc, Mutex};

use azidentity::{ClientSecretCredential, FailureKind, IdentityError, TokenRequestOptions};
use azidentity_emulator::World;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions as CoreOptions},
    http::{ClientOptions, RetryOptions, Transport, policies::Policy},
    time::OffsetDateTime,
};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use azure_storage_blob::{BlobClient, BlobClientOptions};
use futures::future::join_all;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::Barrier,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    support::{TestWorld, claims, typed},
    tls::Authority,
};

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;

/// A service that takes tokens until one is revoked.
struct Service {
    address: String,
    transport: Transport,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The tokens that it refuses with a claims challenge.
    revoked: Mutex<Vec<String>>,
    /// Revokes every token that comes: nothing satisfies it.
    insatiable: bool,
    /// Refuses the first token that it is sent.
    revokes_first: bool,
    /// The token of each request so far; none for a request without.
    seen: Mutex<Vec<Option<String>>>,
    /// Where requests with a revoked token wait for each other.
    crowd: Option<Barrier>,
}

impl State {
    async fn answer(&self, token: Option<String>) -> String {
        let first = {
            let mut seen = self.seen.lock().unwrap();
            let first = token.is_some() && seen.iter().all(Option::is_none);
            seen.push(token.clone());
            first
        };
        let Some(token) = token else {
            return refusal(
                r#"Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net""#,
            );
        };
        let refused = {
            let mut revoked = self.revoked.lock().unwrap();
            if self.insatiable || (self.revokes_first && first) {
                revoked.push(token.clone());
            }
            revoked.contains(&token)
        };
        if refused {
            if let Some(crowd) = &self.crowd {
                crowd.wait().await;
            }
            let claims = azure_core::base64::encode(CLAIMS);
            return refusal(&format!(
                r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="{claims}""#
            ));
        }
        let body = r#"{"value":"a secret","id":"https://localhost/secrets/name/1"}"#;
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"0x1\"\r\n\
             Last-Modified: Tue, 01 Dec 2026 00:00:00 GMT\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

fn refusal(challenge: &str) -> String {
    format!(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n"
    )
}

impl Service {
    async fn start(state: State) -> Self {
        let authority = Authority::new();
        let acceptor = TlsAcceptor::from(authority.certify("localhost"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let state = Arc::new(state);
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), serving.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut stream = BufReader::new(stream);
                    while let Some((token, is_head)) = read_request(&mut stream).await {
                        let mut answer = state.answer(token).await;
                        if is_head {
                            answer.truncate(answer.find("\r\n\r\n").unwrap() + 4);
                        }
                        if stream.write_all(answer.as_bytes()).await.is_err()
                            || stream.flush().await.is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });
        let certificate = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([certificate])
            .build()
            .unwrap();
        Self {
            address,
            transport: Transport::new(Arc::new(client)),
            state,
        }
    }

    fn options(&self, policy: Arc<dyn Policy>) -> ClientOptions {
        ClientOptions {
            per_try_policies: vec![policy],
            transport: Some(self.transport.clone()),
            retry: RetryOptions::none(),
            ..Default::default()
        }
    }

    fn vault(&self, credential: Arc<dyn TokenCredential>, policy: Arc<dyn Policy>) -> SecretClient {
        let options = SecretClientOptions {
            client_options: self.options(policy),
            verify_challenge_resource: Some(false),
            ..Default::default()
        };
        SecretClient::new(&self.address, credential, Some(options)).unwrap()
    }

    fn tokens_seen(&self) -> Vec<Option<String>> {
        self.state.seen.lock().unwrap().clone()
    }
}

/// The token of the next request, and whether that is HEAD; `None` when the client hangs up.
async fn read_request(
    stream: &mut (impl AsyncBufReadExt + Unpin),
) -> Option<(Option<String>, bool)> {
    let (mut token, mut length, mut is_head) = (None, 0, None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        is_head.get_or_insert(line.starts_with("HEAD "));
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "authorization" => token = value.strip_prefix("Bearer ").map(str::to_owned),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some((token, is_head.unwrap_or_default()))
}

fn credential(world: &TestWorld) -> Arc<dyn TokenCredential> {
    ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, world.secret())
        .authority_host(world.emulator.authority_host())
        .disable_instance_discovery(true)
        .client_options(world.client_options())
        .build()
        .unwrap()
}

#[tokio::test]
async fn key_vaults_client_answers_with_one_token_and_one_resend() {
    let world = TestWorld::start();
    let service = Service::start(State {
        revokes_first: true,
        ..Default::default()
    })
    .await;
    let (credential, policy) = azidentity::challenge::wrap(credential(&world));
    let vault = service.vault(credential, policy);
    vault.get_secret("name", None).await.unwrap();
    let seen = service.tokens_seen();
    // The client's own question, the refused token, the new one.
    assert_eq!(seen.len(), 3);
    let (refused, taken) = (seen[1].as_ref().unwrap(), seen[2].as_ref().unwrap());
    assert_ne!(refused, taken);
    assert_eq!(world.emulator.token_request_count(), 2);
    let requests = world.emulator.requests();
    let asked = requests.last().unwrap().form().get("claims").unwrap();
    assert!(
        asked.contains("1700000000") && asked.contains("CP1"),
        "{asked}"
    );
    assert_eq!(claims(taken)["xms_cc"][0], "cp1");

    // The client itself still holds the refused token.
    vault.get_secret("name", None).await.unwrap();
    assert_eq!(service.tokens_seen().last(), Some(&Some(taken.clone())));
    assert_eq!(world.emulator.token_request_count(), 2);
}

#[tokio::test]
async fn blob_storages_client_does_so_too() {
    let world = TestWorld::start();
    let service = Service::start(State {
        revokes_first: true,
        ..Default::default()
    })
    .await;
    let (credential, policy) = azidentity::challenge::wrap(credential(&world));
    let options = BlobClientOptions {
        client_options: service.options(policy),
        ..Default::default()
    };
    let url = format!("{}/account/container/blob", service.address);
    let blob = BlobClient::new(url.parse().unwrap(), Some(credential), Some(options)).unwrap();
    for _ in 0..2 {
        blob.get_properties(None).await.unwrap();
    }
    let seen = service.tokens_seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0] != seen[1] && seen[1] == seen[2]);
    assert_eq!(world.emulator.token_request_count(), 2);
}

#[tokio::test]
async fn requests_at_the_same_time_share_the_answer() {
    const MANY: usize = 20;
    let world = TestWorld::start();
    let service = Service::start(State {
        crowd: Some(Barrier::new(MANY)),
        ..Default::default()
    })
    .await;
    let (credential, policy) = azidentity::challenge::wrap(credential(&world));
    let vault = service.vault(credential, policy);
    vault.get_secret("name", None).await.unwrap();
    let token = service.tokens_seen().pop().flatten().unwrap();
    service.state.revoked.lock().unwrap().push(token);
    // The server refuses all of them before any is answered.
    let answers = join_all((0..MANY).map(|_| vault.get_secret("name", None))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.emulator.token_request_count(), 2);
    assert_eq!(service.tokens_seen().len(), 2 + 2 * MANY);
}

#[tokio::test]
async fn a_service_that_nothing_satisfies_gets_one_resend() {
    let world = TestWorld::start();
    let service = Service::start(State {
        insatiable: true,
        ..Default::default()
    })
    .await;
    let (credential, policy) = azidentity::challenge::wrap(credential(&world));
    let vault = service.vault(credential, policy);
    vault.get_secret("name", None).await.unwrap_err();
    // Key Vault's client answers a refusal itself once more, with the first challenge's means.
    let tokens = service.tokens_seen().iter().flatten().count();
    assert_eq!(tokens, 2);
    assert_eq!(world.emulator.token_request_count(), 2);
}

/// Has a token, but none with claims.
#[derive(Debug, Default)]
struct Unable {
    claims_requests: Mutex<usize>,
}

#[async_trait::async_trait]
impl TokenCredential for Unable {
    async fn get_token(
        &self,
        _: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let options = options.unwrap_or_default();
        let ours = TokenRequestOptions::find(&options).unwrap();
        assert!(ours.enable_cae);
        if ours.claims.is_some() {
            *self.claims_requests.lock().unwrap() += 1;
            let error = IdentityError::new(FailureKind::InteractionRequired, "sign in again");
            return Err(error.into());
        }
        let expires_on = OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1);
        Ok(AccessToken::new("pl4nted-token".to_owned(), expires_on))
    }
}

#[tokio::test]
async fn that_no_token_can_be_had_reaches_the_caller() {
    let service = Service::start(State {
        insatiable: true,
        ..Default::default()
    })
    .await;
    let unable = Arc::new(Unable::default());
    let (credential, policy) = azidentity::challenge::wrap(unable.clone());
    let shown = format!("{credential:?} {policy:?}");
    assert!(!shown.contains("pl4nted"), "{shown}");
    let vault = service.vault(credential, policy);
    let error = vault.get_secret("name", None).await.unwrap_err();
    assert_eq!(typed(&error).kind(), FailureKind::InteractionRequired);
    assert_eq!(*unable.claims_requests.lock().unwrap(), 1);
}
