//! Users: whose token an application has, or who have come back with a code.

use azidentity_emulator::{FederatedCredential, SignIn, World};

use crate::{
    federation::in_json,
    support::{Site, VAULT_SCOPE, arg, claims, run},
};

impl Site {
    /// `azid token -c on-behalf-of` for a user who calls the built-in API; how that proves itself is left open.
    pub(crate) fn on_behalf_of(&self, args: &[&str]) -> assert_cmd::Command {
        let user = self.emulator.user_token(World::ORDERS_SCOPE).unwrap();
        let file = self.file("user", format!("{user}\n"));
        let mut command = self.token(args);
        command
            .args(["-c", "on-behalf-of", "--tenant-id", World::TENANT_ID])
            .args(["--client-id", World::API_CLIENT_ID])
            .args(["--user-assertion-file", arg(&file)]);
        command
    }

    pub(crate) fn api_secret(&self) -> &str {
        let world = self.emulator.world();
        world.client_secret(World::API_CLIENT_ID).unwrap()
    }

    /// A code for an application, and `azid token -c authorization-code` with it.
    pub(crate) fn code(
        &self,
        client_id: &str,
        redirect_uri: &str,
    ) -> (String, assert_cmd::Command) {
        let sign_in = SignIn::new(&format!("offline_access {VAULT_SCOPE}"))
            .client_id(client_id)
            .redirect_uri(redirect_uri);
        let code = self.emulator.authorization_code(&sign_in).unwrap();
        let mut command = self.token(&["-c", "authorization-code"]);
        command
            .args(["--tenant-id", World::TENANT_ID, "--client-id", client_id])
            .args([
                "--authorization-code",
                &code,
                "--redirect-uri",
                redirect_uri,
            ]);
        (code, command)
    }
}

#[test]
fn users_tokens_are_exchanged_with_each_proof() {
    let site = Site::new();
    let certificate = site.certificate();
    let secret = arg(&site.file("secret", site.api_secret())).to_owned();
    let is_users = |command: &mut assert_cmd::Command| {
        let json = run(command.args(["-o", "json"])).json();
        assert_eq!(json["credential"], "on-behalf-of");
        let claims = claims(json["accessToken"].as_str().unwrap());
        assert_eq!(claims["appid"], World::API_CLIENT_ID);
        assert_eq!(claims["upn"], World::USERNAME, "{claims}");
        site.emulator.clear_requests();
    };
    let wrong = |command: &mut assert_cmd::Command| {
        command
            .env("AZURE_CLIENT_SECRET", "wrong")
            .env("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/wrong.pem");
    };

    // By option, which wins over variables.
    let mut command = site.on_behalf_of(&["--client-secret-file", &secret]);
    wrong(&mut command);
    is_users(&mut command);
    let mut command = site.on_behalf_of(&["--certificate-path", &certificate]);
    wrong(&mut command);
    is_users(&mut command);

    // By variable: a secret wins over a certificate, but not over an option that is about the certificate.
    let mut command = site.on_behalf_of(&[]);
    command
        .env("AZURE_CLIENT_SECRET", site.api_secret())
        .env("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/wrong.pem");
    is_users(&mut command);
    let mut command = site.on_behalf_of(&[]);
    command.env("AZURE_CLIENT_CERTIFICATE_PATH", &certificate);
    is_users(&mut command);
    let mut command = site.on_behalf_of(&["--send-certificate-chain"]);
    command
        .env("AZURE_CLIENT_SECRET", "wrong")
        .env("AZURE_CLIENT_CERTIFICATE_PATH", &certificate);
    is_users(&mut command);
}

/// The built-in API trusts no other issuer, so what counts is what was sent.
#[test]
fn an_assertion_proves_the_application_that_asks_for_a_user() {
    let site = Site::new();
    let token = site
        .emulator
        .service_account_token(FederatedCredential::AUDIENCE, None)
        .unwrap();
    let file = site.file("assertion", format!(" {token}\n"));
    let mut command = site.on_behalf_of(&["--assertion-file", arg(&file)]);
    command.env("AZURE_CLIENT_SECRET", "wrong");
    run(&mut command);
    assert!(site.has_sent("client_assertion"));
    assert!(!site.has_sent("client_secret"));
}

