//! What the token endpoint refuses, and how.

use azidentity_emulator::Emulator;
use reqwest::Method;

use crate::client::{
    Client, DAEMON, EXPIRED_SECRET, OTHER_TENANT, PUBLIC, SECOND_SECRET, SECRET, TENANT, WORLD,
    send, start,
};

const VAULT: &str = "https://vault.azure.net/.default";

/// A request that would be answered with a token.
fn good() -> Vec<(&'static str, &'static str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("client_id", DAEMON),
        ("client_secret", SECRET),
        ("scope", VAULT),
    ]
}

/// The good request with these parameters replaced; `""` stands for left out.
fn but(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut form = good();
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    form
}

struct Case {
    name: &'static str,
    tenant: &'static str,
    changes: &'static [(&'static str, &'static str)],
    status: u16,
    error: &'static str,
    number: u32,
}

const fn case(
    name: &'static str,
    changes: &'static [(&'static str, &'static str)],
    status: u16,
    error: &'static str,
    number: u32,
) -> Case {
    Case {
        name,
        tenant: TENANT,
        changes,
        status,
        error,
        number,
    }
}

const REFUSALS: &[Case] = &[
    case(
        "no grant type",
        &[("grant_type", "")],
        400,
        "invalid_request",
        900_144,
    ),
    case(
        "unknown grant",
        &[("grant_type", "magic")],
        400,
        "unsupported_grant_type",
        70003,
    ),
    case(
        "no client id",
        &[("client_id", "")],
        400,
        "invalid_request",
        900_144,
    ),
    case(
        "unknown client",
        &[("client_id", OTHER_TENANT)],
        400,
        "unauthorized_client",
        700_016,
    ),
    case(
        "client id is no GUID",
        &[("client_id", "me")],
        400,
        "unauthorized_client",
        700_016,
    ),
    case(
        "no secret",
        &[("client_secret", "")],
        401,
        "invalid_client",
        7_000_216,
    ),
    case(
        "wrong secret",
        &[("client_secret", "guess")],
        401,
        "invalid_client",
        7_000_215,
    ),
    case(
        "expired secret",
        &[("client_secret", EXPIRED_SECRET)],
        401,
        "invalid_client",
        7_000_222,
    ),
    case(
        "public with secret",
        &[("client_id", PUBLIC)],
        401,
        "invalid_client",
        700_025,
    ),
    case(
        "public without secret",
        &[("client_id", PUBLIC), ("client_secret", "")],
        401,
        "invalid_client",
        7_000_216,
    ),
    case(
        "no scope",
        &[("scope", "")],
        400,
        "invalid_request",
        900_144,
    ),
    case(
        "a permission",
        &[("scope", "https://vault.azure.net/read")],
        400,
        "invalid_scope",
        1_002_012,
    ),
    case(
        "only the suffix",
        &[("scope", "/.default")],
        400,
        "invalid_scope",
        70011,
    ),
    case(
        "only spaces",
        &[("scope", "  ")],
        400,
        "invalid_scope",
        70011,
    ),
    case(
        "two resources",
        &[(
            "scope",
            "https://vault.azure.net/.default https://graph.microsoft.com/.default",
        )],
        400,
        "invalid_scope",
        70011,
    ),
    case(
        "openid too",
        &[("scope", "openid https://vault.azure.net/.default")],
        400,
        "invalid_scope",
        70011,
    ),
    case(
        "a quoted scope",
        &[("scope", "\"https://vault.azure.net/.default\"")],
        400,
        "invalid_scope",
        70011,
    ),
    case(
        "a line in it",
        &[("scope", "https://v\r\nault/.default")],
        400,
        "invalid_scope",
        70011,
    ),
    case(
        "unknown resource",
        &[("scope", "https://x.example/.default")],
        400,
        "invalid_resource",
        500_011,
    ),
    case(
        "claims cut off",
        &[("claims", "{\"access_token\"")],
        400,
        "invalid_request",
        9_002_313,
    ),
    case(
        "claims no object",
        &[("claims", "[]")],
        400,
        "invalid_request",
        9_002_313,
    ),
    Case {
        tenant: "22222222-0000-4000-8000-000000000000",
        ..case("unknown GUID", &[], 400, "invalid_request", 90002)
    },
    Case {
        tenant: "nowhere.example",
        ..case("unknown domain", &[], 400, "invalid_request", 90002)
    },
    Case {
        tenant: "undefined",
        ..case("no tenant at all", &[], 400, "invalid_request", 900_023)
    },
    Case {
        tenant: "common",
        ..case("common", &[], 400, "invalid_request", 50059)
    },
    Case {
        tenant: "Organizations",
        ..case("organizations", &[], 400, "invalid_request", 50059)
    },
    Case {
        tenant: OTHER_TENANT,
        ..case("not installed", &[], 400, "unauthorized_client", 700_016)
    },
];

