//! Scripts in TOML.

use std::time::Duration;

use azidentity_emulator::{Config, Fault, Script};
use serde_json::json;

#[test]
fn toml_can_say_all_that_rust_can() {
    for (text, fault) in [
        (
            "endpoint = \"token\"\nstatus = 503\nretry_after = 2\ntimes = 2",
            Fault::token().status(503).retry_after(2).times(2),
        ),
        (
            "endpoint = \"openid-configuration\"\nretry_after = \"soon\"\nskip = 4",
            Fault::openid_configuration()
                .header("retry-after", "soon")
                .skip(4),
        ),
        (
            "endpoint = \"jwks\"\nheaders = { X-A = \"b\", x-c = \"d\" }\nbody = \"text\"",
            Fault::jwks()
                .header("x-a", "b")
                .header("x-c", "d")
                .body("text"),
        ),
        (
            "endpoint = \"instance-discovery\"\njson = { a = [1, 2.5, true], b = { c = 1979-05-27 } }",
            Fault::instance_discovery()
                .json(json!({ "a": [1, 2.5, true], "b": { "c": "1979-05-27" } })),
        ),
        (
            "endpoint = \"imds\"\naadsts = 50076\njson = { suberror = \"s\" }\nalways = true",
            Fault::imds()
                .aadsts(50076)
                .json(json!({ "suberror": "s" }))
                .always(),
        ),
        (
            "endpoint = \"app-service\"\nredirect = \"/x\"\nmethod = \"GET\"",
            Fault::app_service().redirect("/x").method("GET"),
        ),
        (
            "path = \"/a//*/\"\nredirect = \"/x\"\nstatus = 307",
            Fault::path("a/*").status(307).redirect("/x"),
        ),
        (
            "grant_type = \"g\"\nclient_id = \"c\"\nresource = \"r\"\ntruncate = 7",
            Fault::anywhere()
                .grant_type("g")
                .client_id("c")
                .resource("r")
                .truncate(7),
        ),
        (
            "stall = true\nreset = false\ndelay_ms = 1500",
            Fault::anywhere().stall().delay(Duration::from_millis(1500)),
        ),
        ("oversize_mib = 5", Fault::anywhere().oversize(5)),
        ("garbage = true", Fault::anywhere().garbage()),
        ("reset = true", Fault::anywhere().reset()),
    ] {
        let script = Script::from_toml(&format!("[[fault]]\n{text}")).unwrap();
        assert_eq!(script, Script::from(fault), "{text}");
    }
    assert_eq!(Script::from_toml("").unwrap(), Script::default());
}

/// Below `[[fault]]`, with the line, the key and the matter of the error.
const WRONG: &[(&str, usize, &str, &str)] = &[
    (
        "status = 99",
        2,
        "status",
        "`99` is not a whole number from 200 to 599",
    ),
    ("status = 503.0", 2, "status", "`503.0`"),
    ("status = -1", 2, "status", "`-1`"),
    ("status = \"x\"", 2, "status", "`\"x\"`"),
    ("delay_ms = 600001", 2, "delay_ms", "`600001`"),
    ("aadsts = 0", 2, "aadsts", "`0`"),
    ("oversize_mib = 2000", 2, "oversize_mib", "from 1 to 1024"),
    ("truncate = true", 2, "truncate", "`true`"),
    ("garbage = 1", 2, "garbage", "`1` is not true or false"),
    ("status = 503\ntimes = 0", 3, "times", "`0`"),
    ("status = 503\nskip = []", 3, "skip", "`[]`"),
    ("status = 503\nalways = \"yes\"", 3, "always", "`\"yes\"`"),
    (
        "status = 503\nendpoint = \"tokens\"",
        3,
        "endpoint",
        "`\"tokens\"` is not one of token, ",
    ),
    ("status = 503\npath = \"\"", 3, "path", "`\"\"`"),
    ("status = 503\nclient_id = 5", 3, "client_id", "`5`"),
    ("\nretry_after = -2", 3, "retry_after", "`-2`"),
    ("retry_after = \"a\\nb\"", 2, "retry_after", "a\\nb"),
    ("headers = \"x\"", 2, "headers", "`\"x\"`"),
    ("headers = { x = 1 }", 2, "headers", "texts"),
    ("headers = { \"x y\" = \"1\" }", 2, "headers", "`x y`"),
    (
        "headers = { content-length = \"1\" }",
        2,
        "headers",
        "`content-length`",
    ),
    ("redirect = \"a\\r\\nb\"", 2, "redirect", "`a\\r\\nb`"),
    ("json = [inf]", 2, "json", "JSON"),
    ("aadsts = 1\njson = \"x\"", 3, "json", "a table"),
    ("stutus = 503", 2, "stutus", "no such key"),
    (
        "status = 503\n[fault.also]\nx = 1",
        3,
        "also",
        "no such key",
    ),
    (
        "status = 503\nendpoint = \"jwks\"\npath = \"/x\"",
        4,
        "path",
        "with `endpoint`",
    ),
    (
        "status = 503\npath = \"/x\"\nendpoint = \"jwks\"",
        4,
        "endpoint",
        "with `path`",
    ),
    (
        "status = 503\ntimes = 2\nalways = true",
        4,
        "always",
        "with `times`",
    ),
    (
        "aadsts = 1\nredirect = \"/x\"",
        3,
        "redirect",
        "with `aadsts`",
    ),
    ("body = \"x\"\naadsts = 1", 3, "aadsts", "with `body`"),
    ("body = \"x\"\njson = 1", 3, "json", "with `body`"),
    ("truncate = 1\nstall = true", 3, "stall", "with `truncate`"),
    ("stall = true\nreset = true", 3, "reset", "with `stall`"),
    ("status = 503\nreset = true", 3, "reset", "with `status`"),
    (
        "garbage = true\nretry_after = 1",
        3,
        "retry_after",
        "with `garbage`",
    ),
    ("", 1, "", "what is to happen"),
    (
        "endpoint = \"jwks\"\nreset = false",
        1,
        "",
        "what is to happen",
    ),
];

#[test]
fn errors_name_the_line_the_key_and_the_value() {
    for (text, line, key, matter) in WRONG {
        let text = format!("[[fault]]\n{text}");
        // The same as a script and as a part of a configuration.
        let errors = [
            Script::from_toml(&text).unwrap_err(),
            Config::from_toml(&text).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.line(), Some(*line), "{error}\n{text}");
            assert!(error.message().contains(matter), "{error}\n{text}");
            if !key.is_empty() {
                let start = format!("`{key}`: ");
                assert!(error.message().starts_with(&start), "{error}\n{text}");
            }
        }
    }
    for (text, line, matter) in [
        ("\nhttps_port = 1", 2, "`https_port`"),
        ("[[faults]]", 1, "`faults`"),
        ("[[fault]]\nstatus =", 2, ""),
        ("fault = 1", 1, ""),
    ] {
        let error = Script::from_toml(text).unwrap_err();
        assert_eq!(error.line(), Some(line), "{error}");
        assert!(error.message().contains(matter), "{error}");
    }
}
