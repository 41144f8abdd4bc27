//! What an emulator tells of the requests it got.

use azidentity_emulator::{Server, World};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, built_in, send};

const VAULT: &str = "https://vault.azure.net/.default";

#[tokio::test]
async fn requests_are_listed_in_order() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    client
        .get("/common/v2.0/.well-known/openid-configuration?x=y")
        .await;
    client.built_in_token(emulator.world(), VAULT).await;
    let imds = format!(
        "{}/metadata/identity/oauth2/token/?resource=r",
        emulator.imds_host()
    );
    client.get(&imds).await;
    let requests = emulator.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|r| (r.server(), r.method(), r.path(), r.status()))
        .collect();
    let token = format!("/{}/oauth2/v2.0/token", World::TENANT_ID);
    assert_eq!(
        seen,
        [
            (
                Server::Authority,
                "GET",
                "/common/v2.0/.well-known/openid-configuration",
                Some(200)
            ),
            (Server::Authority, "POST", token.as_str(), Some(200)),
            (
                Server::ManagedIdentity,
                "GET",
                "/metadata/identity/oauth2/token/",
                Some(400)
            ),
        ]
    );
    assert_eq!(emulator.request_count(), 3);
    assert_eq!(emulator.token_request_count(), 2);
    let form = requests[1].form();
    assert_eq!(form.get("scope"), Some(VAULT));
    assert_eq!(form.get("grant_type"), Some("client_credentials"));
    assert_eq!(form.get("client_id"), Some(World::CLIENT_ID));
    assert!(form.contains("client_secret"));
    assert_eq!(form.get("client_secret"), None);
    assert_eq!(
        form.names().collect::<Vec<_>>(),
        ["grant_type", "client_id", "client_secret", "scope"]
    );
    assert_eq!(
        requests[1].headers().get("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(!requests[2].headers().contains("metadata"));
    assert_eq!(requests[2].query().get("resource"), Some("r"));
    emulator.clear_requests();
    assert_eq!(
        (emulator.request_count(), emulator.token_request_count()),
        (0, 0)
    );
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn other_languages_have_the_list_over_http() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    client.built_in_token(emulator.world(), VAULT).await;
    let url = format!("{}/_emulator/requests", emulator.http_endpoint());
    let list = client.get(&url).await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["server"], "authority");
    assert_eq!(list[0]["method"], "POST");
    assert_eq!(list[0]["status"], json!(200));
    assert_eq!(list[0]["form"]["scope"], VAULT);
    assert_eq!(list[0]["form"]["client_secret"], json!(null));
    assert_eq!(send(client.request(Method::DELETE, &url)).await.status, 204);
    assert_eq!(client.get(&url).await.json(), json!([]));
    assert_eq!(emulator.request_count(), 0);
    let ca = client
        .get(&format!("{}/_emulator/ca.pem", emulator.http_endpoint()))
        .await;
    assert_eq!(ca.text, emulator.ca_certificate_pem());
}

#[tokio::test]
async fn nothing_secret_is_kept() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let secret = emulator.world().client_secret(World::CLIENT_ID).unwrap();
    let token = client.built_in_token(emulator.world(), VAULT).await.token();
    let signature = token.rsplit_once('.').unwrap().1;
    // In every place a client could put it, the wrong ones too.
    let path =
        format!("/{secret}/oauth2/v2.0/token?client_secret={secret}&scope={secret}&{secret}");
    let form = [
        ("client_id", secret),
        ("client_secret", secret),
        ("client_assertion", token.as_str()),
        ("assertion", token.as_str()),
        ("refresh_token", token.as_str()),
        ("scope", token.as_str()),
        ("x-client-SKU", secret),
        ("another", secret),
        (secret, "x"),
    ];
    let request = client
        .request(Method::POST, &path)
        .header("authorization", format!("Bearer {token}"))
        .header("user-agent", secret)
        .header("x-identity-header", emulator.identity_header())
        .header("client-request-id", emulator.identity_header());
    send(request.form(&form)).await;
    let requests = emulator.requests();
    let json = client
        .get(&format!("{}/_emulator/requests", emulator.http_endpoint()))
        .await
        .text;
    let shown = format!("{emulator:?} {:?} {requests:?} {json}", emulator.world());
    for hidden in [secret, signature, emulator.identity_header()] {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
    let last = requests.last().unwrap();
    assert_eq!(last.path(), "[withheld]");
    for name in [
        "client_secret",
        "client_assertion",
        "assertion",
        "refresh_token",
    ] {
        assert!(
            last.form().contains(name) && last.form().get(name).is_none(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn long_values_are_cut() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    client
        .get(&format!(
            "/common/discovery/instance?scope={}",
            "é".repeat(5000)
        ))
        .await;
    let request = &emulator.requests()[0];
    assert_eq!(
        request.query().get("scope").unwrap().chars().count(),
        2048 + 3
    );
}
