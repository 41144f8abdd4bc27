//! Which requests faults are meant for, how often, and in which order.

use std::time::Duration;

use azidentity_emulator::{Config, Emulator, Fault, RecordedRequest, Script, World};
use reqwest::Method;

use crate::client::{Client, built_in, send, start};

const VAULT: &str = "https://vault.azure.net/.default";

/// A status that nothing but these scripts answers with.
const HIT: u16 = 418;

type Fields = &'static [(&'static str, &'static str)];

/// Requests to every endpoint: name, method, path, form. At the HTTP port if
/// the path begins with `http`.
const REQUESTS: &[(&str, &str, &str, Fields)] = &[
    (
        "secret",
        "POST",
        "/any.example/oauth2/v2.0/token",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "7D3B9F60-1C52-4E8B-B1A4-90C6F2E57A31"),
            ("scope", VAULT),
        ],
    ),
    (
        "password",
        "POST",
        "//any.example/oauth2/v2.0/token/",
        &[
            ("grant_type", "password"),
            ("client_id", "other"),
            ("scope", "openid https://graph.microsoft.com/User.Read"),
        ],
    ),
    ("look", "GET", "/any.example/oauth2/v2.0/token", &[]),
    ("v1", "GET", "/common/.well-known/openid-configuration", &[]),
    (
        "v2",
        "GET",
        "/common/v2.0/.well-known/openid-configuration",
        &[],
    ),
    ("keys", "GET", "/common/discovery/keys", &[]),
    ("keys2", "GET", "/any.example/discovery/v2.0/keys", &[]),
    (
        "instance",
        "GET",
        "/common/discovery/instance?api-version=1.1",
        &[],
    ),
    (
        "imds",
        "GET",
        "http/metadata/identity/oauth2/token/?resource=https://VAULT.azure.net&client_id=mi",
        &[],
    ),
    (
        "app",
        "GET",
        "http/msi/token?resource=https://vault.azure.net",
        &[],
    ),
    // At the wrong port, and nowhere.
    ("not imds", "GET", "/metadata/identity/oauth2/token", &[]),
    ("not keys", "GET", "http/common/discovery/keys", &[]),
    ("nowhere", "GET", "/", &[]),
];

