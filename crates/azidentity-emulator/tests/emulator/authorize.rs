//! The page at which users sign in.

use azidentity_emulator::{Emulator, World};
use reqwest::Method;
use reqwest::redirect::Policy;
use url::Url;

use crate::client::{Answer, Client, built_in, send};
use crate::signer::{claims, encode, sha256};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const VAULT: &str = "openid offline_access https://vault.azure.net/.default";
const REDIRECT: &str = "http://localhost:8400";

async fn ask(emulator: &Emulator, tenant: &str, changes: &[(&str, &str)]) -> Answer {
    let challenge = encode(sha256(VERIFIER.as_bytes()));
    let mut query = vec![
        ("client_id", World::AZURE_CLI_CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", VAULT),
        ("state", "s t&1"),
        ("nonce", "n"),
        ("client_info", "1"),
        ("prompt", "select_account"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    query.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    query.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let mut url = Url::parse(emulator.authority_host()).unwrap();
    url.set_path(&format!("/{tenant}/oauth2/v2.0/authorize"));
    url.query_pairs_mut().extend_pairs(&query);
    let client = Client::following(emulator, Policy::none());
    send(client.request(Method::GET, url.as_str())).await
}

fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 302, "{}", answer.text);
    answer.headers["location"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn field(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    Some(pairs.find(|(known, _)| known == name)?.1.into_owned())
}

#[tokio::test]
async fn a_user_signs_in_and_the_code_comes_back() {
    let emulator = built_in();
    for (tenant, hint, expected) in [
        ("organizations", "", World::USERNAME),
        ("common", "ALAN@fabrikam.example", World::OTHER_USERNAME),
        ("fabrikam.example", "", World::OTHER_USERNAME),
        (World::TENANT_ID, World::MFA_USERNAME, World::MFA_USERNAME),
    ] {
        let back = location(&ask(&emulator, tenant, &[("login_hint", hint)]).await);
        assert!(back.as_str().starts_with("http://localhost:8400/?code="));
        assert_eq!(field(&back, "state").as_deref(), Some("s t&1"));
        assert!(field(&back, "client_info").is_some() && field(&back, "session_state").is_some());
        let code = field(&back, "code").unwrap();
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", World::AZURE_CLI_CLIENT_ID),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let answer = Client::of(&emulator).token(tenant, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let id = claims(answer.json()["id_token"].as_str().unwrap());
        assert_eq!(
            (&id["preferred_username"], &id["nonce"]),
            (&expected.into(), &"n".into())
        );
        let mfa = expected == World::MFA_USERNAME;
        assert_eq!(
            claims(&answer.token())["amr"].as_array().unwrap().len() == 2,
            mfa
        );
    }
}

#[tokio::test]
async fn a_form_can_carry_the_code() {
    let emulator = built_in();
    let changes = [("response_mode", "form_post"), ("state", "<&\"'>")];
    let page = ask(&emulator, "common", &changes).await;
    assert_eq!(page.status, 200);
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    for part in [
        "<form method=\"post\" action=\"http://localhost:8400\">",
        "name=\"code\" value=\"",
        "name=\"state\" value=\"&lt;&amp;&quot;&#39;&gt;\"",
        "name=\"client_info\"",
        "<noscript>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let fragment = ask(&emulator, "common", &[("response_mode", "fragment")]).await;
    assert!(location(&fragment).fragment().unwrap().starts_with("code="));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let emulator = built_in();
    let web = ("client_id", World::WEB_CLIENT_ID);
    for (tenant, changes, number) in [
        (
            "common",
            &[("redirect_uri", "https://evil.example")][..],
            "AADSTS50011",
        ),
        (
            "common",
            &[("redirect_uri", "http://localhost:80@evil.example")],
            "AADSTS50011",
        ),
        (
            "common",
            &[("redirect_uri", "http://localhost:1/x")],
            "AADSTS50011",
        ),
        ("common", &[web], "AADSTS50011"),
        ("common", &[("redirect_uri", "")], "AADSTS900144"),
        ("common", &[("client_id", "")], "AADSTS900144"),
        ("common", &[("client_id", "<script>")], "AADSTS700016"),
        ("nowhere.example", &[], "AADSTS90002"),
        (
            "common",
            &[("login_hint", "nobody@contoso.example")],
            "AADSTS50034",
        ),
        (
            "fabrikam.example",
            &[("login_hint", World::USERNAME)],
            "AADSTS50034",
        ),
    ] {
        let page = ask(&emulator, tenant, changes).await;
        assert_eq!(page.status, 400, "{changes:?}");
        assert!(page.text.contains(number), "{number}: {}", page.text);
        assert!(!page.text.contains("<script>"), "{}", page.text);
        assert!(!page.headers.contains_key("location"));
    }
    let own = [web, ("redirect_uri", "http://localhost:5000/signed-in")];
    location(&ask(&emulator, "common", &own).await);
}

#[tokio::test]
async fn other_mistakes_are_told_to_the_application() {
    let emulator = built_in();
    for (changes, error, number) in [
        (
            ("response_type", "token"),
            "unsupported_response_type",
            "AADSTS70005",
        ),
        (("response_type", ""), "invalid_request", "AADSTS900144"),
        (("response_mode", "x"), "invalid_request", "AADSTS70007"),
        (("scope", ""), "invalid_request", "AADSTS900144"),
        (
            ("scope", "https://a.example/x https://b.example/x"),
            "invalid_scope",
            "AADSTS28000",
        ),
        (
            ("code_challenge", "short"),
            "invalid_request",
            "AADSTS501491",
        ),
        (
            ("code_challenge_method", "S512"),
            "invalid_request",
            "AADSTS9002313",
        ),
        (("prompt", "none"), "login_required", "AADSTS50058"),
        (("prompt", "x"), "invalid_request", "AADSTS90023"),
        (("claims", "["), "invalid_request", "AADSTS9002313"),
    ] {
        let back = location(&ask(&emulator, "common", &[changes]).await);
        assert_eq!(field(&back, "error").as_deref(), Some(error), "{changes:?}");
        let description = field(&back, "error_description").unwrap();
        assert!(description.starts_with(number), "{description}");
        assert_eq!(field(&back, "state").as_deref(), Some("s t&1"));
        assert_eq!(field(&back, "code"), None);
    }
    let shown = format!("{:?}", emulator.requests());
    assert!(!shown.contains("s t&1"), "{shown}");
}
