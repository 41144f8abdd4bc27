//! `azid inspect`.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Run, Site, arg, azid, run};

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn jwt(claims: &Value) -> String {
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({"alg": "RS256", "typ": "JWT"})),
        part(claims)
    )
}

fn inspect(args: &[&str], input: impl Into<Vec<u8>>) -> Run {
    let mut command = azid(&["inspect"]);
    command.args(args).write_stdin(input);
    run(&mut command)
}

#[test]
fn people_see_header_claims_and_what_they_mean() {
    let text = inspect(
        &[],
        jwt(&json!({
            "aud": "https://vault.azure.net",
            "iss": "https://sts.windows.net/c0a7e5b2-4f1d-4d6a-9a53-5e1f0b7c2d10/",
            "exp": 1_000_000_000, "nbf": 999_996_400, "iat": "soon",
            "roles": ["Reader", "Writer"], "acct": 0, "name": "Grüße"
        })),
    )
    .success();
    let (text, lifetime) = text.split_once("Lifetime  ").unwrap();
    assert!(lifetime.starts_with("expired "), "{lifetime}");
    insta::assert_snapshot!(text, @r#"
    Header
      alg  RS256
      typ  JWT

    Claims
      acct   0
      aud    https://vault.azure.net
      exp    1000000000 (2001-09-09T01:46:40Z)
      iat    soon
      iss    https://sts.windows.net/c0a7e5b2-4f1d-4d6a-9a53-5e1f0b7c2d10/
      name   Grüße
      nbf    999996400 (2001-09-09T00:46:40Z)
      roles  ["Reader","Writer"]

    Audience  https://vault.azure.net
    Issuer    https://sts.windows.net/c0a7e5b2-4f1d-4d6a-9a53-5e1f0b7c2d10/ (Azure's public cloud)
    "#);
}

#[test]
fn programs_get_an_object() {
    let token = jwt(&json!({"aud": ["a", "b"], "exp": 4_102_444_800_i64}));
    let report = inspect(&["-o", "json"], token.clone()).json();
    assert_eq!(report["header"]["alg"], "RS256");
    assert_eq!(report["claims"]["exp"], 4_102_444_800_i64);
    assert_eq!(report["audience"], json!(["a", "b"]));
    assert!(report["expires_in_s"].as_i64().unwrap() > 0);
    assert!(report["issuer"].is_null() && report["cloud"].is_null());
    assert_eq!(report["verified"], false);

    let report = inspect(&["-o", "json"], jwt(&json!({}))).json();
    assert!(report["expires_in_s"].is_null());
}

#[test]
fn tokens_come_in_whatever_form_azid_prints_them() {
    let site = Site::new();
    for format in ["token", "json", "header", "env"] {
        let printed = run(&mut site.machine_token(&["-c", "managed-identity", "-o", format]));
        let file = site.file(format, printed.success());
        let report = run(&mut azid(&["inspect", "-o", "json", arg(&file)])).json();
        assert_eq!(report["audience"], "https://vault.azure.net", "{format}");
        assert_eq!(report["cloud"], "public");
    }
}

#[test]
fn terminals_are_sent_no_commands() {
    let token =
        jwt(&json!({"na\u{1b}me": "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\r\n", "list": ["\u{9b}"]}));
    for args in [&[][..], &["-o", "json"]] {
        let shown = inspect(args, token.clone()).success();
        let command = shown
            .chars()
            .find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
        assert_eq!(command, None, "{shown:?}");
    }
}

#[test]
fn neither_token_nor_signature_is_shown() {
    let token = jwt(&json!({"aud": "x"}));
    for args in [&[][..], &["-o", "json"], &["-vvv"]] {
        let run = inspect(args, token.clone());
        for part in token.split('.') {
            assert!(!run.stdout.contains(part) && !run.stderr.contains(part));
        }
    }
}

#[test]
fn what_is_no_token_is_bad_usage_and_not_repeated() {
    let encrypted = format!("{}.a.b.c.d", part(&json!({"alg": "dir", "enc": "A256GCM"})));
    for (input, says) in [
        (Vec::new(), "empty"),
        (b"planted-opaque-token".to_vec(), "1 part "),
        (b"planted.planted.planted".to_vec(), "first part"),
        (b"planted planted".to_vec(), "white space"),
        (encrypted.into_bytes(), "encrypted"),
        (vec![0xff, 0xfe, b'p'], "UTF-8"),
        (vec![b'a'; 1024 * 1024 + 1], "1 MiB"),
    ] {
        let message = inspect(&[], input.clone()).failure(2);
        assert!(message.contains(says), "{message}");
        assert!(!message.contains("planted"), "{message}");
        let error = inspect(&["-o", "json"], input).error(2);
        assert_eq!(error["kind"], "configuration");
    }
}

#[test]
fn the_longest_input_is_read() {
    let mut token = jwt(&json!({"aud": "x"}));
    token.push_str(&" ".repeat(1024 * 1024 - token.len()));
    inspect(&[], token).success();
}

#[test]
fn an_argument_that_is_no_file_is_not_repeated() {
    let token = jwt(&json!({"aud": "x"}));
    for argument in [token.as_str(), "planted-opaque-token"] {
        let message = run(&mut azid(&["inspect", argument])).failure(2);
        assert!(!message.contains(argument), "{message}");
        assert!(message.contains("standard input"), "{message}");
    }
}
