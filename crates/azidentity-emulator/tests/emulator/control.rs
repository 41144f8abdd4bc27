//! What can be asked of an emulator below `/_emulator/`, and by whom.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use azidentity_emulator::{Emulator, Fault, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client, built_in, send};
use crate::wire::{ask, port};

const KEYS: &str = "/common/discovery/keys";

/// The port of the managed identity endpoints, which is that of these, too.
const HTTP: Server = Server::ManagedIdentity;

async fn control(emulator: &Emulator, method: Method, path: &str, body: &str) -> Answer {
    let url = format!("{}/_emulator/{path}", emulator.http_endpoint());
    let request = Client::of(emulator).request(method, &url);
    send(request.body(body.to_owned())).await
}

#[tokio::test]
async fn a_script_can_be_put_and_deleted() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let status = async || client.get(KEYS).await.status.as_u16();
    let script = "[[fault]]\nendpoint = \"jwks\"\nalways = true\nstatus = 503";
    let put = control(&emulator, Method::PUT, "script", script).await;
    assert_eq!((put.status.as_u16(), put.text.as_str()), (204, ""));
    assert_eq!(status().await, 503);
    let list = control(&emulator, Method::GET, "requests", "").await.json();
    assert_eq!(list[0]["fault"], json!(true));
    // One that is wrong changes nothing.
    let wrong = script.replace("503", "5030");
    let put = control(&emulator, Method::PUT, "script", &wrong).await;
    assert_eq!(put.status, 400);
    assert!(
        put.text.starts_with("line 4: `status`: `5030`"),
        "{}",
        put.text
    );
    assert_eq!(status().await, 503);
    let delete = control(&emulator, Method::DELETE, "script", "").await;
    assert_eq!(delete.status, 204);
    assert_eq!(status().await, 200);
    assert_eq!(emulator.request_count(), 3);
}

