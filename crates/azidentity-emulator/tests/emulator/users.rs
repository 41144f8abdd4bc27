//! Grants of users: codes, refresh tokens, and on behalf of.

use std::time::Duration;

use azidentity_emulator::{Emulator, SignIn, World};
use serde_json::{Value, json};

use crate::client::{Answer, Client, built_in, start};
use crate::signer::{Signer, claims, encode, hs256, sha256};

const VAULT: &str = "https://vault.azure.net/.default";
const FULL: &str = "https://vault.azure.net/.default openid profile offline_access";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CLI: &str = World::AZURE_CLI_CLIENT_ID;
const WEB: &str = World::WEB_CLIENT_ID;
const API: &str = World::API_CLIENT_ID;

fn secret<'a>(emulator: &'a Emulator, id: &str) -> &'a str {
    emulator.world().client_secret(id).unwrap_or_default()
}

/// Posts these parameters; empty ones are none.
async fn token(emulator: &Emulator, tenant: &str, form: &[(&str, &str)]) -> Answer {
    Client::of(emulator).token(tenant, form).await
}

#[track_caller]
fn refused(answer: &Answer, error: &str, number: u32) -> Value {
    let body = answer.json();
    assert_eq!(body["error_codes"], json!([number]), "{body}");
    assert_eq!(body["error"], error, "{body}");
    let description = body["error_description"].as_str().unwrap();
    assert!(!description.contains(['"', '\\', '\n']), "{description}");
    body
}

async fn redeem(emulator: &Emulator, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", WEB),
        ("client_secret", secret(emulator, WEB)),
        ("code", code),
        ("redirect_uri", World::WEB_REDIRECT_URI),
        ("scope", FULL),
        ("client_info", "1"),
    ];
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes);
    token(emulator, World::TENANT_ID, &form).await
}

fn web() -> SignIn {
    SignIn::new(FULL).client_id(WEB)
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let emulator = built_in();
    let code = emulator.authorization_code(&web().nonce("n-1")).unwrap();
    let answer = redeem(&emulator, &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let access = Client::of(&emulator).verified(&answer.token()).await;
    let user = emulator.world().user(World::USERNAME).unwrap();
    for (name, expected) in [
        ("aud", json!("https://vault.azure.net")),
        ("appid", json!(WEB)),
        ("appidacr", json!("1")),
        ("scp", json!("user_impersonation")),
        ("oid", json!(user.object_id())),
        ("upn", json!(World::USERNAME)),
        ("tid", json!(World::TENANT_ID)),
        ("amr", json!(["pwd"])),
    ] {
        assert_eq!(access[name], expected, "{name}");
    }
    let id = Client::of(&emulator)
        .verified(body["id_token"].as_str().unwrap())
        .await;
    assert_eq!((&id["aud"], &id["nonce"]), (&json!(WEB), &json!("n-1")));
    assert_eq!(id["preferred_username"], World::USERNAME);
    let scope = body["scope"].as_str().unwrap();
    assert!(scope.split(' ').any(|part| part == VAULT), "{scope}");
    let info = claims(&format!(".{}", body["client_info"].as_str().unwrap()));
    assert_eq!(
        info,
        json!({ "uid": user.object_id(), "utid": World::TENANT_ID })
    );
    assert!(body["refresh_token"].is_string());
    refused(&redeem(&emulator, &code, &[]).await, "invalid_grant", 54005);
    let shown = format!("{emulator:?} {:?}", emulator.requests());
    assert!(!shown.contains(&code));
}

#[tokio::test]
async fn a_code_is_bound_to_everything_it_was_asked_with() {
    let emulator = built_in();
    let challenge = encode(sha256(VERIFIER.as_bytes()));
    let code = emulator
        .authorization_code(&web().code_challenge(&challenge))
        .unwrap();
    let right = ("code_verifier", VERIFIER);
    let wrong = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (changes, error, number) in [
        (&[("code", "guess"), right][..], "invalid_grant", 70000),
        (&[("code_verifier", "")], "invalid_request", 900_144),
        (&[("code_verifier", wrong)], "invalid_grant", 501_481),
        (
            &[right, ("redirect_uri", "http://localhost/other")],
            "invalid_grant",
            70000,
        ),
        (&[right, ("redirect_uri", "")], "invalid_request", 900_144),
        (&[right, ("client_secret", "")], "invalid_client", 7_000_218),
        (
            &[right, ("client_secret", "guess")],
            "invalid_client",
            7_000_215,
        ),
        (
            &[right, ("client_id", CLI), ("client_secret", "")],
            "invalid_grant",
            70000,
        ),
        (
            &[right, ("client_id", "nobody")],
            "unauthorized_client",
            700_016,
        ),
        (
            &[right, ("scope", "https://a.example/x https://b.example/x")],
            "invalid_scope",
            28000,
        ),
        (
            &[right, ("scope", "api://contoso-orders/Nothing")],
            "invalid_client",
            650_053,
        ),
        (&[right, ("claims", "[")], "invalid_request", 9_002_313),
    ] {
        refused(&redeem(&emulator, &code, changes).await, error, number);
    }
    // None of these mistakes has spent it.
    assert_eq!(redeem(&emulator, &code, &[right]).await.status, 200);
    let plain = emulator.authorization_code(&web()).unwrap();
    refused(
        &redeem(&emulator, &plain, &[right]).await,
        "invalid_grant",
        501_481,
    );
    emulator.advance(Duration::from_secs(600));
    refused(
        &redeem(&emulator, &plain, &[]).await,
        "invalid_grant",
        70008,
    );
}

async fn refresh(emulator: &Emulator, tenant: &str, changes: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "refresh_token"), ("client_id", CLI)];
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes);
    token(emulator, tenant, &form).await
}

