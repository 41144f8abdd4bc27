//! The emulator's clock, and what goes by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use azidentity_emulator::{Config, Emulator, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{
    Client, DAEMON, EXPIRED_SECRET, SECOND_SECRET, SECRET, TENANT, WORLD, built_in, send, start,
};

const VAULT: &str = "https://vault.azure.net/.default";

/// 2026-11-30 20:48:31Z.
const MOMENT: u64 = 1_796_071_711;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

async fn token_with(client: &Client, secret: &str) -> crate::client::Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", DAEMON),
        ("client_secret", secret),
        ("scope", VAULT),
    ];
    client.token(TENANT, &form).await
}

/// `iat`, `nbf` and `exp`.
fn times(claims: &Value) -> [u64; 3] {
    ["iat", "nbf", "exp"].map(|name| claims[name].as_u64().unwrap())
}

#[tokio::test]
async fn tokens_are_dated_by_it() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    emulator.set_time(at(MOMENT));
    let first = token_with(&client, SECRET).await.token();
    emulator.advance(Duration::from_secs(5000));
    let second = token_with(&client, SECRET).await.token();
    // Read afterwards: what was issued keeps its times.
    for (token, now) in [(first, MOMENT), (second, MOMENT + 5000)] {
        let claims = client.verified(&token).await;
        assert_eq!(times(&claims), [now - 300, now - 300, now + 3600]);
    }
}

#[tokio::test]
async fn managed_identities_go_by_it_too() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    emulator.set_time(at(MOMENT));
    let day = 24 * 60 * 60;
    for (url, version, header, value) in [
        (
            format!("{}/metadata/identity/oauth2/token", emulator.imds_host()),
            "2018-02-01",
            "Metadata",
            "true",
        ),
        (
            emulator.app_service_endpoint(),
            "2019-08-01",
            "X-IDENTITY-HEADER",
            emulator.identity_header(),
        ),
    ] {
        let url = format!("{url}?api-version={version}&resource=https://vault.azure.net");
        let answer = send(client.request(Method::GET, &url).header(header, value)).await;
        assert_eq!(answer.json()["expires_on"], (MOMENT + day).to_string());
        let claims = client.verified(&answer.token()).await;
        assert_eq!(times(&claims), [MOMENT - 300, MOMENT - 300, MOMENT + day]);
    }
}

#[tokio::test]
async fn secrets_expire_by_it() {
    // One secret expires in 2020, another in 2999, the third never.
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    for (seconds, early, late) in [
        (1_577_836_799, 200, 200),
        (1_577_836_800, 401, 200),
        (32_500_000_000, 401, 401),
    ] {
        emulator.set_time(at(seconds));
        for (secret, status) in [
            (SECRET, 200),
            (EXPIRED_SECRET, early),
            (SECOND_SECRET, late),
        ] {
            let answer = token_with(&client, secret).await;
            assert_eq!(answer.status, status, "{seconds}: {}", answer.text);
            if status == 401 {
                assert_eq!(answer.json()["error_codes"], json!([7_000_222]));
            }
        }
    }
}

#[tokio::test]
async fn errors_tell_it() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    emulator.set_time(at(MOMENT));
    let error = token_with(&client, "guess").await.json();
    assert_eq!(error["timestamp"], "2026-11-30 20:48:31Z");
    let description = error["error_description"].as_str().unwrap();
    assert!(description.ends_with(" Timestamp: 2026-11-30 20:48:31Z"));
    emulator.script(azidentity_emulator::Fault::token().aadsts(50000));
    emulator.advance(Duration::from_secs(1));
    let error = token_with(&client, SECRET).await.json();
    assert_eq!(error["timestamp"], "2026-11-30 20:48:32Z");
}

#[test]
fn it_stands_or_runs_as_it_is_told() {
    let emulator = built_in();
    let hour = Duration::from_secs(3600);
    let runs_ahead_by = |ahead: Duration| {
        let before = SystemTime::now() + ahead;
        let shown = emulator.time();
        before <= shown && shown <= SystemTime::now() + ahead
    };
    assert!(runs_ahead_by(Duration::ZERO));
    emulator.advance(hour);
    emulator.advance(hour);
    assert!(runs_ahead_by(2 * hour));
    emulator.set_time(at(MOMENT));
    assert_eq!(emulator.time(), at(MOMENT));
    emulator.advance(hour);
    assert_eq!(emulator.time(), at(MOMENT) + hour);
    emulator.use_system_time();
    assert!(runs_ahead_by(Duration::ZERO));
}

#[tokio::test]
async fn no_time_is_too_strange() {
    let emulator = start(WORLD);
    let client = Client::of(&emulator);
    emulator.set_time(at(u64::from(u32::MAX) * 1000));
    emulator.advance(Duration::MAX);
    for (time, timestamp) in [
        (emulator.time(), "9999-12-31 23:59:59Z"),
        (UNIX_EPOCH - Duration::from_secs(9), "1970-01-01 00:00:00Z"),
    ] {
        emulator.set_time(time);
        assert_eq!(token_with(&client, SECRET).await.status, 200);
        let error = token_with(&client, "guess").await.json();
        assert_eq!(error["timestamp"], timestamp);
    }
}

#[test]
fn it_can_start_at_another_time_and_run() {
    let emulator = start("start_time = 2026-11-30T21:48:31+01:00");
    let (first, second) = (emulator.time(), emulator.time());
    assert!(at(MOMENT) <= first && first <= second);
    let mut config = Config::default();
    config.start_time = Some(at(MOMENT));
    assert!(Emulator::start(config).unwrap().time() >= at(MOMENT));
    let error = Config::from_toml("\nstart_time = 2026-11-30").unwrap_err();
    assert_eq!(error.line(), Some(2));
    assert!(error.message().contains("`2026-11-30`"), "{error}");
}

#[test]
fn its_world_goes_by_it_and_copies_of_the_world_do_not() {
    let world = |emulator: &Emulator| emulator.world().clone();
    let text = "[[application]]\nclient_id = \"22222222-aaaa-4000-8000-000000000009\"\n\
                secret = [{ value = \"s\", expires = 2999-01-01T00:00:00Z }]";
    let emulator = start(text);
    let secret = |emulator: &Emulator| {
        let world = world(emulator);
        let found = world.client_secret("22222222-aaaa-4000-8000-000000000009");
        found.map(str::to_owned)
    };
    assert_eq!(secret(&emulator).as_deref(), Some("s"));
    emulator.set_time(at(40_000_000_000));
    assert_eq!(secret(&emulator), None);
    let mut config = Config::default();
    config.world = world(&emulator);
    let other = Emulator::start(config).unwrap();
    assert_eq!(secret(&other).as_deref(), Some("s"));
    assert!(World::default().client_secret(World::CLIENT_ID).is_some());
}
