//! The default chain.

use std::{fs, sync::Arc};

use azidentity::{
    Credential, DefaultAzureCredential, DefaultAzureCredentialBuilder, DefaultChainMember,
    Environment, FailureKind, ManualClock,
};
use azidentity_emulator::World;
use azure_core::credentials::TokenCredential;

use crate::{
    client_assertion::ASSERTION,
    support::{CLIENT, OTHER_SCOPE, SCOPE, START, TENANT, TestWorld, Wire, claims, expect_error},
};

fn builder(world: &TestWorld, variables: &[(&str, &str)]) -> DefaultAzureCredentialBuilder {
    DefaultAzureCredential::builder()
        .authority_host(world.emulator.authority_host())
        .disable_instance_discovery(true)
        .client_options(world.client_options())
        .environment(
            Environment::builder()
                .imds_host(world.emulator.imds_host())
                .variables(variables.iter().copied())
                .build(),
        )
}

#[tokio::test]
async fn the_environment_comes_before_the_host() {
    let world = TestWorld::start();
    let secret = world.secret();
    let application = [
        ("AZURE_TENANT_ID", World::TENANT_ID),
        ("AZURE_CLIENT_ID", World::CLIENT_ID),
        ("AZURE_CLIENT_SECRET", &*secret),
    ];
    for (variables, credential, client) in [
        (&application[..], "environment", World::CLIENT_ID),
        (&[], "managed-identity", World::SYSTEM_ASSIGNED_CLIENT_ID),
        (
            &[("AZURE_CLIENT_ID", World::USER_ASSIGNED_CLIENT_ID)],
            "managed-identity",
            World::USER_ASSIGNED_CLIENT_ID,
        ),
        (
            &[
                ("AZURE_CLIENT_ID", ""),
                ("AZURE_TENANT_ID", ""),
                ("AZURE_CLIENT_SECRET", ""),
            ],
            "managed-identity",
            World::SYSTEM_ASSIGNED_CLIENT_ID,
        ),
    ] {
        let chain = builder(&world, variables).build().expect("a chain");
        let info = chain.get_token_info(&[SCOPE], None).await.expect("a token");
        assert_eq!(
            (info.credential(), claims(info.token())["appid"].as_str()),
            (credential, Some(client))
        );
        assert!(
            chain.cached(&[SCOPE], None).is_some(),
            "the winner's memory is the chain's"
        );
    }
}

#[tokio::test]
async fn the_winner_is_remembered() {
    let world = TestWorld::start();
    let chain = builder(&world, &[]).build().expect("a chain");
    chain.get_token(&[SCOPE], None).await.expect("a token");
    world.emulator.clear_requests();
    chain
        .get_token(&[OTHER_SCOPE], None)
        .await
        .expect("a token");
    assert_eq!(
        world.emulator.request_count(),
        1,
        "no probe, no other member"
    );
}

#[tokio::test]
async fn a_refused_application_stops_the_chain() {
    let world = TestWorld::start();
    let chain = builder(
        &world,
        &[
            ("AZURE_TENANT_ID", World::TENANT_ID),
            ("AZURE_CLIENT_ID", World::CLIENT_ID),
            ("AZURE_CLIENT_SECRET", "pl4nted~wrong"),
        ],
    )
    .build()
    .expect("a chain");
    let error = expect_error(
        chain.get_token(&[SCOPE], None).await,
        FailureKind::AuthenticationFailed,
        &["environment tried and failed", "AADSTS7000215"],
    );
    assert_eq!(
        (error.credential(), error.attempts().len()),
        (Some("default"), 1)
    );
}

#[tokio::test]
async fn a_member_that_cannot_be_made_is_reported_at_its_turn() {
    let world = TestWorld::start();
    let chain = builder(
        &world,
        &[
            ("AZURE_TENANT_ID", "not a tenant"),
            ("AZURE_CLIENT_ID", World::CLIENT_ID),
            ("AZURE_CLIENT_SECRET", "pl4nted"),
        ],
    )
    .build()
    .expect("the constructor does not fail");
    expect_error(
        chain.get_token(&[SCOPE], None).await,
        FailureKind::AuthenticationFailed,
        &["environment", "not a tenant"],
    );
}

#[tokio::test]
async fn nothing_there_lists_every_member() {
    let mut wire = Wire::new();
    let chain = DefaultAzureCredential::builder()
        .client_options(wire.client_options())
        .environment(
            Environment::builder()
                .clock(Arc::new(ManualClock::skipping(START)))
                .build(),
        )
        .build()
        .expect("a chain");
    let (result, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        wire.next().await.answer(404, "");
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["environment: ", "workload-identity: ", "managed-identity: "],
    );
    assert_eq!(error.attempts().len(), DefaultChainMember::all().count());
}

/// A chain in a pod whose token is in `file`, with further variables.
fn in_pod(
    wire: &Wire,
    file: &std::path::Path,
    variables: &[(&str, &str)],
) -> DefaultAzureCredentialBuilder {
    DefaultAzureCredential::builder()
        .client_options(wire.client_options())
        .environment(
            Environment::builder()
                .clock(Arc::new(ManualClock::skipping(START)))
                .variable("AZURE_TENANT_ID", TENANT)
                .variable("AZURE_FEDERATED_TOKEN_FILE", file.to_str().expect("UTF-8"))
                .variables(variables.iter().copied())
                .build(),
        )
}

