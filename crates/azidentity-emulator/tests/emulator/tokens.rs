//! What the tokens say, and that they are signed.

use std::time::{SystemTime, UNIX_EPOCH};

use azidentity_emulator::World;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::client::{Client, DAEMON, ORDERS, SECRET, TENANT, WORLD, built_in, start};

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

async fn token(client: &Client, scope: &str, claims: Option<&str>) -> String {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", DAEMON),
        ("client_secret", SECRET),
        ("scope", scope),
    ];
    form.extend(claims.map(|claims| ("claims", claims)));
    client.token(TENANT, &form).await.token()
}

#[tokio::test]
async fn azures_own_resources_get_version_1() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let before = now();
    let claims = client
        .verified(&token(&client, "https://graph.microsoft.com/.default", None).await)
        .await;
    let sts = format!("https://sts.windows.net/{TENANT}/");
    for (name, expected) in [
        ("aud", json!("https://graph.microsoft.com")),
        ("iss", json!(sts)),
        ("idp", json!(sts)),
        ("appid", json!(DAEMON)),
        ("appidacr", json!("1")),
        ("idtyp", json!("app")),
        ("oid", json!("55555555-aaaa-4000-8000-000000000001")),
        ("sub", json!("55555555-aaaa-4000-8000-000000000001")),
        ("tid", json!(TENANT)),
        ("ver", json!("1.0")),
        ("roles", json!(["Mail.Read"])),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    let (issued, expires) = (
        claims["iat"].as_u64().unwrap(),
        claims["exp"].as_u64().unwrap(),
    );
    assert_eq!(claims["nbf"], claims["iat"]);
    assert!(
        issued <= before && expires >= before + 3599 && expires <= now() + 3601,
        "{claims}"
    );
    for name in ["xms_cc", "xms_mirid", "azp"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn a_resource_can_want_version_2() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for resource in ["api://orders", "api://orders/", ORDERS] {
        let claims = client
            .verified(&token(&client, &format!("{resource}/.default"), None).await)
            .await;
        let metadata = client
            .get(&format!("/{TENANT}/v2.0/.well-known/openid-configuration"))
            .await;
        for (name, expected) in [
            ("aud", json!(ORDERS)),
            ("iss", metadata.json()["issuer"].clone()),
            ("azp", json!(DAEMON)),
            ("azpacr", json!("1")),
            ("ver", json!("2.0")),
            ("roles", json!(["Orders.Write"])),
        ] {
            assert_eq!(claims[name], expected, "{name}");
        }
        assert!(claims.get("appid").is_none());
    }
}

#[tokio::test]
async fn the_audience_keeps_the_slash_that_was_asked_for() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for resource in [
        "https://management.core.windows.net/",
        "https://management.core.windows.net",
    ] {
        let claims = client
            .verified(&token(&client, &format!("{resource}/.default"), None).await)
            .await;
        assert_eq!(claims["aud"], resource);
    }
}

#[tokio::test]
async fn only_who_asks_is_said_to_handle_claims_challenges() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let scope = "https://vault.azure.net/.default";
    for (asked, expected) in [
        (
            r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#,
            json!(["cp1"]),
        ),
        (
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}},"id_token":{}}"#,
            json!(["cp1"]),
        ),
        (
            r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#,
            json!(null),
        ),
    ] {
        let claims = client
            .verified(&token(&client, scope, Some(asked)).await)
            .await;
        assert_eq!(claims["xms_cc"], expected, "{asked}");
    }
}

#[tokio::test]
async fn the_answer_has_the_fields_and_types_that_clients_read() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let answer = client
        .built_in_token(emulator.world(), "https://any.example/.default")
        .await;
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], json!(3599));
    assert_eq!(body["ext_expires_in"], json!(3599));
    let claims = client.verified(&answer.token()).await;
    assert_eq!(claims["aud"], "https://any.example");
    assert_eq!(
        claims["iss"],
        format!("https://sts.windows.net/{}/", World::TENANT_ID)
    );
    assert!(claims.get("roles").is_none());
}

#[tokio::test]
async fn each_tenant_has_a_principal_of_its_own() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let application = emulator.world().application(World::CLIENT_ID).unwrap();
    for tenant in emulator.world().tenants() {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", World::CLIENT_ID),
            ("client_secret", application.secrets()[0].value()),
            ("scope", "https://vault.azure.net/.default"),
        ];
        let claims = client
            .verified(&client.token(tenant.id(), &form).await.token())
            .await;
        let principal = application.service_principal(tenant.id()).unwrap();
        assert_eq!(claims["tid"], tenant.id());
        assert_eq!(claims["oid"], principal.object_id());
    }
}

#[tokio::test]
async fn no_two_tokens_are_the_same() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let scope = "https://vault.azure.net/.default";
    let one = client.built_in_token(emulator.world(), scope).await.token();
    let two = client.built_in_token(emulator.world(), scope).await.token();
    assert_ne!(one, two);
}

#[tokio::test]
async fn keys_are_published_as_entra_does() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let keys = client.get("/common/discovery/keys").await.json();
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kty"], &key["use"], &key["e"]),
        (&json!("RSA"), &json!("sig"), &json!("AQAB"))
    );
    assert_eq!(key["kid"], key["x5t"]);
    let certificate = STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
    let thumbprint = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    assert_eq!(key["x5t"], URL_SAFE_NO_PAD.encode(thumbprint));
    let by_guid = format!("/{}/discovery/v2.0/keys", World::TENANT_ID);
    assert_eq!(client.get(&by_guid).await.json(), keys);
    assert_eq!(
        client
            .get("/nowhere.example/discovery/v2.0/keys")
            .await
            .status,
        400
    );
}
