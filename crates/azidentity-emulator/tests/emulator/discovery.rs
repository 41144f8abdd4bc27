//! Metadata and instance discovery.

use azidentity_emulator::World;
use serde_json::json;

use crate::client::{Client, built_in};

#[tokio::test]
async fn metadata_leads_to_the_endpoints() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let (authority, tenant) = (emulator.authority_host(), World::TENANT_ID);
    // A domain name leads to the tenant's GUID.
    for name in [tenant, "contoso.example", "CONTOSO.onmicrosoft.com"] {
        let document = client
            .get(&format!("/{name}/v2.0/.well-known/openid-configuration"))
            .await
            .json();
        assert_eq!(document["issuer"], format!("{authority}/{tenant}/v2.0"));
        assert_eq!(
            document["token_endpoint"],
            format!("{authority}/{tenant}/oauth2/v2.0/token")
        );
        assert_eq!(
            document["authorization_endpoint"],
            format!("{authority}/{tenant}/oauth2/v2.0/authorize")
        );
        let keys = client
            .get(document["jwks_uri"].as_str().unwrap())
            .await
            .json();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_first_version_has_another_issuer() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let tenant = World::TENANT_ID;
    let document = client
        .get(&format!("/{tenant}/.well-known/openid-configuration"))
        .await
        .json();
    assert_eq!(
        document["issuer"],
        format!("https://sts.windows.net/{tenant}/")
    );
    assert_eq!(
        client
            .get(document["jwks_uri"].as_str().unwrap())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn all_tenants_have_a_place_holder_as_issuer() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let authority = emulator.authority_host();
    for name in ["common", "organizations"] {
        let document = client
            .get(&format!("/{name}/v2.0/.well-known/openid-configuration"))
            .await
            .json();
        assert_eq!(document["issuer"], format!("{authority}/{{tenantid}}/v2.0"));
        assert_eq!(
            document["token_endpoint"],
            format!("{authority}/{name}/oauth2/v2.0/token")
        );
        assert_eq!(
            document["jwks_uri"],
            format!("{authority}/{name}/discovery/v2.0/keys")
        );
    }
}

#[tokio::test]
async fn an_unknown_tenant_has_no_metadata() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    for (tenant, number) in [
        ("nowhere.example", 90002),
        (World::CLIENT_ID, 90002),
        ("undefined", 900_023),
    ] {
        for version in ["", "/v2.0"] {
            let answer = client
                .get(&format!(
                    "/{tenant}{version}/.well-known/openid-configuration"
                ))
                .await;
            assert_eq!(answer.status, 400);
            assert_eq!(answer.json()["error"], "invalid_tenant");
            assert_eq!(answer.json()["error_codes"], json!([number]));
        }
    }
}

#[tokio::test]
async fn instances_are_known_with_and_without_their_port() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let authority = emulator.authority_host();
    let host = authority.strip_prefix("https://").unwrap();
    for (version, asked) in [("1.0", "localhost"), ("1.1", host)] {
        let url = format!(
            "/common/discovery/instance?api-version={version}\
             &authorization_endpoint=https://{asked}/contoso.example/oauth2/v2.0/authorize"
        );
        let document = client.get(&url).await.json();
        assert_eq!(document["api-version"], version);
        assert_eq!(
            document["metadata"][0]["aliases"],
            json!([host, "localhost"])
        );
        assert_eq!(document["metadata"][0]["preferred_network"], host);
        let next = document["tenant_discovery_endpoint"].as_str().unwrap();
        assert_eq!(
            client.get(next).await.json()["issuer"],
            format!("{authority}/{}/v2.0", World::TENANT_ID)
        );
    }
}

#[tokio::test]
async fn other_instances_are_not_known() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    for (query, error, number) in [
        (
            "api-version=1.1&authorization_endpoint=https://evil.example/x",
            "invalid_instance",
            50049,
        ),
        (
            "api-version=1.1&authorization_endpoint=https://localhost:1/x",
            "invalid_instance",
            50049,
        ),
        (
            "api-version=1.1&authorization_endpoint=http://localhost/x",
            "invalid_instance",
            50049,
        ),
        (
            "api-version=1.1&authorization_endpoint=localhost",
            "invalid_request",
            50050,
        ),
        ("api-version=1.1", "invalid_request", 50050),
        (
            "api-version=9&authorization_endpoint=https://localhost/x",
            "invalid_request",
            50050,
        ),
        (
            "authorization_endpoint=https://localhost/x",
            "invalid_request",
            50050,
        ),
    ] {
        let answer = client
            .get(&format!("/common/discovery/instance?{query}"))
            .await;
        let body = answer.json();
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(
            (&body["error"], &body["error_codes"][0]),
            (&json!(error), &json!(number)),
            "{query}"
        );
    }
}