#[tokio::test]
async fn a_pods_identity_comes_between_environment_and_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, ASSERTION).expect("a file");
    let by_variable = [("AZURE_CLIENT_ID", CLIENT)];
    for (variables, of_workload, of_managed_identity, client) in [
        (&by_variable[..], None, None, CLIENT),
        (&by_variable, None, Some("managed"), CLIENT),
        (&by_variable, Some("workload"), Some("managed"), "workload"),
        (&by_variable, Some(""), Some("managed"), CLIENT),
        (&[], None, Some("managed"), "managed"),
        (&[], Some("workload"), None, "workload"),
    ] {
        let mut wire = Wire::new();
        let mut builder = in_pod(&wire, &file, variables);
        if let Some(id) = of_workload {
            builder = builder.workload_identity_client_id(id);
        }
        if let Some(id) = of_managed_identity {
            builder = builder.managed_identity_client_id(id);
        }
        let chain = builder.build().expect("a chain");
        let (info, ()) = futures::join!(chain.get_token_info(&[SCOPE], None), async {
            let exchange = wire.next().await;
            assert_eq!(exchange.form["client_id"], client);
            assert_eq!(exchange.form["client_assertion"], ASSERTION);
            exchange.answer_token("token", 3600);
        });
        assert_eq!(info.expect("a token").credential(), "workload-identity");
    }

    let mut wire = Wire::new();
    let chain = in_pod(&wire, &file, &by_variable)
        .workload_identity_tenant_id("fabrikam.example")
        .build()
        .expect("a chain");
    let (info, ()) = futures::join!(chain.get_token_info(&[SCOPE], None), async {
        let exchange = wire.next().await;
        assert_eq!(exchange.url.path(), "/fabrikam.example/oauth2/v2.0/token");
        exchange.answer_token("token", 3600);
    });
    info.expect("a token");
}

#[tokio::test]
async fn a_pod_without_its_token_goes_on_and_a_refused_one_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let variables = [("AZURE_CLIENT_ID", CLIENT)];
    let mut wire = Wire::new();
    let chain = in_pod(&wire, &file, &variables).build().expect("a chain");
    let (result, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        let probe = wire.next().await;
        assert_eq!(probe.url.host_str(), Some("169.254.169.254"));
        probe.answer(404, "");
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["workload-identity: ", "does not exist"],
    );
    assert_eq!(error.attempts().len(), DefaultChainMember::all().count());

    fs::write(&file, ASSERTION).expect("a file");
    let (result, ()) = futures::join!(chain.get_token(&[SCOPE], None), async {
        wire.next()
            .await
            .answer(401, r#"{"error":"invalid_client"}"#);
    });
    let error = expect_error(
        result,
        FailureKind::AuthenticationFailed,
        &["workload-identity tried and failed"],
    );
    assert_eq!(error.attempts().len(), 2);
}

#[test]
fn the_variable_and_the_builder_choose_members() {
    use DefaultChainMember::{Environment as EnvironmentMember, ManagedIdentity, WorkloadIdentity};
    let members =
        |value: Option<&str>, include: &[DefaultChainMember], exclude: &[DefaultChainMember]| {
            let mut environment = Environment::builder();
            if let Some(value) = value {
                environment = environment.variable("AZURE_TOKEN_CREDENTIALS", value);
            }
            let mut builder = DefaultAzureCredential::builder().environment(environment.build());
            for &member in include {
                builder = builder.include(member);
            }
            for &member in exclude {
                builder = builder.exclude(member);
            }
            builder.build().map(|chain| {
                let shown = format!("{chain:?}");
                (
                    shown.contains("EnvironmentCredential"),
                    shown.contains("workload-identity"),
                    shown.contains("ManagedIdentityCredential"),
                )
            })
        };
    for (value, include, exclude, expected) in [
        (None, &[][..], &[][..], (true, true, true)),
        (Some(""), &[], &[], (true, true, true)),
        (Some("  "), &[], &[], (true, true, true)),
        (Some("prod"), &[], &[], (true, true, true)),
        (
            Some(" ManagedIdentityCredential"),
            &[],
            &[],
            (false, false, true),
        ),
        (
            Some("WorkloadIdentityCredential"),
            &[],
            &[],
            (false, true, false),
        ),
        (
            Some("environmentcredential"),
            &[],
            &[],
            (true, false, false),
        ),
        (
            Some("environmentcredential"),
            &[ManagedIdentity],
            &[],
            (true, false, true),
        ),
        (Some("dev"), &[ManagedIdentity], &[], (false, false, true)),
        (None, &[], &[EnvironmentMember], (false, true, true)),
    ] {
        assert_eq!(
            members(value, include, exclude).expect("a chain"),
            expected,
            "{value:?} {include:?} {exclude:?}"
        );
    }
    expect_error(
        members(Some("NoSuchCredential"), &[], &[]),
        FailureKind::Configuration,
        &[
            "AZURE_TOKEN_CREDENTIALS",
            "nosuchcredential",
            "managedidentitycredential",
            "workloadidentitycredential",
        ],
    );
    expect_error(
        members(
            None,
            &[],
            &[EnvironmentMember, WorkloadIdentity, ManagedIdentity],
        ),
        FailureKind::Configuration,
        &["at least one"],
    );
}
