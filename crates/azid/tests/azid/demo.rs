//! `azid demo`.

use crate::support::{azid, run};

/// And how many requests each makes. An identity provider is a second server to ask.
const SCENARIOS: [(&str, u64); 16] = [
    ("client-secret", 1),
    ("environment", 1),
    ("managed-identity (IMDS, system)", 1),
    ("managed-identity (IMDS, user)", 1),
    ("managed-identity (App Service)", 1),
    ("chain (environment, client-secret)", 1),
    ("default", 1),
    ("certificate", 1),
    ("environment (certificate)", 1),
    ("client-assertion", 1),
    ("workload-identity", 1),
    ("azure-pipelines", 2),
    ("federated (GitHub Actions)", 2),
    ("federated (Google Cloud)", 2),
    ("on-behalf-of", 1),
    ("authorization-code", 1),
];

#[test]
fn every_credential_gets_a_token_with_no_request_too_many() {
    let report = run(&mut azid(&["demo", "-o", "json"])).json();
    assert_eq!(report["ok"], true);
    let results = report["results"].as_array().unwrap();
    let names: Vec<&str> = results
        .iter()
        .map(|result| result["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, SCENARIOS.map(|(name, _)| name));
    for (result, (_, requests)) in results.iter().zip(SCENARIOS) {
        assert_eq!(result["requests"], requests, "{result}");
        assert_eq!(result["audience"], "https://vault.azure.net");
        assert_eq!(result["client_id"].as_str().unwrap().len(), 36);
        assert!(result["identity"].is_string() && result["error"].is_null());
        for time in ["first_token_ms", "cached_token_us"] {
            assert!(result[time].as_f64().unwrap() > 0.0);
        }
    }
}

#[test]
fn people_get_a_table() {
    let table = run(&mut azid(&["demo"])).success();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("CREDENTIAL  "));
    for (scenario, _) in SCENARIOS {
        let line = lines.next().unwrap();
        assert!(
            line.starts_with(scenario) && line.ends_with("  ok"),
            "{line}"
        );
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn the_environment_of_the_process_does_not_matter() {
    let mut command = azid(&["demo"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command
            .env(name, "http://127.0.0.1:9")
            .env(name.to_lowercase(), "http://127.0.0.1:9");
    }
    for name in [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_AUTHORITY_HOST",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "AZURE_TOKEN_CREDENTIALS",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        command.env(name, "nonsense");
    }
    run(&mut command).success();
}