#[tokio::test]
async fn refusals_are_those_of_entra() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for case in REFUSALS {
        let answer = client.token(case.tenant, &but(case.changes)).await;
        let (name, body) = (case.name, answer.json());
        assert_eq!(answer.status, case.status, "{name}: {body}");
        assert_eq!(body["error"], case.error, "{name}: {body}");
        assert_eq!(
            body["error_codes"],
            serde_json::json!([case.number]),
            "{name}: {body}"
        );
        let description = body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{}: ", case.number)),
            "{name}: {description}"
        );
        assert!(
            !answer.text.contains('\\'),
            "{name} has escapes: {}",
            answer.text
        );
        assert!(body.get("access_token").is_none(), "{name}");
        for secret in [SECRET, EXPIRED_SECRET, SECOND_SECRET] {
            assert!(!answer.text.contains(secret), "{name}: {}", answer.text);
        }
    }
    assert_eq!(emulator.token_request_count(), REFUSALS.len());
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for parameter in ["grant_type", "client_id", "scope"] {
        let answer = client.token(TENANT, &but(&[(parameter, "")])).await;
        assert!(
            answer.text.contains(&format!("'{parameter}'")),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn an_error_says_everything_that_entra_says() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let id = "0f9b3c1e-8a57-4d26-b3f0-1e6c9a7d5b42";
    let request = client
        .request(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token"))
        .header("client-request-id", id)
        .header("return-client-request-id", "true")
        .form(&but(&[("client_secret", "guess")]));
    let answer = send(request).await;
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let description = text("error_description");
    let tail = format!(
        " Trace ID: {} Correlation ID: {id} Timestamp: {}",
        text("trace_id"),
        text("timestamp")
    );
    assert!(description.ends_with(&tail), "{description}");
    assert_eq!(text("correlation_id"), id);
    assert_eq!(
        text("error_uri"),
        "https://login.microsoftonline.com/error?code=7000215"
    );
    let timestamp = text("timestamp");
    assert_eq!(
        (timestamp.len(), &timestamp[10..11], &timestamp[19..]),
        (20, " ", "Z")
    );
    let header = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!(header("cache-control"), "no-store, no-cache");
    assert_eq!(header("pragma"), "no-cache");
    assert_eq!(header("x-ms-request-id"), text("trace_id"));
    assert_eq!(header("client-request-id"), id);
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
}

#[tokio::test]
async fn the_correlation_id_is_the_clients_when_it_is_a_guid() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let id = "0f9b3c1e-8a57-4d26-b3f0-1e6c9a7d5b42";
    let url = format!("/{TENANT}/oauth2/v2.0/token");
    // MSAL for Node puts it there.
    let in_query = client.request(Method::POST, &format!("{url}?client-request-id={id}"));
    let answer = send(in_query.form(&but(&[("scope", "")]))).await;
    assert_eq!(answer.json()["correlation_id"], id);
    assert!(!answer.headers.contains_key("client-request-id"));
    let no_guid = client
        .request(Method::POST, &url)
        .header("client-request-id", "42");
    let answer = send(no_guid.form(&but(&[("scope", "")]))).await;
    assert_ne!(answer.json()["correlation_id"], "42");
}

#[tokio::test]
async fn only_a_form_in_the_body_counts() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let url = format!("/{TENANT}/oauth2/v2.0/token");
    let body = "grant_type=client_credentials&client_id=x";
    let json = client
        .request(Method::POST, &url)
        .header("content-type", "application/json");
    let query = client.request(Method::POST, &format!("{url}?{body}"));
    for request in [
        json.body(body),
        query,
        client.request(Method::POST, &url).body(body),
    ] {
        assert_eq!(send(request).await.json()["error_codes"][0], 900_144);
    }
    let basic = client
        .request(Method::POST, &url)
        .basic_auth(DAEMON, Some(SECRET));
    let answer = send(basic.form(&but(&[("client_secret", "")]))).await;
    assert_eq!(answer.json()["error_codes"][0], 7_000_216);
    let mut twice = good();
    twice.push(("scope", VAULT));
    let answer = client.token(TENANT, &twice).await;
    assert_eq!(answer.json()["error_codes"][0], 9_000_411);
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let url = format!("/{TENANT}/oauth2/v2.0/token");
    for method in [Method::GET, Method::PUT] {
        let answer = send(client.request(method, &url)).await;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.json()["error_codes"][0].as_u64()
            ),
            (400, Some(900_561))
        );
    }
    for path in ["/", "/nothing", &format!("/{TENANT}/oauth2/v2.0/tokens")] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_entra_tolerates_is_tolerated() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    let upper_tenant = TENANT.to_uppercase();
    let upper_client = DAEMON.to_uppercase();
    let succeeds = async |tenant: &str, form: &[(&str, &str)]| {
        let answer = client.token(tenant, form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    succeeds(&upper_tenant, &good()).await;
    succeeds("Shop.Example", &good()).await;
    succeeds(TENANT, &but(&[("client_secret", SECOND_SECRET)])).await;
    succeeds(
        TENANT,
        &but(&[("scope", " https://vault.azure.net/.default ")]),
    )
    .await;
    let mut form = good();
    form.retain(|(name, _)| *name != "client_id");
    form.extend([
        ("client_id", upper_client.as_str()),
        ("client_info", "1"),
        ("x-client-SKU", "any"),
    ]);
    succeeds(TENANT, &form).await;
    let slashes = client.request(Method::POST, &format!("//{TENANT}//oauth2/v2.0/token/"));
    assert_eq!(send(slashes.form(&good())).await.status, 200);
}

#[tokio::test]
async fn a_secret_in_the_wrong_place_is_not_repeated() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for parameter in ["client_id", "scope", "grant_type"] {
        let answer = client.token(TENANT, &but(&[(parameter, SECRET)])).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.text.contains(SECRET), "{}", answer.text);
    }
    let answer = client.token(SECRET, &good()).await;
    assert!(!answer.text.contains(SECRET), "{}", answer.text);
    assert!(!shown(&emulator).contains(SECRET));
}

fn shown(emulator: &Emulator) -> String {
    let requests = emulator.requests();
    format!(
        "{emulator:?} {requests:?} {}",
        serde_json::to_string(&requests).unwrap()
    )
}
