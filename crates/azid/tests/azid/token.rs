//! `azid token`: every credential, every option, every form of output.

use azidentity_emulator::World;

use crate::{
    stub::Stub,
    support::{Site, VAULT, VAULT_SCOPE, arg, claims, run},
};

#[test]
fn prints_in_four_forms() {
    let site = Site::new();
    let print = |format| run(&mut site.application_token(&["-c", "client-secret", "-o", format]));

    let token = print("token").success();
    assert!(token.ends_with('\n') && token.trim() == &token[..token.len() - 1]);
    assert_eq!(claims(&token)["aud"], VAULT);

    let json = print("json").json();
    let claims = claims(json["accessToken"].as_str().unwrap());
    assert_eq!(json["tokenType"], "Bearer");
    assert!(
        (json["expires_on"].as_i64().unwrap() - claims["exp"].as_i64().unwrap()).abs() <= 5,
        "{json}"
    );
    let date = json["expiresOn"].as_str().unwrap();
    assert!(date.len() == 20 && date.ends_with('Z'), "{date}");
    assert_eq!(json["tenant"], World::TENANT_ID);
    assert_eq!(json["credential"], "client-secret");
    assert!(json.as_object().unwrap().contains_key("refresh_on"));

    let header = print("header").success();
    assert!(header.starts_with("Authorization: Bearer ey"), "{header}");
    assert_eq!(header.lines().count(), 1);

    let env = print("env").success();
    let lines: Vec<&str> = env.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("export AZURE_ACCESS_TOKEN='ey"));
    let expires = lines[1].strip_prefix("export AZURE_ACCESS_TOKEN_EXPIRES_ON=");
    assert!(expires.unwrap().parse::<i64>().is_ok());
}

#[cfg(unix)]
#[test]
fn shells_read_any_token_back() {
    let stub = Stub::new(
        "200 OK",
        r#"{"access_token": "it's$(touch${IFS}x)`y`\"z\"'", "expires_in": "3600", "token_type": "Bearer"}"#,
    );
    let site = Site::new();
    let mut command = site.token(&["-c", "managed-identity", "-o", "env"]);
    command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", stub.address());
    let lines = run(&mut command).success();
    let mut shell = assert_cmd::Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(r#"eval "$1"; printf %s "$AZURE_ACCESS_TOKEN""#)
        .args(["sh", &lines]);
    assert_eq!(
        run(&mut shell).success(),
        "it's$(touch${IFS}x)`y`\"z\"'",
        "{lines}"
    );
}

#[test]
fn scopes_and_resources_are_sent_as_they_are() {
    for (args, scope) in [
        (&["-s", "https://x/.default"][..], "https://x/.default"),
        (&["--resource=https://x"], "https://x/.default"),
        (&["--resource=https://x/"], "https://x//.default"),
    ] {
        let site = Site::new();
        let mut args = args.to_vec();
        args.extend(["-c", "client-secret"]);
        run(&mut site.application_token(&args));
        assert_eq!(site.sent("scope").as_deref(), Some(scope));
    }
}

#[test]
fn options_win_over_variables() {
    let site = Site::new();
    for credential in ["client-secret", "environment", "default"] {
        for secret in ["\n", "\r\n", ""] {
            site.emulator.clear_requests();
            let file = site.file("secret", format!("{}{secret}", site.secret()));
            let mut command = site.token(&[
                "-c",
                credential,
                "--tenant-id=contoso.example",
                "--client-id",
                World::CLIENT_ID,
                "--client-secret-file",
                arg(&file),
                "--authority-host",
                site.emulator.authority_host(),
                "-o",
                "json",
            ]);
            command
                .env("AZURE_TENANT_ID", "wrong")
                .env("AZURE_CLIENT_ID", "wrong")
                .env("AZURE_CLIENT_SECRET", "wrong")
                .env("AZURE_AUTHORITY_HOST", "https://wrong.invalid");
            let json = run(&mut command).json();
            assert_eq!(json["tenant"], "contoso.example");
            let supplier = if credential == "default" {
                "environment"
            } else {
                credential
            };
            assert_eq!(json["credential"], supplier);
            let requests = site.emulator.requests();
            assert_eq!(requests[0].path(), "/contoso.example/oauth2/v2.0/token");
        }
    }
}

#[test]
fn a_secret_comes_from_standard_input() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "client-secret", "--client-secret-file", "-"]);
    command
        .env_remove("AZURE_CLIENT_SECRET")
        .write_stdin(format!("{}\n", site.secret()));
    assert!(run(&mut command).success().starts_with("ey"));
}

#[test]
fn managed_identities_are_chosen_by_option_only() {
    let site = Site::new();
    let user = site
        .emulator
        .world()
        .identities()
        .iter()
        .find(|identity| !identity.is_system_assigned())
        .unwrap();
    for (args, parameter, value) in [
        (vec![], "client_id", None),
        (
            vec!["--client-id", user.client_id()],
            "client_id",
            Some(user.client_id()),
        ),
        (
            vec!["--object-id", user.object_id()],
            "object_id",
            Some(user.object_id()),
        ),
        (
            vec!["--resource-id", user.resource_id()],
            "msi_res_id",
            Some(user.resource_id()),
        ),
    ] {
        site.emulator.clear_requests();
        let mut command = site.machine_token(&args);
        command
            .args(["-c", "managed-identity", "-o", "json"])
            .env("AZURE_CLIENT_ID", "not-for-managed-identities");
        let json = run(&mut command).json();
        assert_eq!(json["credential"], "managed-identity");
        assert!(json["tenant"].is_null());
        assert_eq!(site.sent(parameter).as_deref(), value);
        assert_eq!(site.sent("resource").as_deref(), Some(VAULT));
    }
}

