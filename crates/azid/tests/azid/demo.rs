//! `azid demo`.

use crate::support::{azid, run};

const SCENARIOS: [&str; 7] = [
    "client-secret",
    "environment",
    "managed-identity (IMDS, system)",
    "managed-identity (IMDS, user)",
    "managed-identity (App Service)",
    "chain (environment, client-secret)",
    "default",
];

#[test]
fn every_credential_gets_a_token_with_one_request() {
    let report = run(&mut azid(&["demo", "-o", "json"])).json();
    assert_eq!(report["ok"], true);
    let results = report["results"].as_array().unwrap();
    let names: Vec<&str> = results
        .iter()
        .map(|result| result["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, SCENARIOS);
    for result in results {
        assert_eq!(result["requests"], 1, "{result}");
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
    for scenario in SCENARIOS {
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
