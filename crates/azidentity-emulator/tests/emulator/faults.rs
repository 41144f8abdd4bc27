//! What faults do on the wire, with TLS and without.

use std::io::{ErrorKind, Read as _, Write as _};
use std::thread;
use std::time::Duration;

use azidentity_emulator::{Emulator, Fault, RecordedRequest, Server};
use serde_json::{Value, json};

use crate::client::{Client, built_in};
use crate::wire::{Reply, ask, connect, get, request};

const MEBIBYTE: usize = 1024 * 1024;

type Act = fn(Fault) -> Fault;

/// A place on either port, with an answer that is always the same.
struct Place {
    server: Server,
    fault: fn() -> Fault,
    path: &'static str,
    /// The status of the real answer.
    status: u16,
}

const PLACES: [Place; 2] = [
    Place {
        server: Server::Authority,
        fault: Fault::openid_configuration,
        path: "/common/v2.0/.well-known/openid-configuration",
        status: 200,
    },
    Place {
        server: Server::ManagedIdentity,
        fault: Fault::imds,
        path: "/metadata/identity/oauth2/token",
        status: 400,
    },
];

impl Place {
    fn get(&self, emulator: &Emulator) -> Reply {
        get(emulator, self.server, self.path)
    }

    /// What a fault leads to, after the real answer.
    fn with(&self, emulator: &Emulator, act: impl FnOnce(Fault) -> Fault) -> (Reply, Reply) {
        emulator.clear_script();
        let real = self.get(emulator);
        assert_eq!(real.status(), self.status);
        emulator.script(act((self.fault)()));
        let hit = self.get(emulator);
        // It was used up, and the emulator is as it was.
        assert_eq!(self.get(emulator).body(), real.body());
        (real, hit)
    }
}

fn last_hit(emulator: &Emulator) -> RecordedRequest {
    let mut requests = emulator.requests();
    requests.retain(RecordedRequest::fault);
    requests.pop().unwrap()
}

/// Whether less has come than was announced.
fn is_incomplete(reply: &Reply) -> bool {
    reply.body().len() < reply.length()
}

struct Case {
    act: Act,
    /// `None`: that of the real answer.
    status: Option<u16>,
    headers: &'static [(&'static str, &'static str)],
    /// `None`: that of the real answer.
    body: Option<&'static str>,
}

const DATE: &str = "Wed, 21 Oct 2026 07:28:00 GMT";

