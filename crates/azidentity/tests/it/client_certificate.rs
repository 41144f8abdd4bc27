//! An application with a certificate, on a wire that the test holds in its hand.

use std::{sync::Arc, time::Duration};

use azidentity::{
    ClientCertificate, ClientCertificateCredential, ClientCertificateCredentialBuilder,
    ClientCertificateCredentialOptions, Credential, Environment, FailureKind, ManualClock,
    TokenRequestOptions,
};
use azure_core::credentials::{SecretBytes, TokenCredential};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest,
    rsa::KeyPair,
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
    },
};
use serde_json::{Value, json};

use crate::{
    certificates::{PASSWORD, fixture, path},
    support::{CLIENT, OTHER_SCOPE, SCOPE, START, TENANT, Wire, expect_error},
};

/// A credential with the test's certificate, and the clock that it sees.
fn held(wire: &Wire, tenant: &str) -> (ClientCertificateCredentialBuilder, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(START));
    let builder = ClientCertificateCredential::builder(
        tenant,
        CLIENT,
        ClientCertificate::from_path(path("app.pem")),
    )
    .client_options(wire.client_options())
    .additionally_allowed_tenants(["*"])
    .environment(Environment::builder().clock(clock.clone()).build());
    (builder, clock)
}

/// Gets a token and returns the assertion that was sent for it.
pub(crate) async fn assertion(
    wire: &mut Wire,
    credential: &impl TokenCredential,
    scope: &str,
    options: Option<TokenRequestOptions>,
) -> String {
    let scopes = [scope];
    let (token, form) = futures::join!(
        credential.get_token(&scopes, options.map(Into::into)),
        async {
            let exchange = wire.next().await;
            let form = exchange.form.clone();
            exchange.answer_token("AT-1", 3600);
            form
        }
    );
    assert_eq!(token.expect("a token").token.secret(), "AT-1");
    let mut names: Vec<&str> = form.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "client_assertion",
            "client_assertion_type",
            "client_id",
            "grant_type",
            "scope"
        ]
    );
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_id"], CLIENT);
    assert_eq!(form["scope"], scope);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    form["client_assertion"].clone()
}

/// Header and claims, after checking the signature.
pub(crate) fn verified(assertion: &str, algorithm: &'static RsaParameters) -> (Value, Value) {
    let key = KeyPair::from_pkcs8(&fixture("key.der")).expect("a key");
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("no three parts: {assertion}");
    };
    let decode = |part| URL_SAFE_NO_PAD.decode(part).expect("base64url, no padding");
    UnparsedPublicKey::new(algorithm, key.public().as_ref())
        .verify(format!("{header}.{claims}").as_bytes(), &decode(signature))
        .expect("a signature by the certificate's key");
    let json = |part| serde_json::from_slice(&decode(part)).expect("JSON");
    (json(header), json(claims))
}

fn thumbprint(algorithm: &'static digest::Algorithm) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &fixture("certificate.der")))
}

#[tokio::test]
async fn the_assertion_says_who_asks_and_is_signed_by_the_key() {
    let mut wire = Wire::new();
    let (builder, _) = held(&wire, TENANT);
    let credential = builder.build().expect("a valid configuration");
    assert!(wire.try_next().is_none(), "the constructor sends nothing");

    let sent = assertion(&mut wire, &*credential, SCOPE, None).await;
    let (header, claims) = verified(&sent, &RSA_PSS_2048_8192_SHA256);
    assert_eq!(
        header,
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&digest::SHA256)})
    );
    let jti = claims["jti"].as_str().expect("an id");
    assert_eq!(jti.len(), 36);
    assert_eq!(
        claims,
        json!({
            "aud": format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
            "iss": CLIENT, "sub": CLIENT, "jti": jti,
            "iat": START, "nbf": START, "exp": START + 600,
        })
    );
    let info = credential.get_token_info(&[SCOPE], None).await.unwrap();
    assert_eq!(info.credential(), "certificate");
}

#[tokio::test]
async fn an_assertion_is_used_again_for_nine_minutes_and_its_own_audience() {
    let mut wire = Wire::new();
    let (builder, clock) = held(&wire, TENANT);
    let credential = builder.build().expect("a valid configuration");
    let first = assertion(&mut wire, &*credential, SCOPE, None).await;
    clock.advance(Duration::from_secs(539));
    assert_eq!(
        assertion(&mut wire, &*credential, OTHER_SCOPE, None).await,
        first
    );

    let elsewhere = TokenRequestOptions {
        tenant_id: Some("fabrikam.example".into()),
        ..Default::default()
    };
    let second = assertion(&mut wire, &*credential, SCOPE, Some(elsewhere)).await;
    let (_, claims) = verified(&second, &RSA_PSS_2048_8192_SHA256);
    assert_eq!(
        claims["aud"],
        "https://login.microsoftonline.com/fabrikam.example/oauth2/v2.0/token"
    );

    clock.advance(Duration::from_secs(1));
    let fresh = assertion(&mut wire, &*credential, "api://third/.default", None).await;
    assert_ne!(fresh, first);
    let (_, claims) = verified(&fresh, &RSA_PSS_2048_8192_SHA256);
    assert_eq!(claims["iat"], START + 540);
}