#[tokio::test]
async fn the_clock_can_be_read_and_set() {
    let emulator = built_in();
    let put = async |body: &str| control(&emulator, Method::PUT, "clock", body).await;
    let shown = async || control(&emulator, Method::GET, "clock", "").await.json();
    assert_eq!(put(r#"{"seconds": 1796071711}"#).await.status, 204);
    let moment = UNIX_EPOCH + Duration::from_secs(1_796_071_711);
    assert_eq!(emulator.time(), moment);
    assert_eq!(
        shown().await,
        json!({ "seconds": 1_796_071_711, "time": "2026-11-30 20:48:31Z", "running": false })
    );
    assert_eq!(put(r#"{"advance": 60}"#).await.status, 204);
    assert_eq!(emulator.time(), moment + Duration::from_secs(60));
    assert_eq!(put(r#"{"offset": -86400}"#).await.status, 204);
    let day = Duration::from_secs(86400);
    let before = SystemTime::now() - day;
    let seconds = shown().await["seconds"].as_u64().unwrap();
    assert!(emulator.time() >= before && emulator.time() <= SystemTime::now() - day);
    assert!(UNIX_EPOCH + Duration::from_secs(seconds + 1) > before);
    assert_eq!(shown().await["running"], json!(true));
    emulator.set_time(moment);
    for wrong in [
        "",
        "1796071711",
        "{}",
        r#"{"seconds": -1}"#,
        r#"{"seconds": 1.5}"#,
        r#"{"seconds": "1"}"#,
        r#"{"second": 1}"#,
        r#"{"seconds": 1, "offset": 2}"#,
        r#"{"advance": -5}"#,
    ] {
        let answer = put(wrong).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.text.contains(r#"{"seconds": N}"#), "{}", answer.text);
        assert_eq!(emulator.time(), moment, "{wrong}");
    }
    for far in [
        r#"{"seconds": 18446744073709551615}"#,
        r#"{"advance": 18446744073709551615}"#,
    ] {
        assert_eq!(put(far).await.status, 204);
        assert_eq!(shown().await["time"], "9999-12-31 23:59:59Z");
    }
    let delete = control(&emulator, Method::DELETE, "clock", "").await;
    assert_eq!(delete.status, 204);
    assert_eq!(shown().await["running"], json!(true));
    assert!(emulator.time() >= before);
}

#[tokio::test]
async fn the_emulators_own_endpoints_have_no_faults_and_are_not_recorded() {
    let emulator = built_in();
    emulator.script(Fault::anywhere().reset().always());
    for (method, path) in [
        (Method::GET, "requests"),
        (Method::GET, "clock"),
        (Method::GET, "ca.pem"),
        (Method::DELETE, "requests"),
        (Method::DELETE, "script"),
    ] {
        let answer = control(&emulator, method, path, "").await;
        assert!(answer.status.is_success(), "{path}");
    }
    assert_eq!(emulator.request_count(), 0);
}

#[tokio::test]
async fn users_can_be_signed_in_from_other_languages() {
    let emulator = built_in();
    let post = async |path: &str, body: &str| control(&emulator, Method::POST, path, body).await;
    let sign_in =
        r#"{"scope": "openid offline_access User.Read", "user": "alan@fabrikam.example"}"#;
    let tokens = post("sign-in", sign_in).await.json();
    for field in ["access_token", "refresh_token", "id_token", "client_info"] {
        assert!(tokens[field].is_string(), "{field}");
    }
    let code = post("authorization-code", sign_in).await.json();
    assert!(code["code"].is_string());
    let one = post(
        "revoke-refresh-tokens",
        r#"{"user": "alan@fabrikam.example"}"#,
    )
    .await;
    assert_eq!(one.json(), json!({ "revoked": 1 }));
    assert_eq!(
        post("revoke-refresh-tokens", "").await.json(),
        json!({ "revoked": 0 })
    );
    for (path, body, expected) in [
        ("sign-in", "", "JSON"),
        ("sign-in", r#"{"user": "hunter2"}"#, "JSON"),
        (
            "sign-in",
            r#"{"scope": "User.Read", "password": "hunter2"}"#,
            "JSON",
        ),
        (
            "sign-in",
            r#"{"scope": "User.Read", "user": "x"}"#,
            "AADSTS50034",
        ),
        ("sign-in", r#"{"scope": "a://b/c d://e/f"}"#, "AADSTS28000"),
        (
            "authorization-code",
            r#"{"scope": "User.Read", "redirect_uri": "https://x.example"}"#,
            "AADSTS50011",
        ),
        ("service-account-token", "[", "JSON"),
    ] {
        let answer = post(path, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text.contains(expected), "{}", answer.text);
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    }
    assert_eq!(emulator.request_count(), 0);
}

/// Every endpoint and what would be done there.
const ENDPOINTS: &[(&str, &str, &str)] = &[
    ("GET", "requests", ""),
    ("DELETE", "requests", ""),
    ("PUT", "script", ""),
    ("DELETE", "script", ""),
    ("GET", "clock", ""),
    ("PUT", "clock", r#"{"seconds": 1}"#),
    ("DELETE", "clock", ""),
    ("GET", "ca.pem", ""),
    ("POST", "sign-in", r#"{"scope": "User.Read"}"#),
    ("POST", "authorization-code", r#"{"scope": "User.Read"}"#),
    ("POST", "revoke-refresh-tokens", ""),
    ("GET", "client-certificate.pem", ""),
    ("GET", "renewed-client-certificate.pem", ""),
    ("POST", "service-account-token", ""),
];

/// Sends each of the requests with these headers and returns the statuses.
fn statuses(emulator: &Emulator, target: &str, headers: &str) -> Vec<u16> {
    let send = |(method, path, body): &(&str, &str, &str)| {
        let length = body.len();
        let request = format!(
            "{method} {target}/_emulator/{path} HTTP/1.1\r\n{headers}Connection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        ask(emulator, HTTP, &request).status()
    };
    ENDPOINTS.iter().map(send).collect()
}

#[tokio::test]
async fn strangers_and_web_pages_are_refused_everywhere() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    client.get(KEYS).await;
    emulator.script(Fault::jwks().status(503).always());
    let moment = UNIX_EPOCH + Duration::from_secs(1_796_071_711);
    emulator.set_time(moment);
    let port = port(&emulator, HTTP);
    let other = port ^ 1;
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    for (target, headers) in [
        // Names that were made to lead here.
        ("", format!("Host: evil.example:{port}\r\n")),
        ("", format!("Host: localhost.evil.example:{port}\r\n")),
        ("", format!("Host: 127.0.0.1.nip.io:{port}\r\n")),
        ("", format!("Host: 169.254.169.254:{port}\r\n")),
        ("", "Host: 169.254.169.254\r\n".to_owned()),
        ("", "Host: localhost\r\n".to_owned()),
        ("", format!("Host: localhost:{other}\r\n")),
        ("", "Host:\r\n".to_owned()),
        ("", String::new()),
        ("", format!("{own}Host: evil.example\r\n")),
        ("", format!("Host: evil.example\r\n{own}")),
        ("http://evil.example", own.clone()),
        ("http://localhost", own.clone()),
        ("http://user@localhost", own.clone()),
        // Pages that send requests, from wherever.
        ("", format!("{own}Origin: https://evil.example\r\n")),
        ("", format!("{own}Origin: null\r\n")),
        ("", format!("{own}Origin: http://127.0.0.1:{port}\r\n")),
        ("", format!("{own}Origin:\r\n")),
    ] {
        let refused = statuses(&emulator, target, &headers);
        assert_eq!(refused, [403; ENDPOINTS.len()], "{target} {headers}");
    }
    // Surplus slashes are no way around, nor is a question in advance.
    for start in ["GET //_emulator//requests/", "OPTIONS /_emulator/script"] {
        let page = "Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n";
        let request = format!("{start} HTTP/1.1\r\n{own}{page}Connection: close\r\n\r\n");
        let reply = ask(&emulator, HTTP, &request);
        assert!([403, 405].contains(&reply.status()), "{reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    assert_eq!(emulator.request_count(), 1);
    assert_eq!(emulator.time(), moment);
    assert_eq!(client.get(KEYS).await.status, 503);
}

#[test]
fn programs_of_this_machine_are_served_under_each_of_its_names() {
    let emulator = built_in();
    let port = port(&emulator, HTTP);
    for name in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"] {
        let host = format!("Host: {name}:{port}\r\n");
        for target in [String::new(), format!("http://{name}:{port}")] {
            let served = statuses(&emulator, &target, &host);
            let first = [200, 204, 204, 204, 200, 204, 204, 200];
            assert_eq!(served[..8], first, "{host}");
            assert_eq!(served[8..], [200; 6], "{host}");
        }
    }
}

#[tokio::test]
async fn the_authority_has_no_such_endpoints() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    for (method, path, _) in ENDPOINTS {
        let request = client.request(method.parse().unwrap(), &format!("/_emulator/{path}"));
        assert_eq!(send(request).await.status, 404, "{path}");
    }
    let list = control(&emulator, Method::GET, "requests", "").await.json();
    assert_eq!(list, Value::Array(Vec::new()));
}
