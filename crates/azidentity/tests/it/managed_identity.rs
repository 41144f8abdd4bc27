//! Managed identities: against the emulator, and against whatever else may answer at their addresses.

use std::{sync::Arc, time::Duration};

use azidentity::{
    ChainedTokenCredential, Credential, Environment, EnvironmentBuilder, FailureKind, Machine,
    ManagedIdentityCredential, ManualClock, UserAssignedId,
};
use azidentity_emulator::World;
use azure_core::{credentials::TokenCredential, error::ErrorKind};
use futures::FutureExt;

use crate::support::{SCOPE, START, TestWorld, Wire, claims, expect_error, token_json};

fn on_host(
    world: &TestWorld,
    app_service: bool,
    id: Option<UserAssignedId>,
) -> Arc<ManagedIdentityCredential> {
    let environment = if app_service {
        Environment::builder().variables([
            ("IDENTITY_ENDPOINT", world.emulator.app_service_endpoint()),
            (
                "IDENTITY_HEADER",
                world.emulator.identity_header().to_owned(),
            ),
        ])
    } else {
        Environment::builder().imds_host(world.emulator.imds_host())
    };
    let mut builder = ManagedIdentityCredential::builder()
        .client_options(world.client_options())
        .environment(environment.build());
    if let Some(id) = id {
        builder = builder.user_assigned_id(id);
    }
    builder.build().expect("a valid configuration")
}

#[tokio::test]
async fn every_host_serves_every_identity() {
    let world = TestWorld::start();
    let user_assigned = world
        .emulator
        .world()
        .identities()
        .iter()
        .find(|identity| !identity.is_system_assigned())
        .expect("the built-in world has one");
    for app_service in [false, true] {
        for (id, client_id) in [
            (None, World::SYSTEM_ASSIGNED_CLIENT_ID),
            (
                Some(UserAssignedId::ClientId(user_assigned.client_id().into())),
                user_assigned.client_id(),
            ),
            (
                Some(UserAssignedId::ObjectId(user_assigned.object_id().into())),
                user_assigned.client_id(),
            ),
            (
                Some(UserAssignedId::ResourceId(
                    user_assigned.resource_id().into(),
                )),
                user_assigned.client_id(),
            ),
        ] {
            world.emulator.clear_requests();
            let credential = on_host(&world, app_service, id.clone());
            let info = credential
                .get_token_info(&[SCOPE], None)
                .await
                .unwrap_or_else(|error| panic!("{app_service} {id:?}: {error}"));
            let claims = claims(info.token());
            assert_eq!(claims["aud"], "https://vault.azure.net");
            assert_eq!(claims["appid"], client_id);
            assert_eq!(
                (info.credential(), info.tenant()),
                ("managed-identity", None)
            );
            assert!(claims["exp"].as_i64() >= Some(info.expires_on().unix_timestamp()));
            credential.get_token(&[SCOPE], None).await.expect("a token");
            assert_eq!(
                world.emulator.request_count(),
                1,
                "no probe, and the second from memory"
            );
        }
    }
}

#[tokio::test]
async fn an_identity_that_is_not_there_is_unavailable() {
    let world = TestWorld::start();
    for app_service in [false, true] {
        let unknown = UserAssignedId::ClientId("00000000-0000-0000-0000-00000000dead".into());
        let credential = on_host(&world, app_service, Some(unknown));
        let error = expect_error(
            credential.get_token(&[SCOPE], None).await,
            FailureKind::Unavailable,
            &["client id 00000000-0000-0000-0000-00000000dead", "HTTP 400"],
        );
        assert_eq!(error.server().expect("the answer").status, 400);
        assert!(!error.to_string().contains(world.emulator.identity_header()));
    }
}

#[tokio::test]
async fn one_scope_at_a_time() {
    let world = TestWorld::start();
    let credential = on_host(&world, false, None);
    let result = credential
        .get_token(&[SCOPE, "https://graph.microsoft.com/.default"], None)
        .await;
    expect_error(
        result,
        FailureKind::Configuration,
        &["one resource", "graph.microsoft.com"],
    );
    assert_eq!(world.emulator.request_count(), 0);
}

