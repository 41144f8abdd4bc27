//! Applications and their users at the emulator, which checks what they prove as Entra does.

use std::{fs, sync::Arc, time::Duration};

use azidentity::{
    AssertionFile, AuthorizationCodeCredential, AzurePipelinesCredential,
    ClientAssertionCredential, Environment, FailureKind, FederatedAssertion, FederatedCredential,
    IdentityError, OnBehalfOfClient, TokenRequestOptions, WorkloadIdentityCredential,
};
#[cfg(feature = "client_certificate")]
use azidentity::{ClientCertificate, ClientCertificateCredential};
use azidentity_emulator::{FederatedCredential as Trusted, SignIn, World};
use azure_core::credentials::TokenCredential;

use crate::support::{OTHER_SCOPE, SCOPE, TestWorld, claims, expect_error};

/// Sets what leads a builder into the emulator's world.
macro_rules! inside {
    ($world:ident, $builder:expr) => {
        inside!($world, [], $builder)
    };
    ($world:ident, $variables:expr, $builder:expr) => {{
        let variables: Vec<(&str, String)> = $variables.into();
        $builder
            .client_options($world.client_options())
            .authority_host($world.emulator.authority_host())
            .disable_instance_discovery(true)
            .environment(Environment::builder().variables(variables).build())
            .build()
            .unwrap()
    }};
}

async fn is_of(credential: Arc<dyn TokenCredential>, client_id: &str) {
    let token = credential.get_token(&[SCOPE], None).await.unwrap();
    let claims = claims(token.token.secret());
    let id = claims.get("appid").or(claims.get("azp")).unwrap();
    assert_eq!(id, client_id);
    assert_eq!(claims["aud"], "https://vault.azure.net");
}

#[cfg(feature = "client_certificate")]
#[tokio::test]
async fn certificates_are_known_by_thumbprint_or_chain() {
    let world = TestWorld::start();
    let registered = world.emulator.client_certificate().unwrap();
    let renewed = world.emulator.renewed_client_certificate().unwrap();
    let credential = |pem: String, chain: bool| {
        inside!(
            world,
            ClientCertificateCredential::builder(
                World::TENANT_ID,
                World::CLIENT_ID,
                ClientCertificate::from_bytes(pem.into_bytes()),
            )
            .send_certificate_chain(chain)
        )
    };
    is_of(credential(registered.pem(), false), World::CLIENT_ID).await;
    is_of(credential(renewed.pem(), true), World::CLIENT_ID).await;
    let unknown = credential(renewed.pem(), false)
        .get_token(&[SCOPE], None)
        .await;
    expect_error(
        unknown,
        FailureKind::AuthenticationFailed,
        &["AADSTS700027"],
    );
}

#[tokio::test]
async fn federated_applications_are_vouched_for() {
    let world = TestWorld::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let write = |subject| {
        let token = world
            .emulator
            .service_account_token(Trusted::AUDIENCE, subject);
        fs::write(&path, token.unwrap()).unwrap();
    };
    write(None);
    is_of(
        inside!(
            world,
            WorkloadIdentityCredential::builder()
                .tenant_id(World::TENANT_ID)
                .client_id(World::CLIENT_ID)
                .token_file_path(&path)
        ),
        World::CLIENT_ID,
    )
    .await;
    let by_file = inside!(
        world,
        ClientAssertionCredential::builder(
            World::TENANT_ID,
            World::CLIENT_ID,
            AssertionFile::new(&path),
        )
    );
    is_of(by_file.clone(), World::CLIENT_ID).await;
    // The file has another's token now, and is read again for the next exchange.
    write(Some("system:serviceaccount:other:stranger"));
    let refused = by_file.get_token(&[OTHER_SCOPE], None).await;
    expect_error(
        refused,
        FailureKind::AuthenticationFailed,
        &["AADSTS700213"],
    );

    is_of(
        inside!(
            world,
            [("SYSTEM_OIDCREQUESTURI", world.emulator.pipelines_oidc_uri())],
            AzurePipelinesCredential::builder(
                World::TENANT_ID,
                World::CLIENT_ID,
                World::SERVICE_CONNECTION_ID,
                world.emulator.pipelines_access_token().to_owned(),
            )
        ),
        World::CLIENT_ID,
    )
    .await;
    let github = [
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            world.emulator.github_oidc_url(),
        ),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            world.emulator.github_request_token().to_owned(),
        ),
    ];
    let google = [(
        "GCE_METADATA_HOST",
        world.emulator.http_endpoint().replace("http://", ""),
    )];
    for (source, variables) in [
        (FederatedAssertion::GitHubActions, github.to_vec()),
        (FederatedAssertion::GoogleCloud, google.to_vec()),
    ] {
        is_of(
            inside!(
                world,
                variables,
                FederatedCredential::builder(World::TENANT_ID, World::CLIENT_ID, source)
                    .assertion_client_options(world.client_options())
            ),
            World::CLIENT_ID,
        )
        .await;
    }
}

