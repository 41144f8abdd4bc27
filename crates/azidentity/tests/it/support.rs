//! What the tests share: an HTTP client whose answers the test gives, and clients that trust the emulator.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azidentity::{ClientSecretCredential, Environment, FailureKind, IdentityError, ManualClock};
use azidentity_emulator::{Config, Emulator, World};
use azure_core::{
    Bytes,
    http::{
        AsyncRawResponse, Body, ClientOptions, HttpClient, Request, StatusCode, Transport, Url,
        headers::Headers,
    },
};
use futures::{
    StreamExt,
    channel::{mpsc, oneshot},
};

pub(crate) const SCOPE: &str = "https://vault.azure.net/.default";
pub(crate) const OTHER_SCOPE: &str = "https://storage.azure.com/.default";
pub(crate) const TENANT: &str = "contoso.example";
pub(crate) const CLIENT: &str = "7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31";
/// Planted where secrets go; no error may show it.
pub(crate) const SECRET: &str = "pl4nted~Secret.Value+For/Tests";

/// The time at which manual clocks start.
pub(crate) const START: i64 = 1_800_000_000;

/// A request that a credential has sent and waits for.
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) form: HashMap<String, String>,
    reply: oneshot::Sender<azure_core::Result<AsyncRawResponse>>,
}

impl Exchange {
    /// Answers with a status and a body.
    pub(crate) fn answer(self, status: u16, body: impl Into<String>) {
        self.answer_with(status, &[("content-type", "application/json")], body.into());
    }

    pub(crate) fn answer_with(
        self,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: String,
    ) {
        let mut map = Headers::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        let response = AsyncRawResponse::from_bytes(StatusCode::from(status), map, body);
        // The one who asked may have gone away; then nobody needs the answer.
        let _ = self.reply.send(Ok(response));
    }

    /// Answers with a stream that sends `chunks` and then either ends or never does.
    pub(crate) fn answer_in_chunks(self, chunks: Vec<Bytes>, ends: bool) {
        let sent = futures::stream::iter(chunks.into_iter().map(Ok));
        let body = if ends {
            sent.boxed()
        } else {
            sent.chain(futures::stream::pending()).boxed()
        };
        let response = AsyncRawResponse::new(StatusCode::Ok, Headers::new(), body);
        let _ = self.reply.send(Ok(response));
    }

    pub(crate) fn fail(self, kind: azure_core::error::ErrorKind, message: &'static str) {
        let _ = self
            .reply
            .send(Err(azure_core::Error::with_message(kind, message)));
    }

    /// A token answer as Entra gives it.
    pub(crate) fn answer_token(self, token: &str, expires_in: i64) {
        self.answer(200, token_json(token, expires_in, None));
    }

    /// Whether nobody waits for the answer any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.reply.is_canceled()
    }
}

pub(crate) fn token_json(token: &str, expires_in: i64, refresh_in: Option<i64>) -> String {
    let refresh = refresh_in.map_or(String::new(), |refresh| {
        format!(r#","refresh_in":{refresh}"#)
    });
    format!(
        r#"{{"token_type":"Bearer","expires_in":{expires_in},"ext_expires_in":{expires_in},"access_token":"{token}"{refresh}}}"#
    )
}

/// Hands every request to the test.
pub(crate) struct Wire {
    exchanges: mpsc::UnboundedReceiver<Exchange>,
    client: Arc<HeldClient>,
}

#[derive(Clone)]
struct HeldClient(mpsc::UnboundedSender<Exchange>);

impl fmt::Debug for HeldClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldClient")
    }
}

impl Wire {
    pub(crate) fn new() -> Self {
        let (sender, exchanges) = mpsc::unbounded();
        Self {
            exchanges,
            client: Arc::new(HeldClient(sender)),
        }
    }

    pub(crate) fn client_options(&self) -> ClientOptions {
        ClientOptions {
            transport: Some(Transport::new(self.client.clone())),
            ..Default::default()
        }
    }

    /// The next request; waits for it.
    pub(crate) async fn next(&mut self) -> Exchange {
        self.exchanges.next().await.expect("a request")
    }

    /// The next request, if it has been sent already.
    pub(crate) fn try_next(&mut self) -> Option<Exchange> {
        self.exchanges.try_recv().ok()
    }
}

#[async_trait]
impl HttpClient for HeldClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            Body::SeekableStream(_) => panic!("no streams here"),
        };
        let (reply, answer) = oneshot::channel();
        let exchange = Exchange {
            method: request.method().to_string(),
            url: request.url().clone(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
                .collect(),
            form: url::form_urlencoded::parse(&body).into_owned().collect(),
            reply,
        };
        self.0
            .unbounded_send(exchange)
            .expect("the test still listens");
        answer.await.unwrap_or_else(|_| {
            Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Io,
                "the test dropped the request",
            ))
        })
    }
}

/// A client secret credential on a wire, with a clock that the test moves.
pub(crate) struct Held {
    pub(crate) wire: Wire,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) credential: Arc<ClientSecretCredential>,
}

impl Held {
    pub(crate) fn new() -> Self {
        Self::with_clock(ManualClock::new(START))
    }

    pub(crate) fn with_clock(clock: ManualClock) -> Self {
        let wire = Wire::new();
        let clock = Arc::new(clock);
        let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
            .client_options(wire.client_options())
            .additionally_allowed_tenants(["fabrikam.example"])
            .environment(Environment::builder().clock(clock.clone()).build())
            .build()
            .expect("a valid configuration");
        Self {
            wire,
            clock,
            credential,
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// An emulator of the test's own, and clients that trust it.
pub(crate) struct TestWorld {
    pub(crate) emulator: Emulator,
    transport: Transport,
}

impl TestWorld {
    pub(crate) fn start() -> Self {
        let emulator = Emulator::start(Config::default()).expect("an emulator");
        let transport = trusting(&emulator);
        Self {
            emulator,
            transport,
        }
    }

    pub(crate) fn client_options(&self) -> ClientOptions {
        ClientOptions {
            transport: Some(self.transport.clone()),
            ..Default::default()
        }
    }

    pub(crate) fn secret(&self) -> String {
        self.emulator
            .world()
            .client_secret(World::CLIENT_ID)
            .expect("the built-in world has one")
            .to_owned()
    }
}

/// A transport whose client trusts the emulator's authority and nothing else.
pub(crate) fn trusting(emulator: &Emulator) -> Transport {
    let certificate =
        reqwest::Certificate::from_der(emulator.ca_certificate_der()).expect("a certificate");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client");
    Transport::new(Arc::new(client))
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> serde_json::Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).expect("a JWT");
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .expect("base64url");
    serde_json::from_slice(&json).expect("JSON")
}

/// The typed error inside, after checking that it and everything around it shows no secret.
pub(crate) fn typed(error: &azure_core::Error) -> &IdentityError {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("pl4nted"), "shows the secret: {shown}");
    IdentityError::find(error).unwrap_or_else(|| panic!("not one of ours: {shown}"))
}

/// Checks an error's kind and that its message holds all of `says`.
pub(crate) fn expect_error<T: fmt::Debug>(
    result: azure_core::Result<T>,
    kind: FailureKind,
    says: &[&str],
) -> IdentityError {
    let error = result.expect_err("an error");
    let typed = typed(&error).clone();
    assert_eq!(typed.kind(), kind, "{typed}");
    for text in says {
        assert!(
            typed.message().contains(text),
            "{text:?} is missing in: {typed}"
        );
    }
    typed
}
