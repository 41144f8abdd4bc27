//! What is to go wrong, and when.

use crate::config::{self, ConfigError};

mod fault;
mod file;
mod path;
mod reply;
mod running;
mod selection;

pub use fault::Fault;
pub(crate) use fault::{Delivery, LONGEST};
pub(crate) use file::{Table, assemble};
pub(crate) use running::Running;
pub(crate) use selection::Asked;

/// Faults for an emulator to commit, in order.
///
/// For each request the first [`Fault`] acts that is meant for it and is not
/// used up; without one the request is answered as ever. Where an emulator
/// takes a script, it also takes a single fault, an array or a `Vec` of them.
///
/// ```
/// use azidentity_emulator::{Config, Emulator, Fault, Script};
///
/// let emulator = Emulator::start(Config::default())?;
/// // Twice "come back in two seconds", then a connection reset, then service.
/// emulator.script([
///     Fault::token().status(503).retry_after(2).times(2),
///     Fault::token().reset(),
/// ]);
/// // The same, as a file would say it.
/// emulator.script(Script::from_toml(r#"
///     [[fault]]
///     endpoint = "token"
///     status = 503
///     retry_after = 2
///     times = 2
///
///     [[fault]]
///     endpoint = "token"
///     reset = true
/// "#)?);
/// emulator.clear_script();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Script {
    faults: Vec<Fault>,
}

impl Script {
    /// Reads a script in TOML: one `[[fault]]` after the other. A
    /// [configuration](crate::Config::from_toml) can hold the same tables.
    ///
    /// | key | meaning |
    /// | --- | --- |
    /// | `endpoint` | `token`, `authorize`, `openid-configuration`, `jwks`, `instance-discovery`, `imds`, `app-service`, `pipelines`, `github` or `gcp` |
    /// | `path` | in place of an endpoint: a pattern, see [`Fault::path`] |
    /// | `method`, `grant_type`, `client_id`, `resource` | which of the requests there, see the methods of these names |
    /// | `skip` | so many of them pass first; default: 0 |
    /// | `times` | so many of them are hit then; default: 1 |
    /// | `always = true` | all are hit from then on |
    /// | `delay_ms` | waits before anything else happens, at most 600,000 |
    /// | `status` | answers with this status, 200 to 599 |
    /// | `retry_after` | a header of this name: seconds, or text such as a date |
    /// | `headers` | a table of further headers |
    /// | `body`, `json` | the answer's text, or a value it holds as JSON |
    /// | `aadsts` | answers as Entra does with this error number, see [`Fault::aadsts`] |
    /// | `redirect` | answers with a redirection to this address, 302 without another `status` |
    /// | `truncate` | announces the whole answer and ends after so many bytes of its body |
    /// | `stall = true` | announces the whole answer and sends nothing of its body |
    /// | `oversize_mib` | fills the answer up with blanks to so many MiB, at most 1024 |
    /// | `garbage = true` | sends bytes that are no HTTP |
    /// | `reset = true` | resets the connection |
    ///
    /// `delay_ms` goes with everything. An answer (`status` to `redirect`)
    /// goes with one of the ways to spoil it (`truncate`, `stall`,
    /// `oversize_mib`), which otherwise spoil the real answer. Headers without
    /// an answer are added to the real one.
    ///
    /// ```
    /// use azidentity_emulator::Script;
    ///
    /// let script = Script::from_toml(r#"
    ///     [[fault]]
    ///     endpoint = "token"
    ///     grant_type = "client_credentials"
    ///     resource = "https://vault.azure.net"
    ///     skip = 1
    ///     times = 3
    ///     status = 429
    ///     headers = { retry-after = "Wed, 21 Oct 2026 07:28:00 GMT" }
    ///     json = { error = "temporarily_unavailable" }
    ///
    ///     [[fault]]
    ///     path = "/*/.well-known/**"
    ///     always = true
    ///     delay_ms = 200
    /// "#)?;
    /// # let _ = script;
    /// # Ok::<(), azidentity_emulator::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// The first thing that is wrong, with its line, key and value: TOML that
    /// cannot be read, a key that does not exist, a value out of its range,
    /// keys that exclude each other, a fault that does nothing.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file: file::File = config::read(text)?;
        assemble(&file.faults, text)
    }
}

impl From<Fault> for Script {
    fn from(fault: Fault) -> Self {
        Self::from([fault])
    }
}

impl<const N: usize> From<[Fault; N]> for Script {
    fn from(faults: [Fault; N]) -> Self {
        Self::from(Vec::from(faults))
    }
}

impl From<Vec<Fault>> for Script {
    fn from(faults: Vec<Fault>) -> Self {
        Self { faults }
    }
}

impl FromIterator<Fault> for Script {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        Self::from(Vec::from_iter(faults))
    }
}
