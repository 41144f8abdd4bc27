//! What the outside world is: variables, clock, sleep, home folder, programs, the machine and well-known endpoints.
//!
//! Credentials look at the world through an [`Environment`] alone. The default one is the process's own; tests and
//! tools make another, so that they run in parallel and never touch the process:
//!
//! ```
//! use azidentity::Environment;
//!
//! let environment = Environment::builder()
//!     .variable("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
//!     .build();
//! assert_eq!(environment.variable("AZURE_TENANT_ID").as_deref(), Some("contoso.onmicrosoft.com"));
//! assert_eq!(environment.variable("HOME"), None, "nothing of the process shines through");
//! ```

mod clock;
mod machine;
mod timer;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, LazyLock},
    time::Duration,
};

use azure_core::time::OffsetDateTime;
use futures::future::{Either, select};

pub use clock::{Clock, ManualClock};
pub use machine::{Machine, MachineEvidence};

use clock::SystemClock;

/// Where the Azure Instance Metadata Service answers on every virtual machine
/// ([documentation](https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service)).
const IMDS_HOST: &str = "http://169.254.169.254";

/// The host that knows which authority hosts are Microsoft's, whatever cloud they belong to.
const INSTANCE_DISCOVERY_HOST: &str = "https://login.microsoftonline.com";

static PROCESS: LazyLock<Environment> = LazyLock::new(|| {
    Environment(Arc::new(Inner {
        variables: Variables::Process,
        clock: TimeSource::System,
        home: None,
        machine: None,
        imds_host: IMDS_HOST.into(),
        instance_discovery_host: INSTANCE_DISCOVERY_HOST.into(),
    }))
});

/// The world as credentials see it. Cheap to clone.
#[derive(Clone)]
pub struct Environment(Arc<Inner>);

struct Inner {
    variables: Variables,
    clock: TimeSource,
    home: Option<PathBuf>,
    machine: Option<Machine>,
    imds_host: String,
    instance_discovery_host: String,
}

enum Variables {
    Process,
    Fixed(HashMap<String, String>),
}

enum TimeSource {
    System,
    Other(Arc<dyn Clock>),
}

impl Environment {
    /// The process's own environment: its variables, the system's clock, the real machine. This is the default.
    pub fn process() -> Self {
        PROCESS.clone()
    }

    /// Starts an environment that has no variable, no home folder and no program, and tells nothing of the machine.
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder(Inner {
            variables: Variables::Fixed(HashMap::new()),
            clock: TimeSource::System,
            home: None,
            machine: Some(Machine::default()),
            imds_host: IMDS_HOST.into(),
            instance_discovery_host: INSTANCE_DISCOVERY_HOST.into(),
        })
    }

    /// The value of an environment variable. An empty variable counts as unset, everywhere in this crate.
    pub fn variable(&self, name: &str) -> Option<String> {
        match &self.0.variables {
            // What is not UTF-8 must not count as unset: whoever needs the value will say that it is malformed.
            Variables::Process => {
                std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
            }
            Variables::Fixed(variables) => variables.get(name).cloned(),
        }
        .filter(|value| !value.is_empty())
    }

    /// The current time.
    pub fn now(&self) -> OffsetDateTime {
        match &self.0.clock {
            TimeSource::System => SystemClock.now(),
            TimeSource::Other(clock) => clock.now(),
        }
    }

    /// Whole seconds since the Unix epoch: what the token cache compares, read as cheaply as the system allows.
    pub(crate) fn unix_now(&self) -> i64 {
        match &self.0.clock {
            TimeSource::System => SystemClock::unix_now(),
            TimeSource::Other(clock) => clock.now().unix_timestamp(),
        }
    }

    /// Waits for `duration` by this environment's clock.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0.clock {
            TimeSource::System => SystemClock.sleep(duration).await,
            TimeSource::Other(clock) => clock.sleep(duration).await,
        }
    }

    /// Runs `work`, but no longer than `limit` by this environment's clock; `None` when the time is up.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let limit = match &self.0.clock {
            TimeSource::System => SystemClock.time_limit(limit),
            TimeSource::Other(clock) => clock.time_limit(limit),
        };
        match select(pin!(work), limit).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(((), _)) => None,
        }
    }

    /// The user's home folder, if there is one.
    pub fn home(&self) -> Option<PathBuf> {
        match &self.0.variables {
            Variables::Process => std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            Variables::Fixed(_) => self.0.home.clone(),
        }
    }

    /// The full path of a program, from the folders of `PATH` that are absolute.
    ///
    /// Empty and relative entries of `PATH` are left out: they would run whatever lies in the current folder.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.variable("PATH")?;
        std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|candidate| is_executable(candidate))
    }

    /// What is known of the machine this runs on.
    pub fn machine(&self) -> Machine {
        self.0.machine.clone().unwrap_or_else(Machine::this_one)
    }

    /// Scheme, host and port of the instance metadata service, before `AZURE_POD_IDENTITY_AUTHORITY_HOST` is looked at.
    pub fn imds_host(&self) -> &str {
        &self.0.imds_host
    }

    /// Scheme, host and port that is asked whether an unknown authority host is one of Microsoft's.
    pub fn instance_discovery_host(&self) -> &str {
        &self.0.instance_discovery_host
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::process()
    }
}