#[tokio::test]
async fn refresh_tokens_are_replaced_and_the_old_ones_stay_valid() {
    let emulator = built_in();
    let first = emulator.sign_in(&SignIn::new(FULL)).unwrap();
    let first = first.refresh_token().unwrap();
    let answer = refresh(&emulator, "organizations", &[("refresh_token", first)]).await;
    let body = answer.json();
    let second = body["refresh_token"].as_str().unwrap();
    assert_ne!(second, first);
    assert_eq!(claims(&answer.token())["aud"], "https://vault.azure.net");
    // For another resource, in another shape.
    for token in [first, second] {
        let other = [("refresh_token", token), ("scope", World::ORDERS_SCOPE)];
        let answer = refresh(&emulator, World::TENANT_ID, &other).await;
        let access = claims(&answer.token());
        assert_eq!(
            (&access["aud"], &access["azpacr"]),
            (&json!(API), &json!("0"))
        );
        assert_eq!(access["scp"], "Orders.Read");
    }
    for (tenant, changes, error, number) in [
        (
            "common",
            &[("refresh_token", "guess")][..],
            "invalid_grant",
            70000,
        ),
        ("common", &[], "invalid_request", 900_144),
        (
            World::TENANT_ID,
            &[
                ("refresh_token", second),
                ("client_id", WEB),
                ("client_secret", secret(&emulator, WEB)),
            ],
            "invalid_grant",
            70000,
        ),
        (
            World::TENANT_ID,
            &[("refresh_token", second), ("client_secret", "x")],
            "invalid_client",
            700_025,
        ),
        (
            World::OTHER_TENANT_ID,
            &[("refresh_token", second)],
            "invalid_grant",
            50020,
        ),
    ] {
        refused(&refresh(&emulator, tenant, changes).await, error, number);
    }
    emulator.advance(Duration::from_secs(91 * 24 * 60 * 60));
    let answer = refresh(&emulator, "common", &[("refresh_token", second)]).await;
    refused(&answer, "invalid_grant", 70008);
}

