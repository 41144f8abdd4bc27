//! A plain HTTPS client, and a check of tokens that shares no code with the
//! emulator.

use std::sync::Arc;

use azidentity_emulator::{Config, Emulator, World};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, StatusCode};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The ids of `WORLD`.
pub(crate) const TENANT: &str = "11111111-aaaa-4000-8000-000000000001";
pub(crate) const OTHER_TENANT: &str = "11111111-aaaa-4000-8000-000000000002";
pub(crate) const DAEMON: &str = "22222222-aaaa-4000-8000-000000000001";
pub(crate) const PUBLIC: &str = "22222222-aaaa-4000-8000-000000000002";
pub(crate) const ORDERS: &str = "33333333-aaaa-4000-8000-000000000001";
pub(crate) const SYSTEM: &str = "44444444-aaaa-4000-8000-000000000001";
pub(crate) const USER_ASSIGNED: &str = "44444444-aaaa-4000-8000-000000000002";
pub(crate) const SECRET: &str = "first~of.two_valid-secrets";
pub(crate) const SECOND_SECRET: &str = "second & + = % of two / valid secrets";
pub(crate) const EXPIRED_SECRET: &str = "was-valid-once";

/// A world with something to refuse in each place.
pub(crate) const WORLD: &str = r#"
    accept_any_resource = false

    [[tenant]]
    id = "11111111-AAAA-4000-8000-000000000001"
    domains = ["shop.example"]

    [[tenant]]
    id = "11111111-aaaa-4000-8000-000000000002"

    [[application]]
    client_id = "22222222-aaaa-4000-8000-000000000001"
    name = "Daemon"
    object_id = "55555555-aaaa-4000-8000-000000000001"
    roles = { "api://orders" = ["Orders.Write"], "https://graph.microsoft.com" = ["Mail.Read"] }
    [[application.secret]]
    value = "first~of.two_valid-secrets"
    [[application.secret]]
    value = "was-valid-once"
    expires = 2020-01-01T00:00:00Z
    [[application.secret]]
    value = "second & + = % of two / valid secrets"
    expires = 2999-01-01T00:00:00+02:00

    [[application]]
    client_id = "22222222-aaaa-4000-8000-000000000002"
    public = true

    [[resource]]
    app_id = "33333333-aaaa-4000-8000-000000000001"
    identifiers = ["api://orders"]
    token_version = 2
    app_roles = ["Orders.Write"]

    [[managed_identity]]
    kind = "system-assigned"
    client_id = "44444444-aaaa-4000-8000-000000000001"
    object_id = "66666666-aaaa-4000-8000-000000000001"
    resource_id = "/subscriptions/s/vm"
    roles = { "api://orders" = ["Orders.Write"] }

    [[managed_identity]]
    kind = "user-assigned"
    client_id = "44444444-aaaa-4000-8000-000000000002"
    object_id = "66666666-aaaa-4000-8000-000000000002"
    resource_id = "/subscriptions/s/Identity"
    tenant = "11111111-aaaa-4000-8000-000000000002"
"#;

pub(crate) fn start(toml: &str) -> Emulator {
    Emulator::start(Config::from_toml(toml).unwrap()).unwrap()
}

pub(crate) fn built_in() -> Emulator {
    Emulator::start(Config::default()).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn token(&self) -> String {
        let json = self.json();
        json["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token: {json}"))
            .to_owned()
    }
}

/// A client that trusts one emulator's authority and no other.
pub(crate) struct Client {
    http: reqwest::Client,
    authority: String,
}

impl Client {
    pub(crate) fn of(emulator: &Emulator) -> Self {
        Self::following(emulator, Policy::default())
    }

    pub(crate) fn following(emulator: &Emulator, redirects: Policy) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(emulator.ca_certificate_der().to_vec()))
            .unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(redirects)
            .build()
            .unwrap();
        Self {
            http,
            authority: emulator.authority_host().to_owned(),
        }
    }

    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let url = if url.starts_with('/') {
            format!("{}{url}", self.authority)
        } else {
            url.to_owned()
        };
        self.http.request(method, url)
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        send(self.request(Method::GET, url)).await
    }

    pub(crate) async fn token(&self, tenant: &str, form: &[(&str, &str)]) -> Answer {
        let url = format!("/{tenant}/oauth2/v2.0/token");
        send(self.request(Method::POST, &url).form(form)).await
    }

    /// A token of the built-in world's application, in a world of its own.
    pub(crate) async fn built_in_token(&self, world: &World, scope: &str) -> Answer {
        let secret = world.client_secret(World::CLIENT_ID).unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", World::CLIENT_ID),
            ("client_secret", secret),
            ("scope", scope),
        ];
        self.token(World::TENANT_ID, &form).await
    }

    /// The claims of a token whose signature fits one of the published keys.
    pub(crate) async fn verified(&self, token: &str) -> Value {
        let keys = self.get("/common/discovery/v2.0/keys").await.json();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let header = decoded(header);
        assert_eq!(header["alg"], "RS256");
        assert_eq!(header["typ"], "JWT");
        let fits = |key: &&Value| key["kid"] == header["kid"] && key["x5t"] == header["x5t"];
        let key = keys["keys"].as_array().unwrap().iter().find(fits).unwrap();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        RsaPublicKeyComponents {
            n: number("n"),
            e: number("e"),
        }
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .expect("the signature does not fit the published key");
        decoded(claims)
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

fn decoded(segment: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}