/// Shows no variable's value: some are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Environment");
        match &self.0.variables {
            Variables::Process => debug.field("variables", &"of the process"),
            Variables::Fixed(variables) => {
                let mut names: Vec<&String> = variables.keys().collect();
                names.sort();
                debug.field("variables", &names)
            }
        };
        debug.finish_non_exhaustive()
    }
}

/// Makes an [`Environment`].
pub struct EnvironmentBuilder(Inner);

impl EnvironmentBuilder {
    /// Sets one variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Variables::Fixed(variables) = &mut self.0.variables {
            variables.insert(name.into(), value.into());
        }
        self
    }

    /// Sets several variables.
    #[must_use]
    pub fn variables<N: Into<String>, V: Into<String>>(
        self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        variables
            .into_iter()
            .fold(self, |this, (name, value)| this.variable(name, value))
    }

    /// Sets the clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.0.clock = TimeSource::Other(clock);
        self
    }

    /// Sets the home folder. Default: none.
    #[must_use]
    pub fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.0.home = Some(home.into());
        self
    }

    /// Sets what is known of the machine. Default: nothing.
    #[must_use]
    pub fn machine(mut self, machine: Machine) -> Self {
        self.0.machine = Some(machine);
        self
    }

    /// Sets the address of the instance metadata service. Default: `http://169.254.169.254`.
    #[must_use]
    pub fn imds_host(mut self, host: impl Into<String>) -> Self {
        self.0.imds_host = host.into();
        self
    }

    /// Sets the host that is asked about unknown authority hosts. Default: `https://login.microsoftonline.com`.
    #[must_use]
    pub fn instance_discovery_host(mut self, host: impl Into<String>) -> Self {
        self.0.instance_discovery_host = host.into();
        self
    }

    /// Finishes the environment.
    pub fn build(self) -> Environment {
        Environment(Arc::new(self.0))
    }
}

impl fmt::Debug for EnvironmentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentBuilder").finish_non_exhaustive()
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variables_are_unset() {
        let environment = Environment::builder()
            .variable("AZURE_CLIENT_ID", "")
            .build();
        assert_eq!(environment.variable("AZURE_CLIENT_ID"), None);
    }

    #[test]
    fn debug_shows_names_but_no_values() {
        let environment = Environment::builder()
            .variables([("AZURE_CLIENT_SECRET", "planted")])
            .build();
        let shown = format!("{environment:?}");
        assert!(shown.contains("AZURE_CLIENT_SECRET") && !shown.contains("planted"));
    }

    #[cfg(unix)]
    #[test]
    fn programs_come_from_absolute_folders_only() {
        let with = |path: &str| Environment::builder().variable("PATH", path).build();
        assert!(with("/bin").find_program("sh").is_some());
        for path in ["", ".", ":", "bin:."] {
            assert_eq!(with(path).find_program("sh"), None, "PATH={path}");
        }
    }
}