#[test]
fn app_service_is_recognised() {
    let site = Site::new();
    let mut command = site.token(&["-c", "managed-identity"]);
    command
        .env("IDENTITY_ENDPOINT", site.emulator.app_service_endpoint())
        .env("IDENTITY_HEADER", site.emulator.identity_header());
    let token = run(&mut command).success();
    assert_eq!(claims(&token)["appid"], World::SYSTEM_ASSIGNED_CLIENT_ID);
}

#[test]
fn the_default_chain_takes_its_identity_from_variable_or_option() {
    let site = Site::new();
    let id = World::USER_ASSIGNED_CLIENT_ID;
    let mut by_variable = site.machine_token(&["--exclude", "environment"]);
    by_variable.env("AZURE_CLIENT_ID", id);
    let mut by_option = site.machine_token(&["--exclude", "environment", "--client-id", id]);
    by_option.env("AZURE_CLIENT_ID", "wrong");
    for command in [&mut by_variable, &mut by_option] {
        site.emulator.clear_requests();
        let token = run(command).success();
        assert_eq!(claims(&token)["appid"], id);
        assert_eq!(site.sent("client_id").as_deref(), Some(id));
    }
}

#[test]
fn the_default_chain_is_narrowed_by_options() {
    let site = Site::new();
    let credential = |args: &[&str], variable: &str| {
        let mut command = site.application_token(args);
        command
            .args(["-o", "json"])
            .env("AZURE_TOKEN_CREDENTIALS", variable)
            // The application's id would be taken for a user-assigned identity's.
            .env(
                "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                Stub::new("200 OK", IMDS_TOKEN).address(),
            );
        run(&mut command).json()["credential"].clone()
    };
    let managed = "ManagedIdentityCredential";
    assert_eq!(credential(&[], ""), "environment");
    assert_eq!(credential(&[], managed), "managed-identity");
    assert_eq!(
        credential(&["--exclude=environment"], ""),
        "managed-identity"
    );
    assert_eq!(
        credential(&["--include=environment"], managed),
        "environment"
    );
}

const IMDS_TOKEN: &str = r#"{"access_token": "AT", "expires_in": "3600", "token_type": "Bearer"}"#;

#[test]
fn empty_variables_are_unset() {
    let site = Site::new();
    let mut command = site.machine_token(&["-o", "json"]);
    for name in [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TOKEN_CREDENTIALS",
        "SSL_CERT_DIR",
    ] {
        command.env(name, "");
    }
    assert_eq!(run(&mut command).json()["credential"], "managed-identity");
    assert_eq!(site.sent("client_id"), None);
}

#[test]
fn chains_pass_over_what_is_not_there() {
    let site = Site::new();
    let mut command = site.application_token(&[
        "-c",
        "managed-identity,client-secret",
        "--tenant-id",
        "contoso.example",
        "-o",
        "json",
    ]);
    // A host with managed identities that was set up incompletely: no credential can be made.
    command.env("IDENTITY_ENDPOINT", "http://127.0.0.1:9");
    let json = run(&mut command).json();
    assert_eq!(json["credential"], "client-secret");
    assert_eq!(json["tenant"], "contoso.example");
    assert_eq!(site.emulator.request_count(), 1);
}

#[test]
fn chains_are_walked_in_their_order() {
    let site = Site::new();
    for (chain, winner) in [
        ("managed-identity,environment", "managed-identity"),
        ("environment,managed-identity", "environment"),
    ] {
        let mut command = site.application_token(&["-c", chain, "-o", "json"]);
        command.env(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            site.emulator.imds_host(),
        );
        assert_eq!(run(&mut command).json()["credential"], winner);
    }
}

#[test]
fn requests_can_name_tenant_and_claims() {
    let site = Site::new();
    let claims_challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let mut command = site.application_token(&[
        "-c",
        "client-secret",
        "--request-tenant-id",
        World::OTHER_TENANT_ID,
        "--additionally-allowed-tenant=*",
        "--claims",
        claims_challenge,
        "--enable-cae",
        "-o",
        "json",
    ]);
    let json = run(&mut command).json();
    assert_eq!(json["tenant"], World::OTHER_TENANT_ID);
    let claims = claims(json["accessToken"].as_str().unwrap());
    assert_eq!(claims["tid"], World::OTHER_TENANT_ID);
    assert_eq!(claims["xms_cc"][0], "cp1", "{claims}");
    assert!(site.emulator.requests()[0].form().contains("claims"));
}

#[test]
fn metadata_endpoints_are_reached_without_proxy() {
    let site = Site::new();
    for args in [&["-c", "managed-identity"][..], &[]] {
        let mut command = site.machine_token(args);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command
                .env(name, "http://127.0.0.1:9")
                .env(name.to_lowercase(), "http://127.0.0.1:9");
        }
        run(&mut command).success();
    }
}

#[test]
fn authorities_can_be_exempt_from_the_proxy() {
    let site = Site::new();
    let mut command = site.application_token(&["-c", "client-secret"]);
    command
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", "localhost");
    run(&mut command).success();
    assert_eq!(site.sent("scope").as_deref(), Some(VAULT_SCOPE));
}

#[test]
fn the_log_names_the_credential_and_raises_no_alarm() {
    let site = Site::new();
    let run = run(&mut site.machine_token(&["-v"]));
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("managed-identity"), "{}", run.stderr);
    for alarm in ["WARN", "ERROR", "\u{1b}"] {
        assert!(!run.stderr.contains(alarm), "{}", run.stderr);
    }
}
