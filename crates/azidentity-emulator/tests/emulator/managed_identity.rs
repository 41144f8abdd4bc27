//! The managed identity endpoints.

use azidentity_emulator::Emulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{
    Answer, Client, OTHER_TENANT, SYSTEM, TENANT, USER_ASSIGNED, WORLD, send, start,
};

const SYSTEM_OBJECT: &str = "66666666-aaaa-4000-8000-000000000001";
const USER_OBJECT: &str = "66666666-aaaa-4000-8000-000000000002";
const VAULT: &str = "https://vault.azure.net";

async fn imds(emulator: &Emulator, query: &str, headers: &[(&str, &str)]) -> Answer {
    let url = format!(
        "{}/metadata/identity/oauth2/token?{query}",
        emulator.imds_host()
    );
    let request = Client::of(emulator).request(Method::GET, &url);
    send(headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    }))
    .await
}

async fn app_service(emulator: &Emulator, query: &str, header: Option<&str>) -> Answer {
    let url = format!("{}?{query}", emulator.app_service_endpoint());
    let request = Client::of(emulator).request(Method::GET, &url);
    send(match header {
        Some(value) => request.header("X-IDENTITY-HEADER", value),
        None => request,
    })
    .await
}

/// Fields that hold numbers as text.
fn numbers<const N: usize>(body: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| {
        body[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {body}"))
            .parse()
            .unwrap()
    })
}

#[tokio::test]
async fn imds_answers_for_the_machine() {
    let emulator = start(WORLD);
    let query = format!("api-version=2018-02-01&resource={VAULT}/");
    let answer = imds(&emulator, &query, &[("Metadata", "true")]).await;
    let body = answer.json();
    assert_eq!(body["resource"], format!("{VAULT}/"));
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["client_id"], SYSTEM);
    let [remaining, expires_on, not_before, _] = numbers(
        &body,
        ["expires_in", "expires_on", "not_before", "ext_expires_in"],
    );
    assert_eq!(remaining, 24 * 60 * 60 - 1);
    let claims = Client::of(&emulator).verified(&answer.token()).await;
    for (name, expected) in [
        ("aud", json!(format!("{VAULT}/"))),
        ("iss", json!(format!("https://sts.windows.net/{TENANT}/"))),
        ("appid", json!(SYSTEM)),
        ("appidacr", json!("2")),
        ("oid", json!(SYSTEM_OBJECT)),
        ("idtyp", json!("app")),
        ("xms_mirid", json!("/subscriptions/s/vm")),
        ("exp", json!(expires_on)),
        ("nbf", json!(not_before)),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
}

#[tokio::test]
async fn each_selector_leads_to_the_same_identity() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let object = format!("object_id={USER_OBJECT}");
    let id = format!("client_id={}", USER_ASSIGNED.to_uppercase());
    let principal = format!("principal_id={USER_OBJECT}");
    let mut tokens = Vec::new();
    for selector in [
        &id,
        &object,
        "msi_res_id=/SUBSCRIPTIONS/s/identity",
        "mi_res_id=/subscriptions/s/Identity",
    ] {
        let query = format!("api-version=2019-08-01&resource={VAULT}&{selector}");
        tokens.push(
            imds(&emulator, &query, &[("metadata", "True")])
                .await
                .token(),
        );
    }
    for selector in [
        &id,
        &object,
        &principal,
        "mi_res_id=/subscriptions/s/Identity",
    ] {
        let query = format!("api-version=2019-08-01&resource={VAULT}&{selector}");
        tokens.push(
            app_service(&emulator, &query, Some(emulator.identity_header()))
                .await
                .token(),
        );
    }
    for token in tokens {
        let claims = client.verified(&token).await;
        assert_eq!(claims["oid"], USER_OBJECT);
        assert_eq!(claims["tid"], OTHER_TENANT);
    }
}

#[tokio::test]
async fn imds_refuses_as_the_real_one() {
    let emulator = start(WORLD);
    let both = format!("client_id={USER_ASSIGNED}&object_id={USER_OBJECT}");
    let unknown = format!("client_id={TENANT}");
    let required = [("Metadata", "true")];
    let version = "api-version=2018-02-01";
    for (query, headers, error) in [
        (
            format!("{version}&resource={VAULT}"),
            &[][..],
            "bad_request_102",
        ),
        (
            format!("{version}&resource={VAULT}"),
            &[("Metadata", "yes")],
            "bad_request_102",
        ),
        (
            format!("{version}&resource={VAULT}"),
            &[("Metadata", "true"), ("X-Forwarded-For", "192.0.2.1")],
            "invalid_request",
        ),
        (format!("resource={VAULT}"), &required, "invalid_request"),
        (
            format!("api-version=2000-01-01&resource={VAULT}"),
            &required,
            "invalid_request",
        ),
        (version.to_owned(), &required, "invalid_request"),
        (format!("{version}&resource="), &required, "invalid_request"),
        (
            format!("{version}&resource={VAULT}&{both}"),
            &required,
            "invalid_request",
        ),
        (
            format!("{version}&resource={VAULT}&{unknown}"),
            &required,
            "invalid_request",
        ),
        (
            format!("{version}&resource=https://x.example"),
            &required,
            "invalid_resource",
        ),
    ] {
        let answer = imds(&emulator, &query, headers).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert_eq!(answer.json()["error"], error, "{query}: {}", answer.text);
        assert!(answer.json()["error_description"].is_string());
    }
    let answer = imds(
        &emulator,
        &format!("{version}&resource={VAULT}&{unknown}"),
        &required,
    )
    .await;
    assert_eq!(answer.json()["error_description"], "Identity not found");
}

