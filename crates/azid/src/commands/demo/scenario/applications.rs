//! Applications with other proofs than a secret, and users.

use std::{error::Error, fs, path::PathBuf, sync::Arc};

use azidentity::{
    AssertionFile, AuthorizationCodeCredential, AzurePipelinesCredential,
    ClientAssertionCredential, ClientCertificate, ClientCertificateCredential, Credential,
    Environment, FederatedAssertion, FederatedCredential, OnBehalfOfCredential,
    WorkloadIdentityCredential,
};
use azidentity_emulator::{FederatedCredential as Trusted, SignIn, World};

use super::{Scenario, Stage, Variables};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "certificate",
        client_id: World::CLIENT_ID,
        make: |stage| {
            let pem = stage.emulator.client_certificate()?.pem();
            Ok(applied!(
                stage,
                ClientCertificateCredential::builder(
                    World::TENANT_ID,
                    World::CLIENT_ID,
                    ClientCertificate::from_bytes(pem.into_bytes()),
                )
            ))
        },
    },
    Scenario {
        name: "environment (certificate)",
        client_id: World::CLIENT_ID,
        make: |stage| {
            let pem = stage.emulator.client_certificate()?.pem();
            let path = stage.file("certificate.pem", &pem)?;
            let variables = vec![
                ("AZURE_TENANT_ID", World::TENANT_ID.to_owned()),
                ("AZURE_CLIENT_ID", World::CLIENT_ID.to_owned()),
                (
                    "AZURE_AUTHORITY_HOST",
                    stage.emulator.authority_host().to_owned(),
                ),
                ("AZURE_CLIENT_CERTIFICATE_PATH", path.display().to_string()),
            ];
            Ok(stage.environment(variables)?)
        },
    },
    Scenario {
        name: "client-assertion",
        client_id: World::CLIENT_ID,
        make: |stage| {
            let file = AssertionFile::new(stage.service_account_file()?);
            Ok(applied!(
                stage,
                ClientAssertionCredential::builder(World::TENANT_ID, World::CLIENT_ID, file)
            ))
        },
    },
    Scenario {
        name: "workload-identity",
        client_id: World::CLIENT_ID,
        make: |stage| {
            Ok(applied!(
                stage,
                WorkloadIdentityCredential::builder()
                    .tenant_id(World::TENANT_ID)
                    .client_id(World::CLIENT_ID)
                    .token_file_path(stage.service_account_file()?)
            ))
        },
    },
    Scenario {
        name: "azure-pipelines",
        client_id: World::CLIENT_ID,
        make: |stage| {
            let variables = vec![("SYSTEM_OIDCREQUESTURI", stage.emulator.pipelines_oidc_uri())];
            Ok(applied!(
                stage,
                variables,
                AzurePipelinesCredential::builder(
                    World::TENANT_ID,
                    World::CLIENT_ID,
                    World::SERVICE_CONNECTION_ID,
                    stage.emulator.pipelines_access_token().to_owned(),
                )
            ))
        },
    },
    Scenario {
        name: "federated (GitHub Actions)",
        client_id: World::CLIENT_ID,
        make: |stage| {
            let variables = vec![
                (
                    "ACTIONS_ID_TOKEN_REQUEST_URL",
                    stage.emulator.github_oidc_url(),
                ),
                (
                    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                    stage.emulator.github_request_token().to_owned(),
                ),
            ];
            Ok(applied!(
                stage,
                variables,
                stage.federated(FederatedAssertion::GitHubActions)
            ))
        },
    },
    Scenario {
        name: "federated (Google Cloud)",
        client_id: World::CLIENT_ID,
        make: |stage| {
            let host = stage.emulator.http_endpoint();
            let host = host.strip_prefix("http://").unwrap_or(host);
            let variables = vec![("GCE_METADATA_HOST", host.to_owned())];
            Ok(applied!(
                stage,
                variables,
                stage.federated(FederatedAssertion::GoogleCloud)
            ))
        },
    },
    Scenario {
        name: "on-behalf-of",
        client_id: World::API_CLIENT_ID,
        make: |stage| {
            let user = stage.emulator.user_token(World::ORDERS_SCOPE)?;
            let secret = stage.secret_of(World::API_CLIENT_ID);
            Ok(applied!(
                stage,
                OnBehalfOfCredential::builder(World::TENANT_ID, World::API_CLIENT_ID, user)
                    .client_secret(secret)
            ))
        },
    },
    Scenario {
        name: "authorization-code",
        client_id: World::WEB_CLIENT_ID,
        make: |stage| {
            let scope = format!("offline_access {}", super::super::SCOPES[0]);
            let sign_in = SignIn::new(&scope).client_id(World::WEB_CLIENT_ID);
            let code = stage.emulator.authorization_code(&sign_in)?;
            let secret = stage.secret_of(World::WEB_CLIENT_ID);
            Ok(applied!(
                stage,
                AuthorizationCodeCredential::builder(
                    World::TENANT_ID,
                    World::WEB_CLIENT_ID,
                    code,
                    World::WEB_REDIRECT_URI,
                )
                .client_secret(secret)
            ))
        },
    },
];

/// Builds a credential of an application in the emulator's world, with these variables or none.
macro_rules! applied {
    ($stage:ident, $builder:expr) => {
        applied!($stage, Variables::new(), $builder)
    };
    ($stage:ident, $variables:expr, $builder:expr) => {{
        let credential: Arc<dyn Credential> = $builder
            .client_options($stage.transports.authority())
            .authority_host($stage.emulator.authority_host())
            .disable_instance_discovery(true)
            .environment(Environment::builder().variables($variables).build())
            .build()?;
        credential
    }};
}
use applied;

impl Stage {
    fn secret_of(&self, client_id: &str) -> String {
        let secret = self.emulator.world().client_secret(client_id);
        secret.unwrap_or_default().to_owned()
    }

    fn federated(&self, source: FederatedAssertion) -> azidentity::FederatedCredentialBuilder {
        FederatedCredential::builder(World::TENANT_ID, World::CLIENT_ID, source)
            .assertion_client_options(self.transports.metadata())
    }

    /// A file that only this user can read.
    fn file(&self, name: &str, content: &str) -> Result<PathBuf, Box<dyn Error>> {
        let path = self.folder.path().join(name);
        fs::write(&path, content)?;
        Ok(path)
    }

    /// What a pod finds where `AZURE_FEDERATED_TOKEN_FILE` points.
    fn service_account_file(&self) -> Result<PathBuf, Box<dyn Error>> {
        let token = self
            .emulator
            .service_account_token(Trusted::AUDIENCE, None)?;
        self.file("service-account-token", &token)
    }
}