const REPLIES: &[Case] = &[
    Case {
        act: |fault| fault.status(503).retry_after(2),
        status: Some(503),
        headers: &[("retry-after", "2"), ("content-length", "0")],
        body: Some(""),
    },
    Case {
        act: |fault| {
            fault
                .status(429)
                .header("Retry-After", DATE)
                .body("slow down")
        },
        status: Some(429),
        headers: &[
            ("retry-after", DATE),
            ("content-type", "text/plain; charset=utf-8"),
        ],
        body: Some("slow down"),
    },
    Case {
        act: |fault| fault.body("<html>").header("content-type", "text/html"),
        status: Some(200),
        headers: &[("content-type", "text/html")],
        body: Some("<html>"),
    },
    Case {
        act: |fault| fault.json(json!({ "error": ["a", 1] })).status(500),
        status: Some(500),
        headers: &[("content-type", "application/json; charset=utf-8")],
        body: Some(r#"{"error":["a",1]}"#),
    },
    Case {
        act: |fault| fault.redirect("https://elsewhere.example/"),
        status: Some(302),
        headers: &[("location", "https://elsewhere.example/")],
        body: Some(""),
    },
    Case {
        act: |fault| {
            fault
                .status(307)
                .redirect("/x")
                .redirect("/y")
                .body("there")
        },
        status: Some(307),
        headers: &[("location", "/y")],
        body: Some("there"),
    },
    Case {
        act: |fault| {
            fault
                .header("x-a", "b")
                .header("content-type", "text/x-odd")
        },
        status: None,
        headers: &[("x-a", "b"), ("content-type", "text/x-odd")],
        body: None,
    },
    Case {
        act: |fault| fault.delay(Duration::from_millis(1)),
        status: None,
        headers: &[],
        body: None,
    },
    Case {
        act: |fault| fault.delay(Duration::from_millis(1)).status(410),
        status: Some(410),
        headers: &[],
        body: Some(""),
    },
    Case {
        act: |fault| fault,
        status: None,
        headers: &[],
        body: None,
    },
];

#[test]
fn an_answer_can_be_replaced() {
    let emulator = built_in();
    for place in &PLACES {
        for (number, case) in REPLIES.iter().enumerate() {
            let (real, hit) = place.with(&emulator, case.act);
            let status = case.status.unwrap_or(place.status);
            assert_eq!(hit.status(), status, "{number}");
            for (name, value) in case.headers {
                assert_eq!(hit.header(name).as_deref(), Some(*value), "{number}");
            }
            let body = case.body.map_or(real.body(), str::as_bytes);
            assert_eq!(hit.body(), body, "{number}");
            assert!(!is_incomplete(&hit) && hit.end.is_ok(), "{number}");
            assert_eq!(last_hit(&emulator).status(), Some(status), "{number}");
        }
    }
}

#[test]
fn entra_can_refuse_with_any_number() {
    let emulator = built_in();
    for place in &PLACES {
        for (number, status, error) in [
            (7_000_215, 401, "invalid_client"),
            (700_016, 400, "unauthorized_client"),
            (50076, 400, "interaction_required"),
            (700_082, 400, "invalid_grant"),
            (90033, 503, "temporarily_unavailable"),
            (1, 400, "invalid_request"),
        ] {
            let (_, hit) = place.with(&emulator, |fault| fault.aadsts(number));
            let body: Value = serde_json::from_slice(hit.body()).unwrap();
            assert_eq!(hit.status(), status, "{body}");
            assert_eq!(body["error"], error);
            assert_eq!(body["error_codes"], json!([number]));
            let description = body["error_description"].as_str().unwrap();
            assert!(
                description.starts_with(&format!("AADSTS{number}: ")),
                "{body}"
            );
            assert!(
                !hit.body().contains(&b'\\') && body["trace_id"].is_string(),
                "{body}"
            );
        }
        let fields = json!({ "error": "invalid_grant", "suberror": "basic_action" });
        let act = |fault: Fault| fault.aadsts(50076).status(500).json(fields).retry_after(3);
        let (_, hit) = place.with(&emulator, act);
        let body: Value = serde_json::from_slice(hit.body()).unwrap();
        assert_eq!(
            (hit.status(), hit.header("retry-after")),
            (500, Some("3".into()))
        );
        assert_eq!(body["error"], "invalid_grant");
        assert_eq!(body["suberror"], "basic_action");
        assert_eq!(body["error_codes"], json!([50076]));
    }
}

#[test]
fn an_answer_can_end_early() {
    let emulator = built_in();
    for place in &PLACES {
        let (real, hit) = place.with(&emulator, |fault| fault.truncate(10));
        assert_eq!((hit.status(), hit.length()), (place.status, real.length()));
        assert_eq!(hit.body(), &real.body()[..10]);
        assert!(hit.end.is_ok(), "{:?}", hit.end);
        assert_eq!(last_hit(&emulator).status(), Some(place.status));
        let (real, hit) = place.with(&emulator, |fault| fault.truncate(usize::MAX));
        assert_eq!(hit.length(), real.length());
        assert_eq!(hit.body(), &real.body()[..real.length() - 1]);
        let act = |fault: Fault| {
            fault
                .truncate(0)
                .json(json!([1]))
                .status(503)
                .retry_after(1)
        };
        let (_, hit) = place.with(&emulator, act);
        assert_eq!((hit.status(), hit.length()), (503, 3));
        assert_eq!(hit.header("retry-after").as_deref(), Some("1"));
        assert!(hit.body().is_empty());
        // Nothing is missing where there is nothing, unless more is announced.
        let (_, hit) = place.with(&emulator, |fault| fault.status(503).truncate(5));
        assert!(is_incomplete(&hit));
    }
}

#[test]
fn an_answer_can_be_too_long() {
    let emulator = built_in();
    for place in &PLACES {
        let (real, hit) = place.with(&emulator, |fault| fault.oversize(3));
        assert_eq!((hit.status(), hit.length()), (place.status, 3 * MEBIBYTE));
        assert_eq!(hit.body().len(), 3 * MEBIBYTE);
        let parsed: Value = serde_json::from_slice(hit.body()).unwrap();
        assert_eq!(
            parsed,
            serde_json::from_slice::<Value>(real.body()).unwrap()
        );
        assert_eq!(last_hit(&emulator).status(), Some(place.status));
        // Longer than the limit from the start.
        let text = "x".repeat(MEBIBYTE + 1);
        let (_, hit) = place.with(&emulator, |fault| fault.body(text).oversize(1));
        assert_eq!(hit.body().len(), MEBIBYTE + 1);
    }
}

#[test]
fn an_answer_can_be_no_http() {
    let emulator = built_in();
    for place in &PLACES {
        let (_, hit) = place.with(&emulator, Fault::garbage);
        assert!(
            !hit.bytes.is_empty() && !hit.bytes.starts_with(b"H"),
            "{hit:?}"
        );
        assert!(hit.end.is_ok(), "{:?}", hit.end);
        assert_eq!(last_hit(&emulator).status(), None);
    }
}

#[test]
fn a_connection_can_be_reset() {
    let emulator = built_in();
    for place in &PLACES {
        let act = |fault: Fault| fault.reset().delay(Duration::from_millis(1));
        let (_, hit) = place.with(&emulator, act);
        assert!(hit.bytes.is_empty(), "{hit:?}");
        assert_eq!(hit.end.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(last_hit(&emulator).status(), None);
    }
}

#[test]
fn what_a_connection_was_answered_before_is_not_lost() {
    let emulator = built_in();
    for place in &PLACES {
        let real = place.get(&emulator);
        let acts: [Act; 2] = [Fault::garbage, |fault| fault.truncate(0)];
        for act in acts {
            emulator.script(act((place.fault)()).skip(2));
            // All at once, and the last two are one too many.
            let requests = request(place.path).replace("Connection: close\r\n", "");
            let hit = ask(&emulator, place.server, &requests.repeat(4));
            let text = String::from_utf8_lossy(&hit.bytes);
            let whole = std::str::from_utf8(real.body()).unwrap();
            assert_eq!(text.matches(whole).count(), 2, "{text}");
        }
        assert_eq!(place.get(&emulator).body(), real.body());
    }
}

#[tokio::test]
async fn real_clients_see_the_faults_as_errors() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    for place in &PLACES {
        let base = match place.server {
            Server::Authority => emulator.authority_host(),
            _ => emulator.http_endpoint(),
        };
        let acts: [Act; 4] = [
            Fault::reset,
            Fault::garbage,
            |fault| fault.truncate(10),
            |fault| fault.truncate(0),
        ];
        for act in acts {
            emulator.script(act((place.fault)()));
            let request = client.request(reqwest::Method::GET, &format!("{base}{}", place.path));
            let outcome = match request.send().await {
                Ok(response) => response.bytes().await,
                Err(error) => Err(error),
            };
            assert!(outcome.is_err(), "{outcome:?}");
        }
    }
}

/// Sends a request, and reads an end of the answer that does not come before
/// the emulator's own end.
fn withheld(emulator: Emulator, place: &Place, head_comes: bool) {
    let mut wire = connect(&emulator, place.server);
    wire.write_all(request(place.path).as_bytes()).unwrap();
    let mut head = Vec::new();
    while head_comes && !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        wire.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    // The request has arrived; that it is recorded shows that it is being held.
    while !emulator.requests().iter().any(RecordedRequest::fault) {
        thread::yield_now();
    }
    // Others do not wait for it.
    assert_eq!(place.get(&emulator).status(), place.status);
    drop(emulator);
    let mut rest = Vec::new();
    // With TLS the abrupt end is an error, without it is an end like any other.
    let _ = wire.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    if head_comes {
        let reply = Reply {
            bytes: head,
            end: Ok(()),
        };
        assert!(is_incomplete(&reply));
        assert_eq!(reply.status(), place.status);
    }
}

#[test]
fn an_answer_can_be_held_back_until_the_emulator_ends() {
    for place in &PLACES {
        let emulator = built_in();
        emulator.script((place.fault)().delay(Duration::from_secs(600)));
        withheld(emulator, place, false);
        let emulator = built_in();
        emulator.script((place.fault)().stall());
        withheld(emulator, place, true);
        let emulator = built_in();
        emulator.script((place.fault)().stall().delay(Duration::from_secs(600)));
        withheld(emulator, place, false);
    }
}

#[test]
fn a_client_that_hangs_up_is_not_waited_for() {
    let emulator = built_in();
    let place = &PLACES[1];
    let acts: [(Act, usize); 2] = [
        (Fault::stall, 1),
        (|fault| fault.delay(Duration::from_secs(600)), 0),
    ];
    for (act, awaited) in acts {
        emulator.script(act((place.fault)()).always());
        // More than an emulator serves at a time, so they must not pile up.
        for _ in 0..1100 {
            let mut wire = connect(&emulator, place.server);
            wire.write_all(request(place.path).as_bytes()).unwrap();
            wire.read_exact(&mut [0; 1][..awaited]).unwrap();
        }
    }
    emulator.clear_script();
    assert_eq!(place.get(&emulator).status(), place.status);
}

#[test]
fn values_out_of_range_are_refused_at_once() {
    let acts: [fn() -> Fault; 9] = [
        || Fault::token().status(199),
        || Fault::token().status(600),
        || Fault::token().aadsts(0),
        || Fault::token().oversize(0),
        || Fault::token().oversize(1025),
        || Fault::token().delay(Duration::from_millis(600_001)),
        || Fault::token().header("no name", "x"),
        || Fault::token().header("Content-Length", "1"),
        || Fault::token().redirect("/a\r\nset-cookie: b"),
    ];
    for (number, act) in acts.into_iter().enumerate() {
        assert!(std::panic::catch_unwind(act).is_err(), "{number}");
    }
}