#[tokio::test]
async fn revoked_refresh_tokens_are_refused() {
    let emulator = built_in();
    let sign_in = |user: &str| {
        let tokens = emulator.sign_in(&SignIn::new(FULL).user(user)).unwrap();
        tokens.refresh_token().unwrap().to_owned()
    };
    let (ada, alan) = (sign_in(World::USERNAME), sign_in(World::OTHER_USERNAME));
    assert_eq!(emulator.revoke_refresh_tokens(Some("nobody@x.example")), 0);
    assert_eq!(emulator.revoke_refresh_tokens(Some(World::USERNAME)), 1);
    let answer = refresh(&emulator, "common", &[("refresh_token", &ada)]).await;
    refused(&answer, "invalid_grant", 50173);
    let answer = refresh(&emulator, "common", &[("refresh_token", &alan)]).await;
    assert_eq!(claims(&answer.token())["tid"], World::OTHER_TENANT_ID);
    assert_eq!(emulator.revoke_refresh_tokens(None), 2);
    // Who signs in again gets new ones.
    let new = sign_in(World::USERNAME);
    assert_eq!(
        refresh(&emulator, "common", &[("refresh_token", &new)])
            .await
            .status,
        200
    );
}

async fn on_behalf(emulator: &Emulator, assertion: &str, changes: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("client_id", API),
        ("client_secret", secret(emulator, API)),
        ("assertion", assertion),
        ("scope", FULL),
        ("client_info", "1"),
    ];
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes);
    token(emulator, World::TENANT_ID, &form).await
}

