//! What the demonstration shows: one row a credential, each in an environment of its own.

mod applications;

use std::{error::Error, sync::Arc};

use azidentity::{
    ChainedTokenCredential, ClientSecretCredential, Credential, DefaultAzureCredential,
    Environment, EnvironmentCredential, ManagedIdentityCredential, UserAssignedId,
};
use azidentity_emulator::{Application, Emulator, World};
use tempfile::TempDir;

use crate::transport::Transports;

/// Where everything takes place.
pub(super) struct Stage {
    pub(super) emulator: Emulator,
    /// For the files of those who read some.
    pub(super) folder: TempDir,
    pub(super) transports: Transports,
}

/// A credential, or why there is none.
pub(super) type Made = Result<Arc<dyn Credential>, Box<dyn Error>>;

pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Whose token it has to be.
    pub(super) client_id: &'static str,
    pub(super) make: fn(&Stage) -> Made,
}

pub(super) fn all() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(applications::SCENARIOS)
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "client-secret",
        client_id: World::CLIENT_ID,
        make: |stage| Ok(stage.client_secret()?),
    },
    Scenario {
        name: "environment",
        client_id: World::CLIENT_ID,
        make: |stage| Ok(stage.environment(stage.application_variables())?),
    },
    Scenario {
        name: "managed-identity (IMDS, system)",
        client_id: World::SYSTEM_ASSIGNED_CLIENT_ID,
        make: |stage| Ok(stage.managed_identity(stage.imds_variables(), None)?),
    },
    Scenario {
        name: "managed-identity (IMDS, user)",
        client_id: World::USER_ASSIGNED_CLIENT_ID,
        make: |stage| {
            let id = UserAssignedId::ClientId(World::USER_ASSIGNED_CLIENT_ID.into());
            Ok(stage.managed_identity(stage.imds_variables(), Some(id))?)
        },
    },
    Scenario {
        name: "managed-identity (App Service)",
        client_id: World::SYSTEM_ASSIGNED_CLIENT_ID,
        make: |stage| {
            let variables = vec![
                ("IDENTITY_ENDPOINT", stage.emulator.app_service_endpoint()),
                (
                    "IDENTITY_HEADER",
                    stage.emulator.identity_header().to_owned(),
                ),
            ];
            Ok(stage.managed_identity(variables, None)?)
        },
    },
    Scenario {
        name: "chain (environment, client-secret)",
        client_id: World::CLIENT_ID,
        make: |stage| {
            Ok(ChainedTokenCredential::new(vec![
                stage.environment(Vec::new())?.into(),
                stage.client_secret()?.into(),
            ])?)
        },
    },
    Scenario {
        name: "default",
        client_id: World::SYSTEM_ASSIGNED_CLIENT_ID,
        make: |stage| {
            let environment = Environment::builder().variables(stage.imds_variables());
            Ok(DefaultAzureCredential::builder()
                .client_options(stage.transports.authority())
                .managed_identity_client_options(stage.transports.metadata())
                .environment(environment.build())
                .build()?)
        },
    },
];

type Variables = Vec<(&'static str, String)>;

impl Stage {
    fn secret(&self) -> String {
        let secret = self.emulator.world().client_secret(World::CLIENT_ID);
        secret.unwrap_or_default().to_owned()
    }

    fn application_variables(&self) -> Variables {
        vec![
            ("AZURE_TENANT_ID", World::TENANT_ID.into()),
            ("AZURE_CLIENT_ID", World::CLIENT_ID.into()),
            ("AZURE_CLIENT_SECRET", self.secret()),
            (
                "AZURE_AUTHORITY_HOST",
                self.emulator.authority_host().into(),
            ),
        ]
    }

    fn imds_variables(&self) -> Variables {
        let host = self.emulator.imds_host().to_owned();
        vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", host)]
    }

    fn client_secret(&self) -> azure_core::Result<Arc<ClientSecretCredential>> {
        ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, self.secret())
            .client_options(self.transports.authority())
            .authority_host(self.emulator.authority_host())
            .disable_instance_discovery(true)
            .environment(Environment::builder().build())
            .build()
    }

    fn environment(&self, variables: Variables) -> azure_core::Result<Arc<EnvironmentCredential>> {
        EnvironmentCredential::builder()
            .client_options(self.transports.authority())
            .disable_instance_discovery(true)
            .environment(Environment::builder().variables(variables).build())
            .build()
    }

    fn managed_identity(
        &self,
        variables: Variables,
        id: Option<UserAssignedId>,
    ) -> azure_core::Result<Arc<ManagedIdentityCredential>> {
        let mut builder = ManagedIdentityCredential::builder()
            .client_options(self.transports.metadata())
            .environment(Environment::builder().variables(variables).build());
        if let Some(id) = id {
            builder = builder.user_assigned_id(id);
        }
        builder.build()
    }

    /// What the application or identity with this client id is called.
    pub(super) fn name_of(&self, client_id: &str) -> Option<String> {
        let world = self.emulator.world();
        let application = world.application(client_id).map(Application::name);
        let resource = world
            .identities()
            .iter()
            .find(|identity| identity.client_id() == client_id)
            .and_then(|identity| identity.resource_id().rsplit('/').next());
        application.or(resource).map(str::to_owned)
    }
}
