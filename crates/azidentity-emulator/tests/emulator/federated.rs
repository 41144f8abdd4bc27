//! Workloads that others vouch for, and those others.

use std::time::{Duration, UNIX_EPOCH};

use azidentity_emulator::{Emulator, FederatedCredential, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::certificate::but;
use crate::client::{Answer, Client, built_in, send, start};
use crate::signer::{Signer, claims};

const ID: &str = "22222222-cccc-4000-8000-000000000001";
const AUDIENCE: &str = FederatedCredential::AUDIENCE;
const NOW: u64 = 1_796_071_711;

async fn present(emulator: &Emulator, id: &str, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
        ("scope", "https://vault.azure.net/.default"),
    ];
    Client::of(emulator).token(World::TENANT_ID, &form).await
}

#[tokio::test]
async fn issuer_audience_and_subject_have_to_be_right_to_the_letter() {
    let keys = Signer::number(0).jwks();
    let emulator = start(&format!(
        "[[application]]\nclient_id = \"{ID}\"\n[[application.federated_credential]]\n\
         issuer = \"https://issuer.example/a\"\nsubject = \"repo:Me:x\"\nkeys = '{keys}'"
    ));
    emulator.set_time(UNIX_EPOCH + Duration::from_secs(NOW));
    let good = json!({
        "iss": "https://issuer.example/a", "sub": "repo:Me:x", "aud": AUDIENCE, "exp": NOW + 300,
    });
    let header = json!({ "alg": "RS256", "kid": "one" });
    let sign = |claims: &Value| Signer::number(0).jwt(&header, claims);
    let answer = present(&emulator, ID, &sign(&good)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // A file of a cluster can end with a line break.
    let answer = present(&emulator, ID, &format!("{}\n", sign(&good))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for (changes, number) in [
        (json!({ "iss": "https://issuer.example/a/" }), 700_211),
        (json!({ "iss": "https://ISSUER.example/a" }), 700_211),
        (json!({ "iss": "issuer" }), 700_021),
        (json!({ "aud": "api://azureadtokenexchange" }), 700_212),
        (json!({ "sub": "repo:me:x" }), 700_213),
        (json!({ "sub": null }), 700_213),
        (json!({ "exp": NOW - 301 }), 700_024),
        (json!({ "nbf": NOW + 301 }), 700_024),
        (json!({ "exp": null }), 50027),
    ] {
        let answer = present(&emulator, ID, &sign(&but(good.clone(), &changes))).await;
        let codes = answer.json()["error_codes"].clone();
        assert_eq!(codes, json!([number]), "{changes} {}", answer.text);
    }
    for assertion in [
        Signer::number(1).jwt(&header, &good),
        Signer::number(0).jwt(&json!({ "alg": "RS256", "kid": "two" }), &good),
    ] {
        let answer = present(&emulator, ID, &assertion).await;
        assert_eq!(answer.json()["error_codes"], json!([700_027]));
    }
}

/// A token from each of the emulator's own sources.
async fn tokens(emulator: &Emulator, client: &Client, https: bool) -> Vec<String> {
    let here = |url: String| {
        if https {
            url.replace(emulator.http_endpoint(), emulator.authority_host())
        } else {
            url
        }
    };
    let pipelines = here(format!(
        "{}?api-version=7.1&serviceConnectionId={}",
        emulator.pipelines_oidc_uri(),
        World::SERVICE_CONNECTION_ID
    ));
    let pipelines = client
        .request(Method::POST, &pipelines)
        .bearer_auth(emulator.pipelines_access_token());
    let github = here(format!(
        "{}&audience={AUDIENCE}",
        emulator.github_oidc_url()
    ));
    let github = client
        .request(Method::GET, &github)
        .bearer_auth(emulator.github_request_token());
    let gcp = here(format!(
        "{}/computeMetadata/v1/instance/service-accounts/default/identity?audience={AUDIENCE}&format=full",
        emulator.http_endpoint()
    ));
    let gcp = client
        .request(Method::GET, &gcp)
        .header("metadata-flavor", "Google");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        text(&send(pipelines).await.json()["oidcToken"]),
        text(&send(github).await.json()["value"]),
        send(gcp).await.text,
        emulator.service_account_token(AUDIENCE, None).unwrap(),
    ]
}

#[tokio::test]
async fn tokens_of_every_source_sign_the_application_in() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let names = ["pipelines", "github", "gcp", "kubernetes"];
    for https in [false, true] {
        let tokens = tokens(&emulator, &client, https).await;
        for (name, token) in names.iter().zip(&tokens) {
            let answer = present(&emulator, World::CLIENT_ID, token).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text);
            let issuer = claims(token)["iss"].as_str().unwrap().to_owned();
            assert_eq!(Some(&issuer), emulator.oidc_issuer(name).as_ref());
            let metadata = format!("{issuer}/.well-known/openid-configuration");
            let metadata = client.get(&metadata).await.json();
            assert_eq!(metadata["issuer"], issuer);
            let keys = client.get(metadata["jwks_uri"].as_str().unwrap()).await;
            assert_eq!(keys.json()["keys"][0]["kty"], "RSA");
            // Not everybody trusts them.
            let answer = present(&emulator, World::WEB_CLIENT_ID, token).await;
            assert_eq!(answer.json()["error_codes"], json!([700_211]));
        }
    }
    assert!(client.get("/oidc/x/jwks").await.status == 404);
}

