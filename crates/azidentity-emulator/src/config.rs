//! How an emulator is set up.

use std::fmt;
use std::time::SystemTime;

use crate::script::Script;
use crate::world::World;

mod assemble;
mod file;

pub(crate) use file::{line_of, read};

/// What [`Emulator::start`](crate::Emulator::start) takes.
///
/// The default is the built-in [`World`] on ports that the system chooses.
///
/// ```
/// use azidentity_emulator::{Config, Emulator};
///
/// let mut config = Config::default();
/// config.https_port = None; // the system chooses, which is the default
/// let emulator = Emulator::start(config)?;
/// assert!(emulator.authority_host().starts_with("https://localhost:"));
/// # Ok::<(), azidentity_emulator::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// Who exists. Default: the built-in world.
    pub world: World,
    /// The port of the authority, on 127.0.0.1 and `[::1]`. `None` (the
    /// default) or 0: a free one.
    pub https_port: Option<u16>,
    /// The port of the managed identity endpoints, on 127.0.0.1 and `[::1]`.
    /// `None` (the default) or 0: a free one.
    pub http_port: Option<u16>,
    /// What is to go wrong from the start. Default: nothing. See
    /// [`Emulator::script`](crate::Emulator::script).
    pub script: Script,
    /// The time at which the emulator's clock starts, to run on from there.
    /// `None` (the default): the system's time. See
    /// [`Emulator::set_time`](crate::Emulator::set_time) for one that stands.
    pub start_time: Option<SystemTime>,
}

impl Config {
    /// Reads a configuration in TOML.
    ///
    /// A file without `[[tenant]]` adds to the built-in world; one with
    /// tenants describes a world of its own, in which only the built-in
    /// resources exist besides. Ids of service principals that are not given
    /// are derived from the client id, and so stay the same.
    ///
    /// ```
    /// let config = azidentity_emulator::Config::from_toml(r#"
    ///     https_port = 8443              # default: a free one
    ///     http_port = 8442               # default: a free one
    ///     accept_any_resource = false    # default: true
    ///     start_time = 2030-01-01T00:00:00Z # default: the system's time
    ///     region = "northeurope"         # default: westeurope
    ///
    ///     [[tenant]]
    ///     id = "b2c1d3e4-0f5a-4b6c-8d7e-9f8a7b6c5d4e"
    ///     domains = ["shop.example"]
    ///
    ///     [[application]]
    ///     client_id = "0d9e8f7a-6b5c-4d3e-a2f1-0b9c8d7e6f5a"
    ///     name = "Order importer"        # default: the client id
    ///     tenant = "shop.example"        # default: the first tenant
    ///     public = false                 # the default
    ///     roles = { "api://orders" = ["Orders.Write"] }
    ///
    ///     [[application.secret]]
    ///     value = "only-for-tests"
    ///     expires = 2099-01-01T00:00:00Z # default: never
    ///
    ///     [[application.federated_credential]]
    ///     issuer = "emulator:github"     # or a URL, with `keys` or `keys_file`
    ///     subject = "repo:contoso/orders:ref:refs/heads/main"
    ///     audience = "api://AzureADTokenExchange" # the default
    ///
    ///     [[application]]
    ///     client_id = "9f8e7d6c-5b4a-4c3d-b2e1-0f9a8b7c6d5e"
    ///     redirect_uris = ["http://localhost/signed-in"] # any port
    ///     needs_consent_for = ["https://graph.microsoft.com"] # default: nothing
    ///
    ///     [[user]]
    ///     username = "ada@shop.example"
    ///     name = "Ada"                   # default: the user name
    ///     tenant = "shop.example"        # default: the first tenant
    ///     needs_mfa = true               # default: false
    ///
    ///     [[resource]]
    ///     app_id = "5e6f7a8b-9c0d-4e1f-8a2b-3c4d5e6f7a8b"
    ///     identifiers = ["api://orders"]
    ///     token_version = 2              # default: 1
    ///     app_roles = ["Orders.Write"]   # default: any
    ///     scopes = ["Orders.Read"]       # default: any
    ///
    ///     [[managed_identity]]
    ///     kind = "user-assigned"         # or "system-assigned"
    ///     client_id = "1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
    ///     resource_id = "/subscriptions/.../userAssignedIdentities/importer"
    ///
    ///     [[fault]]                      # default: nothing goes wrong
    ///     endpoint = "token"
    ///     status = 503
    ///     times = 2
    /// "#)?;
    /// assert_eq!(config.https_port, Some(8443));
    /// # Ok::<(), azidentity_emulator::ConfigError>(())
    /// ```
    ///
    /// Further keys: `object_id` of an application, user or managed identity,
    /// `tenant` and `roles` of a managed identity, and
    /// `[[application.installed_in]]` with `tenant` and `object_id` for each
    /// further tenant that has the application. The keys of `[[fault]]` are
    /// listed at [`Script::from_toml`].
    ///
    /// `[[application.certificate]]` has `pem`, the text of a certificate, or
    /// `file`, where it stands (relative to the working directory).
    /// `[[application.trusted_subject]]` has the same for an authority, and
    /// `common_name`: whatever certificate that authority issues for this name
    /// is taken, if the client sends it along (`x5c`).
    ///
    /// The issuer of a federated credential is one of the emulator's own
    /// (`emulator:pipelines`, `emulator:github`, `emulator:gcp`,
    /// `emulator:kubernetes`), or any other, with a JSON Web Key Set in `keys`
    /// or in the file `keys_file`.
    ///
    /// The public client of the Azure CLI
    /// ([`World::AZURE_CLI_CLIENT_ID`](crate::World::AZURE_CLI_CLIENT_ID)) is in
    /// every world, unless the file describes it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line: TOML that cannot be read,
    /// a key that does not exist, a value that is not what the key takes, a
    /// tenant that was not described, an id that is used twice, a certificate
    /// or file that cannot be read, or a fault that cannot be. Secrets are never part of the text; what stands in a
    /// `[[fault]]` may be.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        assemble::config(read(text)?, text)
    }
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    line: Option<usize>,
    message: String,
}

impl ConfigError {
    pub(crate) fn new(line: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }

    /// The line of the file, counted from 1, when one is to blame.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong, without the line.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConfigError {}