#[tokio::test]
async fn an_api_acts_on_behalf_of_its_user() {
    let emulator = built_in();
    for scope in [
        World::ORDERS_SCOPE,
        &format!("{API}/.default"),
        &format!("api://{API}/.default"),
    ] {
        let users = emulator.user_token(scope).unwrap();
        let answer = on_behalf(&emulator, &users, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let (before, after) = (
            claims(&users),
            Client::of(&emulator).verified(&answer.token()).await,
        );
        assert_eq!(after["oid"], before["oid"]);
        assert_eq!(
            (&after["appid"], &after["appidacr"]),
            (&json!(API), &json!("1"))
        );
        assert_eq!(after["aud"], "https://vault.azure.net");
        for field in ["refresh_token", "id_token", "client_info", "scope"] {
            assert!(body[field].is_string(), "{field}");
        }
    }
    let users = emulator.user_token(World::ORDERS_SCOPE).unwrap();
    let bare = on_behalf(&emulator, &users, &[("scope", VAULT), ("client_info", "")])
        .await
        .json();
    for field in ["refresh_token", "id_token", "client_info"] {
        assert!(bare[field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn assertions_that_are_not_for_the_api_are_refused() {
    let emulator = built_in();
    let users = emulator.user_token(World::ORDERS_SCOPE).unwrap();
    let content = claims(&users);
    let header = json!({ "alg": "RS256" });
    let elsewhere = emulator.user_token(VAULT).unwrap();
    let alans = SignIn::new(World::ORDERS_SCOPE).user(World::OTHER_USERNAME);
    let alans = emulator.sign_in(&alans).unwrap();
    let daemon = Client::of(&emulator)
        .built_in_token(emulator.world(), "api://contoso-orders/.default")
        .await
        .token();
    let signed_in = SignIn::new("openid").client_id(API);
    let signed_in = emulator.sign_in(&signed_in).unwrap();
    let (signed, signature) = users.rsplit_once('.').unwrap();
    for (assertion, error, number) in [
        (elsewhere.as_str(), "invalid_grant", 500_131),
        (alans.access_token(), "invalid_grant", 50013),
        (&daemon, "invalid_grant", 7_000_114),
        (signed_in.id_token().unwrap(), "invalid_grant", 7_000_114),
        (
            &Signer::number(0).jwt(&header, &content),
            "invalid_grant",
            50013,
        ),
        (&hs256(&content, b"secret"), "invalid_grant", 50013),
        (&format!("{signed}."), "invalid_grant", 50013),
        (&format!("{signed}x.{signature}"), "invalid_request", 50027),
        ("guess", "invalid_request", 50027),
        (
            &emulator.service_account_token(API, None).unwrap(),
            "invalid_grant",
            50013,
        ),
    ] {
        let answer = on_behalf(&emulator, assertion, &[]).await;
        refused(&answer, error, number);
        assert!(!answer.text.contains(assertion));
    }
    for (changes, error, number) in [
        (
            &[("requested_token_use", "")][..],
            "invalid_request",
            900_144,
        ),
        (
            &[("requested_token_use", "x")],
            "invalid_request",
            9_002_313,
        ),
        (&[("scope", "")], "invalid_request", 900_144),
        (&[("client_secret", "")], "invalid_client", 7_000_216),
        (
            &[("client_id", CLI), ("client_secret", "")],
            "invalid_client",
            7_000_216,
        ),
    ] {
        refused(&on_behalf(&emulator, &users, changes).await, error, number);
    }
    emulator.advance(Duration::from_secs(3 * 60 * 60));
    refused(
        &on_behalf(&emulator, &users, &[]).await,
        "invalid_grant",
        500_133,
    );
}

#[tokio::test]
async fn a_second_factor_that_is_missing_is_asked_for_with_claims() {
    let emulator = built_in();
    let grace = SignIn::new(World::ORDERS_SCOPE).user(World::MFA_USERNAME);
    let weak = emulator.sign_in(&grace).unwrap();
    let body = refused(
        &on_behalf(&emulator, weak.access_token(), &[]).await,
        "interaction_required",
        50076,
    );
    let challenge = body["claims"].as_str().unwrap();
    let challenge: Value = serde_json::from_str(challenge).unwrap();
    assert_eq!(
        challenge["access_token"]["capolids"]["essential"],
        json!(true)
    );
    let strong = emulator.sign_in(&grace.mfa(true)).unwrap();
    let answer = on_behalf(&emulator, strong.access_token(), &[]).await;
    assert_eq!(claims(&answer.token())["amr"], json!(["pwd", "mfa"]));
    // A context that nobody went through.
    let asked = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let answer = on_behalf(&emulator, strong.access_token(), &[("claims", asked)]).await;
    let body = refused(&answer, "interaction_required", 50076);
    assert!(body["claims"].as_str().unwrap().contains("c1"));
    let code = emulator.authorization_code(&web()).unwrap();
    let answer = redeem(&emulator, &code, &[("claims", asked)]).await;
    assert_eq!(claims(&answer.token())["acrs"], json!(["c1"]));
}

#[tokio::test]
async fn without_consent_there_is_no_token() {
    let id = "22222222-dddd-4000-8000-000000000001";
    let emulator = start(&format!(
        "[[application]]\nclient_id = \"{id}\"\npublic = true\n\
         needs_consent_for = [\"https://vault.azure.net/\"]\n\
         [[user]]\nusername = \"new@contoso.example\"\nneeds_mfa = true\n"
    ));
    let sign_in = |scope: &str| SignIn::new(scope).client_id(id);
    let error = emulator.sign_in(&sign_in(VAULT)).unwrap_err();
    assert!(error.to_string().starts_with("AADSTS65001: "), "{error}");
    let tokens = emulator
        .sign_in(&sign_in("User.Read offline_access"))
        .unwrap();
    let access = claims(tokens.access_token());
    assert_eq!(access["aud"], "https://graph.microsoft.com");
    assert_eq!(access["scp"], "User.Read");
    let refresh_token = tokens.refresh_token().unwrap();
    let form = [
        ("client_id", id),
        ("refresh_token", refresh_token),
        ("scope", VAULT),
    ];
    let body = refused(
        &refresh(&emulator, "common", &form).await,
        "invalid_grant",
        65001,
    );
    assert_eq!(body["suberror"], "consent_required");
    assert!(
        emulator
            .world()
            .user("NEW@contoso.example")
            .unwrap()
            .needs_mfa()
    );
    assert!(
        emulator
            .sign_in(&sign_in(VAULT).user("x@y.example"))
            .is_err()
    );
}

#[tokio::test]
async fn challenges_of_continuous_access_evaluation_are_honoured() {
    let emulator = built_in();
    let now = emulator
        .time()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    emulator.set_time(emulator.time());
    for (value, expected) in [
        (now - 60, now - 60),
        (now - 6000, now - 300),
        (now + 99, now),
    ] {
        let asked = format!(
            r#"{{"access_token":{{"nbf":{{"essential":true,"value":"{value}"}},"xms_cc":{{"values":["CP1"]}}}}}}"#
        );
        let code = emulator.authorization_code(&web()).unwrap();
        let access = claims(
            &redeem(&emulator, &code, &[("claims", &asked)])
                .await
                .token(),
        );
        assert_eq!(
            (&access["nbf"], &access["xms_cc"]),
            (&json!(expected), &json!(["cp1"]))
        );
    }
}