#[tokio::test]
async fn a_machine_without_its_own_identity_has_the_only_one() {
    let identity = |number: u32| {
        format!(
            "[[managed_identity]]\nkind = \"user-assigned\"\nresource_id = \"/r/{number}\"\n\
             client_id = \"44444444-aaaa-4000-8000-00000000000{number}\"\n"
        )
    };
    let tenant = format!("[[tenant]]\nid = \"{TENANT}\"\n");
    for (identities, status) in [(0, 400), (1, 200), (2, 400)] {
        let world = (0..identities).fold(tenant.clone(), |world, number| world + &identity(number));
        let emulator = start(&world);
        let query = format!("api-version=2018-02-01&resource={VAULT}");
        let answer = imds(&emulator, &query, &[("Metadata", "true")]).await;
        assert_eq!(answer.status, status, "{identities}: {}", answer.text);
        // App Service has no such rule.
        let query = format!("api-version=2019-08-01&resource={VAULT}");
        let answer = app_service(&emulator, &query, Some(emulator.identity_header())).await;
        assert_eq!(answer.status, 400, "{identities}: {}", answer.text);
    }
}

#[tokio::test]
async fn app_service_answers_in_its_own_shape() {
    let emulator = start(WORLD);
    let query = "api-version=2019-08-01&resource=api%3A%2F%2Forders";
    let answer = app_service(&emulator, query, Some(emulator.identity_header())).await;
    let body = answer.json();
    assert_eq!(body["resource"], "api://orders");
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["client_id"], SYSTEM);
    assert!(body.get("expires_in").is_none());
    let claims = Client::of(&emulator).verified(&answer.token()).await;
    assert_eq!(json!(numbers(&body, ["expires_on"])[0]), claims["exp"]);
    assert_eq!(claims["roles"], json!(["Orders.Write"]));
}

#[tokio::test]
async fn app_service_refuses_in_its_own_shape() {
    let emulator = start(WORLD);
    let good = format!("api-version=2019-08-01&resource={VAULT}");
    let right = Some(emulator.identity_header());
    for (query, header, status) in [
        (good.clone(), None, 401),
        (good.clone(), Some("guess"), 401),
        (good.clone(), Some(""), 401),
        (format!("resource={VAULT}"), right, 400),
        (
            format!("api-version=2017-09-01&resource={VAULT}"),
            right,
            400,
        ),
        ("api-version=2019-08-01".to_owned(), right, 400),
        (
            format!("{good}&client_id={USER_ASSIGNED}&mi_res_id=/x"),
            right,
            400,
        ),
        (format!("{good}&client_id={TENANT}"), right, 400),
        (
            "api-version=2019-08-01&resource=https://x.example".to_owned(),
            right,
            400,
        ),
    ] {
        let answer = app_service(&emulator, &query, header).await;
        let body = answer.json();
        assert_eq!(answer.status, status, "{query}: {body}");
        assert_eq!(body["statusCode"], status, "{query}: {body}");
        assert!(
            body["message"].is_string() && body["correlationId"].is_string(),
            "{body}"
        );
        assert!(!answer.text.contains(emulator.identity_header()));
    }
}

#[tokio::test]
async fn slashes_make_no_difference() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for path in [
        "/metadata/identity/oauth2/token/",
        "//metadata/identity/oauth2/token",
    ] {
        let url = format!(
            "{}{path}?api-version=2018-02-01&resource={VAULT}",
            emulator.imds_host()
        );
        let request = client.request(Method::GET, &url).header("Metadata", "true");
        assert_eq!(send(request).await.status, 200, "{path}");
    }
    let url = format!("{}/metadata/instance", emulator.imds_host());
    assert_eq!(client.get(&url).await.status, 404);
}

#[tokio::test]
async fn the_machine_says_where_it_stands() {
    let emulator = start("region = \"eastus2\"");
    let client = Client::of(&emulator);
    let url = format!("{}/metadata/instance/compute", emulator.http_endpoint());
    let versioned = format!("{url}?api-version=2021-02-01");
    let ask = |url: &str| client.request(Method::GET, url).header("metadata", "true");
    let answer = send(ask(&versioned)).await;
    assert_eq!(answer.json()["location"], "eastus2");
    assert_eq!(send(ask(&url)).await.status, 400);
    assert_eq!(client.get(&versioned).await.status, 400);
}