/// The conditions of a fault, and the requests it is meant for.
const CONDITIONS: &[(&str, &[&str])] = &[
    (r#"endpoint = "token""#, &["secret", "password", "look"]),
    (r#"endpoint = "openid-configuration""#, &["v1", "v2"]),
    (r#"endpoint = "jwks""#, &["keys", "keys2"]),
    (r#"endpoint = "instance-discovery""#, &["instance"]),
    (r#"endpoint = "imds""#, &["imds"]),
    (r#"endpoint = "app-service""#, &["app"]),
    (r#"path = "/*/oauth2/**""#, &["secret", "password", "look"]),
    (
        r#"path = "/common/discovery/*""#,
        &["keys", "instance", "not keys"],
    ),
    (
        r#"path = "**/token""#,
        &["secret", "password", "look", "imds", "app", "not imds"],
    ),
    (r#"path = "/""#, &["nowhere"]),
    (r#"method = "post""#, &["secret", "password"]),
    ("endpoint = \"token\"\nmethod = \"GET\"", &["look"]),
    (r#"grant_type = "client_credentials""#, &["secret"]),
    (r#"grant_type = "client""#, &[]),
    (
        r#"client_id = "7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31""#,
        &["secret"],
    ),
    (r#"client_id = "mi""#, &["imds"]),
    (
        r#"resource = "https://vault.azure.net""#,
        &["secret", "imds", "app"],
    ),
    (r#"resource = "User.Read""#, &["password"]),
    (
        "resource = \"vault\"\nmethod = \"GET\"\nclient_id = \"MI\"",
        &["imds"],
    ),
    (
        "",
        &[
            "secret", "password", "look", "v1", "v2", "keys", "keys2", "instance", "imds", "app",
            "not imds", "not keys", "nowhere",
        ],
    ),
];

async fn asks(client: &Client, emulator: &Emulator, name: &str) -> u16 {
    let (_, method, path, form) = REQUESTS.iter().find(|r| r.0 == name).unwrap();
    let url = match path.strip_prefix("http") {
        Some(path) => format!("{}{path}", emulator.http_endpoint()),
        None => (*path).to_owned(),
    };
    let request = client.request(method.parse().unwrap(), &url);
    let request = if form.is_empty() {
        request
    } else {
        request.form(form)
    };
    send(request).await.status.as_u16()
}

#[tokio::test]
async fn faults_are_committed_where_they_are_meant_to_be() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    for (conditions, meant) in CONDITIONS {
        let text = format!("[[fault]]\nalways = true\nstatus = {HIT}\n{conditions}");
        emulator.script(Script::from_toml(&text).unwrap());
        let mut hit = Vec::new();
        for (name, ..) in REQUESTS {
            if asks(&client, &emulator, name).await == HIT {
                hit.push(*name);
            }
        }
        assert_eq!(hit, *meant, "{conditions}");
    }
    let marked = emulator.requests();
    let marked = marked.iter().filter(|request| request.fault());
    let meant: usize = CONDITIONS.iter().map(|(_, meant)| meant.len()).sum();
    assert_eq!(marked.clone().count(), meant);
    assert!(marked.into_iter().all(|r| r.status() == Some(HIT)));
}

#[tokio::test]
async fn faults_count_their_requests() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    for (counts, hits) in [
        ("", "x...."),
        ("times = 3", "xxx.."),
        ("always = true", "xxxxx"),
        ("always = false", "x...."),
        ("skip = 2", "..x.."),
        ("skip = 1\ntimes = 2", ".xx.."),
        ("skip = 3\nalways = true", "...xx"),
        ("skip = 9", "....."),
    ] {
        let text = format!("[[fault]]\nendpoint = \"jwks\"\nstatus = {HIT}\n{counts}");
        emulator.script(Script::from_toml(&text).unwrap());
        let mut seen = String::new();
        for _ in 0..hits.len() {
            // These are not for the fault, and it does not count them.
            assert_ne!(asks(&client, &emulator, "v2").await, HIT);
            let hit = asks(&client, &emulator, "keys").await == HIT;
            seen.push(if hit { 'x' } else { '.' });
        }
        assert_eq!(seen, hits, "{counts}");
    }
}

#[tokio::test]
async fn a_script_is_followed_in_order() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let statuses = async |count: usize| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(asks(&client, &emulator, "keys").await);
        }
        statuses
    };
    let status = |status| Fault::jwks().status(status);
    emulator.script([status(500).times(2), status(501), status(502).always()]);
    assert_eq!(statuses(5).await, [500, 500, 501, 502, 502]);
    // What one lets pass or has no use for is for the next.
    emulator.script([status(500).skip(1), status(501).times(2)]);
    assert_eq!(statuses(4).await, [501, 500, 501, 200]);
    emulator.script([Fault::token().status(500).always(), status(501)]);
    assert_eq!(statuses(2).await, [501, 200]);
    // A new script begins at its beginning, and nothing of the old one is left.
    emulator.script(status(500).times(5));
    assert_eq!(statuses(1).await, [500]);
    emulator.script(status(501));
    assert_eq!(statuses(2).await, [501, 200]);
    emulator.script(status(500).always());
    emulator.clear_script();
    assert_eq!(statuses(1).await, [200]);
}

#[tokio::test]
async fn a_fault_changes_nothing_but_the_answer() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let slow = Fault::token().delay(Duration::from_millis(1));
    emulator.script([Fault::token().status(503), slow]);
    let answer = client.built_in_token(emulator.world(), VAULT).await;
    assert_eq!(answer.status, 503);
    let token = client.built_in_token(emulator.world(), VAULT).await.token();
    client.verified(&token).await;
    let requests = emulator.requests();
    let token_requests = || requests.iter().filter(|r| r.is_token_request());
    let faults: Vec<_> = token_requests().map(RecordedRequest::fault).collect();
    assert_eq!(faults, [true, true]);
    assert!(token_requests().all(|r| r.form().get("scope") == Some(VAULT)));
    assert_eq!(emulator.token_request_count(), 2);
    assert!(!requests.last().unwrap().fault());
}

#[tokio::test]
async fn a_configuration_can_bring_a_script() {
    let text = format!("[[fault]]\nendpoint = \"jwks\"\nstatus = {HIT}");
    let emulator = start(&text);
    let client = Client::of(&emulator);
    assert_eq!(asks(&client, &emulator, "keys").await, HIT);
    assert_eq!(asks(&client, &emulator, "keys").await, 200);
    let mut config = Config::default();
    config.script = [Fault::imds().status(HIT)].into_iter().collect();
    let emulator = Emulator::start(config).unwrap();
    let url = format!("{}/metadata/identity/oauth2/token", emulator.imds_host());
    let request = Client::of(&emulator).request(Method::GET, &url);
    assert_eq!(send(request).await.status, HIT);
    assert!(emulator.world().application(World::CLIENT_ID).is_some());
}