#[test]
fn one_proof_is_needed_and_one_is_enough() {
    let site = Site::new();
    let file = arg(&site.file("file", "planted")).to_owned();
    let certificate = site.certificate();
    let secret = ["--client-secret-file", file.as_str()];
    let certificate = ["--certificate-path", certificate.as_str()];
    let assertion = ["--assertion-file", file.as_str()];
    for pair in [
        [secret, certificate],
        [secret, assertion],
        [certificate, assertion],
    ] {
        let args = pair.concat();
        let message = run(&mut site.on_behalf_of(&args)).failure(2);
        for option in [pair[0][0], pair[1][0]] {
            assert!(message.contains(option), "{message}");
        }
        let (_, mut command) = site.code(World::WEB_CLIENT_ID, World::WEB_REDIRECT_URI);
        run(command.args(&args)).failure(2);
    }
    let both = [secret, certificate].concat();
    for credential in ["environment", "default"] {
        let mut command = site.application_token(&both);
        run(command.args(["-c", credential])).failure(2);
    }
    let mut args = secret.to_vec();
    args.extend(["--certificate-password-file", &file]);
    run(&mut site.on_behalf_of(&args)).failure(2);

    let message = run(&mut site.on_behalf_of(&[])).failure(2);
    for name in [
        "--client-secret-file",
        "--certificate-path",
        "--assertion-file",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PATH",
    ] {
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(site.emulator.request_count(), 0);
}

#[test]
fn a_user_is_needed() {
    let site = Site::new();
    let message = run(&mut site.application_token(&["-c", "on-behalf-of"])).failure(2);
    assert!(message.contains("--user-assertion-file"), "{message}");
}

#[test]
fn a_users_token_comes_from_standard_input_for_a_whole_chain() {
    let site = Site::new();
    let user = site.emulator.user_token(World::ORDERS_SCOPE).unwrap();
    let mut command = site.token(&["-c", "on-behalf-of,on-behalf-of", "-o", "json"]);
    command
        .args(["--tenant-id", World::TENANT_ID])
        .args(["--client-id", World::API_CLIENT_ID])
        .args(["--user-assertion-file", "-"])
        .env("AZURE_CLIENT_SECRET", site.api_secret())
        .write_stdin(format!("{user}\n"));
    assert_eq!(run(&mut command).json()["credential"], "on-behalf-of");
}

#[test]
fn codes_are_redeemed_by_confidential_and_public_clients() {
    let site = Site::new();
    let world = site.emulator.world();
    let secret = world.client_secret(World::WEB_CLIENT_ID).unwrap();
    let file = site.file("secret", secret);

    let (_, mut command) = site.code(World::WEB_CLIENT_ID, World::WEB_REDIRECT_URI);
    command.env("AZURE_CLIENT_SECRET", secret);
    let json = in_json(&mut command).json();
    assert_eq!(json["credential"], "authorization-code");
    let of_user = claims(json["accessToken"].as_str().unwrap());
    assert_eq!(of_user["upn"], World::USERNAME, "{of_user}");

    let (_, mut command) = site.code(World::WEB_CLIENT_ID, World::WEB_REDIRECT_URI);
    command
        .args(["--client-secret-file", arg(&file)])
        .env("AZURE_CLIENT_SECRET", "wrong");
    in_json(&mut command).json();

    site.emulator.clear_requests();
    let (_, mut command) = site.code(World::AZURE_CLI_CLIENT_ID, "http://localhost");
    in_json(&mut command).json();
    assert!(!site.has_sent("client_secret"));
    assert!(!site.has_sent("client_assertion"));
}

#[test]
fn a_code_is_sent_once() {
    let site = Site::new();
    let (code, mut command) = site.code(World::AZURE_CLI_CLIENT_ID, "http://localhost");
    in_json(&mut command).json();
    let error = run(&mut command).error(4);
    assert_eq!(error["error"], "invalid_grant");
    assert!(!error["message"].as_str().unwrap().contains(&code));
    assert_eq!(site.emulator.request_count(), 2);
}

#[test]
fn code_and_address_belong_together() {
    let site = Site::new();
    for options in [
        &[][..],
        &["--authorization-code", "pl4nted-code"],
        &["--redirect-uri", "http://localhost"],
        &["--authorization-code", "", "--redirect-uri", "http://x"],
        &["--authorization-code", " ", "--redirect-uri", "http://x"],
        &[
            "--authorization-code",
            "pl4nted-code",
            "--redirect-uri",
            " ",
        ],
    ] {
        let mut command = site.application_token(&["-c", "authorization-code"]);
        let message = run(command.args(options)).failure(2);
        assert!(!message.contains("pl4nted"), "{message}");
    }
    assert_eq!(site.emulator.request_count(), 0);
}
