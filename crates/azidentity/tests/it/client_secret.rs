//! An application with a secret, against the emulator.

use azidentity::{
    ClientSecretCredential, ClientSecretCredentialBuilder, Credential, FailureKind,
    TokenRequestOptions,
};
use azidentity_emulator::World;
use azure_core::{credentials::TokenCredential, time::OffsetDateTime};

use crate::support::{OTHER_SCOPE, SCOPE, TestWorld, claims, expect_error};

fn builder(
    world: &TestWorld,
    tenant: &str,
    client: &str,
    secret: &str,
) -> ClientSecretCredentialBuilder {
    ClientSecretCredential::builder(tenant, client, secret.to_owned())
        .authority_host(world.emulator.authority_host())
        .disable_instance_discovery(true)
        .client_options(world.client_options())
}

#[tokio::test]
async fn the_first_token_costs_one_request_and_the_second_none() {
    let world = TestWorld::start();
    let credential = builder(&world, World::TENANT_ID, World::CLIENT_ID, &world.secret())
        .build()
        .expect("a valid configuration");
    assert_eq!(
        world.emulator.request_count(),
        0,
        "the constructor sends nothing"
    );

    let token = credential.get_token(&[SCOPE], None).await.expect("a token");
    assert_eq!(world.emulator.request_count(), 1);
    let claims = claims(token.token.secret());
    assert_eq!(claims["aud"], "https://vault.azure.net");
    assert_eq!(claims["appid"], World::CLIENT_ID);
    assert_eq!(claims["tid"], World::TENANT_ID);
    assert!(
        claims["exp"].as_i64() >= Some(token.expires_on.unix_timestamp()),
        "never later than the token itself says"
    );
    assert!(token.expires_on > OffsetDateTime::now_utc());

    let info = credential
        .get_token_info(&[SCOPE], None)
        .await
        .expect("a token");
    assert_eq!(info.token(), token.token.secret());
    assert_eq!(
        (info.credential(), info.tenant(), info.token_type()),
        ("client-secret", Some(World::TENANT_ID), "Bearer")
    );
    assert_eq!(world.emulator.request_count(), 1);

    credential
        .get_token(&[OTHER_SCOPE], None)
        .await
        .expect("a token");
    assert_eq!(world.emulator.request_count(), 2);
}

#[tokio::test]
async fn refusals_carry_entras_numbers_and_ids() {
    let world = TestWorld::start();
    let secret = world.secret();
    for (tenant, client, secret, scope, code, advice) in [
        (
            World::TENANT_ID,
            World::CLIENT_ID,
            "pl4nted~wrong",
            SCOPE,
            7_000_215,
            "secret's value",
        ),
        (
            World::TENANT_ID,
            "00000000-0000-0000-0000-000000000000",
            &*secret,
            SCOPE,
            700_016,
            "client id",
        ),
        (
            "nobody.example",
            World::CLIENT_ID,
            &secret,
            SCOPE,
            90_002,
            "tenant",
        ),
        (
            World::TENANT_ID,
            World::CLIENT_ID,
            &secret,
            "https://vault.azure.net/user_impersonation",
            1_002_012,
            "/.default",
        ),
    ] {
        let credential = builder(&world, tenant, client, secret)
            .build()
            .expect("a valid configuration");
        let error = expect_error(
            credential.get_token(&[scope], None).await,
            FailureKind::AuthenticationFailed,
            &[&format!("AADSTS{code}"), advice, client, tenant],
        );
        let server = error.server().expect("the server's answer");
        assert_eq!(server.error_codes, [code]);
        assert!(
            server.correlation_id.is_some() && server.trace_id.is_some() && server.error.is_some()
        );
        assert!((400..500).contains(&server.status));
        assert!(!error.to_string().contains(&*world.secret()));
    }
}

#[tokio::test]
async fn another_tenant_is_used_when_allowed() {
    let world = TestWorld::start();
    let credential = builder(&world, "contoso.example", World::CLIENT_ID, &world.secret())
        .additionally_allowed_tenants([World::OTHER_TENANT_ID])
        .build()
        .expect("a valid configuration");
    let options = TokenRequestOptions {
        tenant_id: Some(World::OTHER_TENANT_ID.to_uppercase()),
        ..Default::default()
    };
    let token = credential
        .get_token(&[SCOPE], Some(options.into()))
        .await
        .expect("a token");
    assert_eq!(claims(token.token.secret())["tid"], World::OTHER_TENANT_ID);
}

#[tokio::test]
async fn continuous_access_evaluation_is_announced_when_asked_for() {
    let world = TestWorld::start();
    let credential = builder(&world, World::TENANT_ID, World::CLIENT_ID, &world.secret())
        .build()
        .expect("a valid configuration");
    let with_cae = TokenRequestOptions {
        enable_cae: true,
        ..Default::default()
    };
    let token = credential
        .get_token(&[SCOPE], Some(with_cae.into()))
        .await
        .expect("a token");
    assert_eq!(
        claims(token.token.secret())["xms_cc"],
        serde_json::json!(["cp1"])
    );
    let token = credential.get_token(&[SCOPE], None).await.expect("a token");
    assert!(claims(token.token.secret()).get("xms_cc").is_none());
}

#[test]
fn debug_shows_configuration_and_no_secret() {
    let builder = ClientSecretCredential::builder("t", "the-client", "pl4nted");
    let credential = ClientSecretCredential::new("t", "the-client".into(), "pl4nted".into(), None)
        .expect("a valid configuration");
    for shown in [format!("{builder:?}"), format!("{credential:?}")] {
        assert!(
            shown.contains("the-client") && !shown.contains("pl4nted"),
            "{shown}"
        );
    }
}