fn api(world: &TestWorld) -> Arc<OnBehalfOfClient> {
    let secret = world.emulator.world().client_secret(World::API_CLIENT_ID);
    inside!(
        world,
        OnBehalfOfClient::builder(World::TENANT_ID, World::API_CLIENT_ID)
            .client_secret(secret.unwrap().to_owned())
    )
}

#[tokio::test]
async fn a_web_api_asks_for_its_users() {
    let world = TestWorld::start();
    let api = api(&world);
    for user in [World::USERNAME] {
        let sign_in = SignIn::new(World::ORDERS_SCOPE).user(user);
        let tokens = world.emulator.sign_in(&sign_in).unwrap();
        let credential = api.for_user(tokens.access_token()).unwrap();
        let before = world.emulator.token_request_count();
        let token = credential.get_token(&[SCOPE], None).await.unwrap();
        assert_eq!(claims(token.token.secret())["upn"], user);
        // By the refresh token, and so also when the user's own token is over.
        world.emulator.advance(Duration::from_secs(2 * 3600));
        let other = credential.get_token(&[OTHER_SCOPE], None).await.unwrap();
        assert_eq!(claims(other.token.secret())["upn"], user);
        assert_eq!(world.emulator.token_request_count(), before + 2);
        let requests = world.emulator.requests();
        let last = requests.last().unwrap().form().get("grant_type");
        assert_eq!(last, Some("refresh_token"));
    }
}

#[tokio::test]
async fn a_user_who_has_to_prove_more_is_told_with_claims() {
    let world = TestWorld::start();
    let api = api(&world);
    let sign_in = SignIn::new(World::ORDERS_SCOPE).user(World::MFA_USERNAME);
    let weak = world.emulator.sign_in(&sign_in).unwrap();
    let credential = api.for_user(weak.access_token()).unwrap();
    let refused = credential.get_token(&[SCOPE], None).await.unwrap_err();
    let refused = IdentityError::find(&refused).unwrap();
    let server = refused.server().unwrap();
    assert_eq!(server.error_codes, [50_076]);
    assert!(server.claims.as_deref().unwrap().contains("access_token"));

    let strong = world.emulator.sign_in(&sign_in.mfa(true)).unwrap();
    let credential = api.for_user(strong.access_token()).unwrap();
    credential.get_token(&[SCOPE], None).await.unwrap();
}

#[tokio::test]
async fn a_token_for_another_audience_is_no_assertion() {
    let world = TestWorld::start();
    let stray = world.emulator.user_token(SCOPE).unwrap();
    let credential = api(&world).for_user(stray).unwrap();
    let refused = credential.get_token(&[OTHER_SCOPE], None).await;
    expect_error(refused, FailureKind::AuthenticationFailed, &["AADSTS50013"]);
}

#[tokio::test]
async fn a_code_is_good_for_more_than_its_scope() {
    let world = TestWorld::start();
    let sign_in = SignIn::new(&format!("offline_access {SCOPE}")).client_id(World::WEB_CLIENT_ID);
    let code = world.emulator.authorization_code(&sign_in).unwrap();
    let secret = world.emulator.world().client_secret(World::WEB_CLIENT_ID);
    let credential = inside!(
        world,
        AuthorizationCodeCredential::builder(
            World::TENANT_ID,
            World::WEB_CLIENT_ID,
            code,
            World::WEB_REDIRECT_URI,
        )
        .client_secret(secret.unwrap().to_owned())
    );
    is_of(credential.clone(), World::WEB_CLIENT_ID).await;
    let options = TokenRequestOptions {
        enable_cae: true,
        ..Default::default()
    };
    let token = credential
        .get_token(&[OTHER_SCOPE], Some(options.into()))
        .await
        .unwrap();
    assert_eq!(claims(token.token.secret())["xms_cc"][0], "cp1");
    assert_eq!(world.emulator.token_request_count(), 2);
    world.emulator.revoke_refresh_tokens(None);
    let revoked = credential
        .get_token(&["https://graph.microsoft.com/.default"], None)
        .await;
    expect_error(revoked, FailureKind::AuthenticationFailed, &["AADSTS50173"]);
}