/// A managed identity credential whose wire the test holds, alone or in a chain.
struct OnWire {
    wire: Wire,
    clock: Arc<ManualClock>,
    credential: Arc<ManagedIdentityCredential>,
    chain: Arc<ChainedTokenCredential>,
}

impl OnWire {
    fn new(
        clock: ManualClock,
        change: impl FnOnce(EnvironmentBuilder) -> EnvironmentBuilder,
    ) -> Self {
        let wire = Wire::new();
        let clock = Arc::new(clock);
        let environment = change(Environment::builder().clock(clock.clone())).build();
        let credential = ManagedIdentityCredential::builder()
            .client_options(wire.client_options())
            .environment(environment)
            .build()
            .expect("a valid configuration");
        let chain = ChainedTokenCredential::new(vec![credential.clone().into()]).expect("a chain");
        Self {
            wire,
            clock,
            credential,
            chain,
        }
    }
}

#[tokio::test]
async fn scopes_become_resources_by_losing_one_suffix() {
    for (scope, resource) in [
        (
            "https://vault.azure.net/.default",
            "https://vault.azure.net",
        ),
        ("https://vault.azure.net", "https://vault.azure.net"),
        (
            "797f4846-ba00-4fd7-ba43-dac1f8f63013/.default",
            "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        ),
        ("api://x&y=z/.default", "api://x&y=z"),
        (
            "https://management.core.windows.net//.default",
            "https://management.core.windows.net/",
        ),
    ] {
        let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
        let scopes = [scope];
        let (result, ()) = futures::join!(on.credential.get_token(&scopes, None), async {
            let request = on.wire.next().await;
            let query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
            let expected = [("api-version", "2018-02-01"), ("resource", resource)];
            assert_eq!(
                query,
                expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
            );
            assert_eq!(request.url.host_str(), Some("169.254.169.254"));
            assert_eq!(
                request.headers.get("metadata").map(String::as_str),
                Some("true")
            );
            request.answer_token("AT", 3600);
        });
        result.expect("a token");
    }
}

#[tokio::test]
async fn the_earlier_of_two_expiries_counts() {
    for (expiry, expires_on) in [
        (r#""expires_in":"3600""#.to_owned(), START + 3600),
        (format!(r#""expires_on":"{}""#, START + 60), START + 60),
        (
            format!(r#""expires_in":3600,"expires_on":{}"#, START + 100),
            START + 100,
        ),
        (
            format!(r#""expires_in":50,"expires_on":{}"#, START + 100),
            START + 50,
        ),
    ] {
        let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
        let (result, ()) = futures::join!(on.credential.get_token(&[SCOPE], None), async {
            on.wire
                .next()
                .await
                .answer(200, format!(r#"{{"access_token":"AT",{expiry}}}"#));
        });
        assert_eq!(
            result.expect("a token").expires_on.unix_timestamp(),
            expires_on,
            "{expiry}"
        );
    }
}

#[tokio::test]
async fn answers_that_are_no_token_mean_unavailable() {
    for (status, body, says) in [
        (
            400,
            r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
            "Identity not found",
        ),
        (
            403,
            "connecting to 169.254.169.254:80: dial tcp: unreachable network",
            "unreachable",
        ),
        (200, "<html>Welcome</html>", "no token answer"),
        (
            200,
            r#"{"access_token":"pl4nted"}"#,
            "neither expires_in nor expires_on",
        ),
        (
            200,
            r#"{"access_token":"pl4nted","expires_on":"1"}"#,
            "expired",
        ),
        (200, r#"{"expires_in":3600}"#, "HTTP 200"),
        (401, r#"{"error":"unauthorized"}"#, "unauthorized"),
    ] {
        let mut on = OnWire::new(ManualClock::skipping(START), |environment| environment);
        let (result, ()) = futures::join!(on.credential.get_token(&[SCOPE], None), async {
            on.wire.next().await.answer(status, body);
        });
        expect_error(result, FailureKind::Unavailable, &[says]);
        assert!(on.wire.try_next().is_none());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_no_token_either() {
    let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
    let (result, ()) = futures::join!(on.credential.get_token(&[SCOPE], None), async {
        let megabyte = azure_core::Bytes::from(vec![b' '; 1024 * 1024]);
        on.wire
            .next()
            .await
            .answer_in_chunks(vec![megabyte; 5], true);
    });
    expect_error(result, FailureKind::Unavailable, &["more than 4 MiB"]);
}

/// A chain's short probe is not the measure for whoever asks the credential itself.
#[tokio::test]
async fn a_direct_call_does_not_share_a_chains_probe() {
    let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
    let chain = on.chain.clone();
    let mut chained = chain.get_token(&[SCOPE], None);
    assert!((&mut chained).now_or_never().is_none());
    let _silent_probe = on.wire.next().await;
    let (result, ()) = futures::join!(on.credential.get_token(&[SCOPE], None), async {
        let request = on.wire.next().await;
        assert!(request.headers.contains_key("metadata"));
        request.answer_token("AT", 3600);
    });
    result.expect("a token");
}

#[tokio::test]
async fn the_retry_rules_of_the_metadata_service_apply() {
    let mut on = OnWire::new(ManualClock::skipping(START), |environment| environment);
    let (result, ()) = futures::join!(on.credential.get_token(&[SCOPE], None), async {
        for status in [404, 429, 500, 410, 503] {
            on.wire.next().await.answer(status, "{}");
        }
        on.wire.next().await.answer_token("AT", 3600);
    });
    result.expect("a token");
    let waits: Vec<f64> = on.clock.slept().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(waits, [0.0, 1.6, 3.2, 20.0, 12.8]);
}

#[tokio::test]
async fn only_a_chain_probes_and_only_until_the_service_is_proven() {
    let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
    let (result, ()) = futures::join!(on.chain.get_token(&[SCOPE], None), async {
        let probe = on.wire.next().await;
        assert!(
            !probe.headers.contains_key("metadata"),
            "a probe asks for no token"
        );
        probe.answer(400, r#"{"error":"invalid_request"}"#);
        let request = on.wire.next().await;
        assert!(request.headers.contains_key("metadata"));
        request.answer_token("AT-1", 3600);
    });
    result.expect("a token");

    let (result, ()) = futures::join!(
        on.chain
            .get_token(&["https://storage.azure.com/.default"], None),
        async {
            let request = on.wire.next().await;
            assert!(
                request.headers.contains_key("metadata"),
                "proven: no second probe"
            );
            request.answer_token("AT-2", 3600);
        }
    );
    result.expect("a token");
}

#[tokio::test]
async fn the_probe_waits_as_long_as_the_evidence_says() {
    let laptop = Machine::with_chassis_asset_tag("No Asset Information");
    for (machine, limit) in [
        (laptop.clone(), 100),
        (laptop.inside_container(), 1000),
        (Machine::default(), 1000),
    ] {
        let mut on = OnWire::new(ManualClock::new(START), |environment| {
            environment.machine(machine)
        });
        let mut call = on.chain.get_token(&[SCOPE], None);
        assert!((&mut call).now_or_never().is_none());
        let _silent = on.wire.next().await;
        on.clock.advance(Duration::from_millis(limit - 1));
        assert!(
            (&mut call).now_or_never().is_none(),
            "still within {limit} ms"
        );
        on.clock.advance(Duration::from_millis(1));
        let error = expect_error(
            call.await,
            FailureKind::AuthenticationFailed,
            &[&format!("{limit} ms")],
        );
        assert_eq!(error.attempts()[0].kind, Some(FailureKind::Unavailable));

        // Not remembered: the machine may have been slow to start.
        let (result, ()) = futures::join!(on.chain.get_token(&[SCOPE], None), async {
            on.wire.next().await.answer(400, "{}");
            on.wire.next().await.answer_token("AT", 3600);
        });
        result.expect("a token");
    }
}

#[tokio::test]
async fn no_probe_where_the_service_is_known_to_be() {
    type Change = Box<dyn FnOnce(EnvironmentBuilder) -> EnvironmentBuilder>;

    let azure = Machine::with_chassis_asset_tag("7783-7084-3265-9085-8269-3286-77");
    let changes: [(&str, Change); 3] = [
        ("an Azure machine", Box::new(move |e| e.machine(azure))),
        (
            "moved by a variable",
            Box::new(|e| e.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1/")),
        ),
        (
            "chosen by a variable",
            Box::new(|e| e.variable("AZURE_TOKEN_CREDENTIALS", " ManagedIdentityCredential ")),
        ),
    ];
    for (why, change) in changes {
        let mut on = OnWire::new(ManualClock::new(START), change);
        let (result, ()) = futures::join!(on.chain.get_token(&[SCOPE], None), async {
            let request = on.wire.next().await;
            assert!(request.headers.contains_key("metadata"), "{why}");
            assert_eq!(request.url.path(), "/metadata/identity/oauth2/token");
            request.answer(200, token_json("AT", 3600, None));
        });
        result.expect("a token");
    }
}

#[tokio::test]
async fn a_stranger_at_the_metadata_address_is_passed_over_at_once() {
    for (status, body, says) in [
        (
            403,
            "…connectex: a socket operation was attempted to an UNREACHABLE network",
            "unreachable",
        ),
        (404, "", "HTTP 404"),
        (502, "<html>Bad Gateway</html>", "HTTP 502"),
        (200, "<html>Welcome</html>", "HTTP 200"),
    ] {
        let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
        let (result, ()) = futures::join!(on.chain.get_token(&[SCOPE], None), async {
            on.wire.next().await.answer(status, body);
        });
        let error = expect_error(result, FailureKind::AuthenticationFailed, &[says]);
        assert_eq!(error.attempts()[0].kind, Some(FailureKind::Unavailable));
        assert!(
            on.wire.try_next().is_none(),
            "no retries for a stranger's {status}"
        );
    }
    let mut on = OnWire::new(ManualClock::new(START), |environment| environment);
    let (result, ()) = futures::join!(on.chain.get_token(&[SCOPE], None), async {
        on.wire.next().await.fail(ErrorKind::Connection, "refused");
    });
    expect_error(result, FailureKind::AuthenticationFailed, &["refused"]);
    assert!(
        on.wire.try_next().is_none(),
        "no retries for a refused connection"
    );
}

#[test]
fn the_host_is_chosen_by_its_variables() {
    let host_of = |names: &[&str]| {
        let environment = Environment::builder()
            .variables(names.iter().map(|&name| (name, "https://localhost/x")))
            .build();
        let built = ManagedIdentityCredential::builder()
            .environment(environment)
            .build();
        built.map(|_| ()).map_err(|error| error.to_string())
    };
    for (names, host) in [
        (
            &[
                "IDENTITY_ENDPOINT",
                "IDENTITY_HEADER",
                "IDENTITY_SERVER_THUMBPRINT",
            ][..],
            "Service Fabric",
        ),
        (
            &[
                "IDENTITY_ENDPOINT",
                "IMDS_ENDPOINT",
                "MSI_ENDPOINT",
                "MSI_SECRET",
            ],
            "Arc",
        ),
        (&["IDENTITY_ENDPOINT"], "IDENTITY_HEADER"),
        (&["MSI_ENDPOINT", "MSI_SECRET"], "Machine Learning"),
        (&["MSI_ENDPOINT"], "Cloud Shell"),
    ] {
        let error = host_of(names).expect_err("not served");
        assert!(error.contains(host), "{names:?}: {error}");
    }
    for names in [
        &["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT"][..],
        &[],
        &["MSI_SECRET"],
    ] {
        assert_eq!(host_of(names), Ok(()), "{names:?}");
    }
}