#[tokio::test]
async fn the_chain_is_sent_when_asked_for() {
    for (variable, setter, expected) in [
        (None, None, false),
        (None, Some(true), true),
        (Some("1"), None, true),
        (Some("TRUE"), None, true),
        (Some("false"), None, false),
        (Some("yes"), None, false),
        (Some("true"), Some(false), false),
    ] {
        for file in ["app.pem", "reversed.pem"] {
            let mut wire = Wire::new();
            let environment = Environment::builder().clock(Arc::new(ManualClock::new(START)));
            let environment = match variable {
                Some(value) => environment.variable("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", value),
                None => environment,
            };
            let mut builder = ClientCertificateCredential::builder(
                TENANT,
                CLIENT,
                ClientCertificate::from_bytes(fixture(file)),
            )
            .client_options(wire.client_options())
            .environment(environment.build());
            if let Some(send) = setter {
                builder = builder.send_certificate_chain(send);
            }
            let credential = builder.build().expect("a valid configuration");
            let sent = assertion(&mut wire, &*credential, SCOPE, None).await;
            let (header, _) = verified(&sent, &RSA_PSS_2048_8192_SHA256);
            if !expected {
                assert!(header.get("x5c").is_none(), "{variable:?} {setter:?}");
                continue;
            }
            let chain = header["x5c"].as_array().expect("a chain");
            let chain: Vec<Vec<u8>> = chain
                .iter()
                .map(|item| STANDARD.decode(item.as_str().unwrap()).unwrap())
                .collect();
            assert_eq!(chain.len(), 3);
            assert_eq!(chain[0], fixture("certificate.der"), "{file}");
            // Each names the next as its issuer, whatever the order in the file.
            for (certificate, name) in chain.iter().zip(["app", "intermediate", "root"]) {
                let name = name.as_bytes();
                assert!(certificate.windows(name.len()).any(|window| window == name));
            }
            assert!(chain[0].len() > 500 && chain[1] != chain[2]);
        }
    }
}

#[tokio::test]
async fn ad_fs_gets_what_it_knows() {
    let mut wire = Wire::new();
    let (builder, _) = held(&wire, "adfs");
    let credential = builder
        .authority_host("https://adfs.contoso.example")
        .disable_instance_discovery(true)
        .build()
        .expect("a valid configuration");
    let sent = assertion(&mut wire, &*credential, SCOPE, None).await;
    let (header, claims) = verified(&sent, &RSA_PKCS1_2048_8192_SHA256);
    assert_eq!(
        header,
        json!({"alg": "RS256", "typ": "JWT", "x5t": thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY)})
    );
    assert_eq!(
        claims["aud"],
        "https://adfs.contoso.example/adfs/oauth2/token"
    );
}

#[tokio::test]
async fn a_certificate_that_expires_meanwhile_is_named_without_asking_entra() {
    let mut wire = Wire::new();
    let end_of_2024 = 1_735_689_599;
    let clock = Arc::new(ManualClock::new(end_of_2024 - 60));
    let credential = ClientCertificateCredential::builder(
        TENANT,
        CLIENT,
        ClientCertificate::from_path(path("expired.pem")),
    )
    .client_options(wire.client_options())
    .environment(Environment::builder().clock(clock.clone()).build())
    .build()
    .expect("still valid");
    assertion(&mut wire, &*credential, SCOPE, None).await;
    clock.advance(Duration::from_secs(3600));
    expect_error(
        credential.get_token(&[SCOPE], None).await,
        FailureKind::Configuration,
        &["expired on 2024-12-31", "2025-01-01"],
    );
    assert!(wire.try_next().is_none());
}

#[test]
fn the_official_crates_constructor_takes_bytes_and_a_password() {
    // With the clock of this machine, which the certificate's hundred years are meant for.
    let options = ClientCertificateCredentialOptions {
        password: Some(PASSWORD.into()),
        ..Default::default()
    };
    let made = |options| {
        ClientCertificateCredential::new(
            TENANT.into(),
            CLIENT.into(),
            SecretBytes::new(fixture("modern.pfx")),
            options,
        )
    };
    let credential = made(Some(options.clone())).expect("a valid configuration");
    let error = expect_error(
        made(None),
        FailureKind::Configuration,
        &["PFX file is encrypted", "no password was given"],
    );
    assert_eq!(error.credential(), Some("certificate"));
    let builder = ClientCertificateCredential::builder(
        TENANT,
        CLIENT,
        ClientCertificate::from_bytes(fixture("app.pem")),
    )
    .password(PASSWORD);
    for shown in [
        format!("{credential:?}"),
        format!("{builder:?}"),
        format!("{options:?}"),
    ] {
        assert!(!shown.contains("pl4nted"), "{shown}");
        assert!(
            !shown.contains("PRIVATE") && !shown.contains("45, 45"),
            "{shown}"
        );
    }
    assert!(format!("{credential:?}").contains(CLIENT));
}

#[test]
fn tenant_and_client_are_checked_before_the_file_is_read() {
    let missing = ClientCertificate::from_path("no such file");
    for (tenant, client, says) in [
        ("not a tenant", CLIENT, "not a tenant"),
        (TENANT, CLIENT, "no such file"),
    ] {
        expect_error(
            ClientCertificateCredential::builder(tenant, client, missing.clone()).build(),
            FailureKind::Configuration,
            &[says],
        );
    }
}
