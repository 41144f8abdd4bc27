//! What credentials are made from: the options, and the environment behind them.

use std::{
    cell::OnceCell,
    fs::File,
    io::{self, Read},
    path::Path,
};

use azidentity::Environment;
use azure_core::http::ClientOptions;
use zeroize::Zeroizing;

use crate::{
    cli::{EntraArgs, TokenArgs},
    failure::Failure,
    transport::Transports,
};

pub(super) const TENANT_ID: &str = "AZURE_TENANT_ID";
pub(super) const CLIENT_ID: &str = "AZURE_CLIENT_ID";
pub(super) const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";

/// The longest file that can be a secret, in bytes: whatever is longer was named by mistake.
const LONGEST_SECRET: u64 = 64 * 1024;

pub(super) struct World<'a> {
    pub(super) args: &'a TokenArgs,
    transports: &'a Transports,
    /// What options say in place of variables.
    overrides: Vec<(&'static str, Zeroizing<String>)>,
    environment: OnceCell<Environment>,
}

impl<'a> World<'a> {
    pub(super) fn new(args: &'a TokenArgs, transports: &'a Transports) -> Result<Self, Failure> {
        let EntraArgs {
            tenant_id,
            client_id,
            client_secret_file,
            ..
        } = &args.entra;
        let secret = match client_secret_file {
            Some(path) => Some(read_secret(path)?),
            None => None,
        };
        let plain = |value: &Option<String>| value.clone().map(Zeroizing::new);
        let overrides = [
            (TENANT_ID, plain(tenant_id)),
            (CLIENT_ID, plain(client_id)),
            (CLIENT_SECRET, secret),
        ];
        Ok(Self {
            args,
            transports,
            overrides: overrides
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            environment: OnceCell::new(),
        })
    }

    /// What the option says, else the variable.
    pub(super) fn value(&self, variable: &str) -> Option<Zeroizing<String>> {
        self.overrides
            .iter()
            .find(|(name, _)| *name == variable)
            .map(|(_, value)| value.clone())
            .or_else(|| {
                Environment::process()
                    .variable(variable)
                    .map(Zeroizing::new)
            })
    }

    /// For credentials that read variables themselves: the process's environment, in which options have replaced them.
    pub(super) fn environment(&self) -> Environment {
        let made = self.environment.get_or_init(|| {
            let process = Environment::process();
            if self.overrides.is_empty() {
                return process;
            }
            // Names and values that are no Unicode are none of ours.
            let variables = std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            });
            let mut builder = Environment::builder()
                .variables(variables)
                .machine(process.machine());
            if let Some(home) = process.home() {
                builder = builder.home(home);
            }
            for (name, value) in &self.overrides {
                builder = builder.variable(*name, value.as_str());
            }
            builder.build()
        });
        made.clone()
    }

    /// For credentials that talk to Microsoft Entra.
    pub(super) fn authority_options(&self) -> ClientOptions {
        self.transports.authority()
    }

    /// For managed identities.
    pub(super) fn metadata_options(&self) -> ClientOptions {
        self.transports.metadata()
    }
}

/// Sets what the command line says about Microsoft Entra, on any of the library's builders that take it.
macro_rules! with_entra_options {
    ($builder:expr, $world:expr) => {{
        let entra = &$world.args.entra;
        let mut builder = $builder
            .client_options($world.authority_options())
            .disable_instance_discovery(entra.disable_instance_discovery)
            .additionally_allowed_tenants(entra.additionally_allowed_tenants.iter().cloned());
        if let Some(host) = &entra.authority_host {
            builder = builder.authority_host(host);
        }
        builder
    }};
}

pub(super) use with_entra_options;

/// The secret in a file, or on standard input for `-`, without the line break that editors and `echo` put at its end.
///
/// The name is not repeated in messages: it may be the secret, given where its file should be.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let from_stdin = path == Path::new("-");
    let whence = if from_stdin {
        "standard input, from which --client-secret-file - reads,"
    } else {
        "the file that --client-secret-file names"
    };
    let wrong = |what: &str| {
        Failure::Configuration(format!(
            "{whence} {what}; it has to hold the value of a client secret and nothing else"
        ))
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if from_stdin {
        read_to_limit(&mut io::stdin().lock(), &mut bytes)
    } else {
        File::open(path).and_then(|mut file| read_to_limit(&mut file, &mut bytes))
    };
    read.map_err(|error| wrong(&format!("cannot be read ({error})")))?;
    if bytes.len() as u64 > LONGEST_SECRET {
        return Err(wrong("is too long for a secret"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is no text in UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn read_to_limit(input: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<usize> {
    input.take(LONGEST_SECRET + 1).read_to_end(bytes)
}