#[tokio::test]
async fn a_workload_of_another_name_is_refused() {
    let emulator = built_in();
    for (audience, subject, number) in [
        ("https://vault.azure.net", None, 700_212),
        (
            AUDIENCE,
            Some("system:serviceaccount:default:other"),
            700_213,
        ),
    ] {
        let token = emulator.service_account_token(audience, subject).unwrap();
        let answer = present(&emulator, World::CLIENT_ID, &token).await;
        assert_eq!(answer.json()["error_codes"], json!([number]));
    }
    let token = emulator.service_account_token(AUDIENCE, None).unwrap();
    emulator.advance(Duration::from_secs(2 * 60 * 60));
    let answer = present(&emulator, World::CLIENT_ID, &token).await;
    assert_eq!(answer.json()["error_codes"], json!([700_024]));
    // One of an issuer with a key of its own is no access token.
    let url = format!(
        "{}/_emulator/service-account-token",
        emulator.http_endpoint()
    );
    let client = Client::of(&emulator);
    let body = json!({ "subject": "x", "audience": "y" }).to_string();
    let token = send(client.request(Method::POST, &url).body(body))
        .await
        .text;
    assert_eq!(claims(&token)["sub"], "x");
    assert_eq!(claims(&token)["aud"], "y");
}

#[tokio::test]
async fn sources_refuse_who_has_no_right_to_ask() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let right = format!(
        "{}?api-version=7.1&serviceConnectionId={}",
        emulator.pipelines_oidc_uri(),
        World::SERVICE_CONNECTION_ID
    );
    let token = emulator.pipelines_access_token();
    let post = |url: &str| client.request(Method::POST, url);
    let suppress = ("x-tfs-fedauthredirect", "Suppress");
    let no_redirect = post(&right).header(suppress.0, suppress.1);
    assert_eq!(send(no_redirect.bearer_auth("guess")).await.status, 401);
    let requests = [
        (post(&right.replace("7.1", "")).bearer_auth(token), 400),
        (
            post(emulator.pipelines_oidc_uri().as_str()).bearer_auth(token),
            400,
        ),
        (post(&right.replace("8c25", "0000")).bearer_auth(token), 404),
        (client.request(Method::GET, &right).bearer_auth(token), 405),
        (
            client.request(Method::GET, &emulator.github_oidc_url()),
            401,
        ),
        (
            client
                .request(Method::GET, &emulator.github_oidc_url())
                .bearer_auth(token),
            401,
        ),
    ];
    for (request, status) in requests {
        assert_eq!(send(request).await.status, status);
    }
    let wire = crate::wire::ask(
        &emulator,
        azidentity_emulator::Server::ManagedIdentity,
        "POST /pipelines/oidctoken HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(
        (wire.status(), wire.header("location").is_some()),
        (302, true)
    );
    let gcp = format!(
        "{}/computeMetadata/v1/instance/service-accounts/default/identity",
        emulator.http_endpoint()
    );
    assert_eq!(client.get(&format!("{gcp}?audience=x")).await.status, 403);
    let without = client.request(Method::GET, &gcp);
    let answer = send(without.header("metadata-flavor", "Google")).await;
    assert_eq!(answer.status, 400);
    let shown = format!("{:?}", emulator.requests());
    for secret in [token, emulator.github_request_token()] {
        assert!(!shown.contains(secret));
    }
}
