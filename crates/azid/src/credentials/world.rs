//! What credentials are made from: the options, and the environment behind them.

use std::{cell::OnceCell, path::Path};

use azidentity::{AssertionFile, Environment};
use azure_core::http::ClientOptions;
use zeroize::Zeroizing;

use crate::{cli::TokenArgs, failure::Failure, transport::Transports};

use super::{
    choice::Choice,
    secret_file::{self, STANDARD_INPUT},
};

pub(super) const TENANT_ID: &str = "AZURE_TENANT_ID";
pub(super) const CLIENT_ID: &str = "AZURE_CLIENT_ID";
pub(super) const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
pub(super) const CERTIFICATE_PATH: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
pub(super) const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const CERTIFICATE_OPTION: &str = "--certificate-path";
const ASSERTION_OPTION: &str = "--assertion-file";
const SEND_CERTIFICATE_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
pub(super) const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

pub(super) struct World<'a> {
    pub(super) args: &'a TokenArgs,
    /// Read once, for however many members of a chain: it may come from standard input.
    pub(super) user_assertion: Option<Zeroizing<String>>,
    transports: &'a Transports,
    /// What options say in place of variables.
    overrides: Vec<(&'static str, Zeroizing<String>)>,
    environment: OnceCell<Environment>,
}

impl<'a> World<'a> {
    pub(super) fn new(args: &'a TokenArgs, transports: &'a Transports) -> Result<Self, Failure> {
        secret_file::check(args)?;
        let TokenArgs {
            entra, proof, user, ..
        } = args;
        let plain = |value: &Option<String>| value.clone().map(Zeroizing::new);
        let secret = read(
            proof.client_secret_file.as_deref(),
            "--client-secret-file",
            "the value of a client secret",
        )?;
        let password = read(
            proof.certificate_password_file.as_deref(),
            "--certificate-password-file",
            "the password of a private key",
        )?;
        let user_assertion = read(
            user.user_assertion_file.as_deref(),
            "--user-assertion-file",
            "the access token that the user's request carries",
        )?;
        let overrides = [
            (TENANT_ID, plain(&entra.tenant_id)),
            (CLIENT_ID, plain(&entra.client_id)),
            (CLIENT_SECRET, secret),
            (
                CERTIFICATE_PATH,
                path(proof.certificate_path.as_deref(), CERTIFICATE_OPTION)?,
            ),
            (CERTIFICATE_PASSWORD, password),
            (
                SEND_CERTIFICATE_CHAIN,
                proof
                    .send_certificate_chain
                    .then(|| Zeroizing::new("true".into())),
            ),
            (
                TOKEN_FILE,
                path(proof.token_file_path.as_deref(), "--token-file-path")?,
            ),
        ];
        Ok(Self {
            args,
            user_assertion,
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

    /// The same where a credential can't do without it: an error that names what is missing, the option and the variable.
    pub(super) fn require(
        &self,
        credential: &str,
        variable: &str,
        option: &str,
        what: &str,
    ) -> Result<Zeroizing<String>, Failure> {
        self.value(variable).ok_or_else(|| {
            Failure::Configuration(format!(
                "{credential}: {what} is missing; give {option}, or set the variable {variable}"
            ))
        })
    }

    /// Tenant and client id.
    pub(super) fn application(
        &self,
        credential: &str,
    ) -> Result<(Zeroizing<String>, Zeroizing<String>), Failure> {
        Ok((
            self.require(credential, TENANT_ID, "--tenant-id", "the tenant")?,
            self.require(
                credential,
                CLIENT_ID,
                "--client-id",
                "the application's client id",
            )?,
        ))
    }

    /// The file with the certificate.
    pub(super) fn certificate_path(&self, credential: &str) -> Result<Zeroizing<String>, Failure> {
        self.require(
            credential,
            CERTIFICATE_PATH,
            CERTIFICATE_OPTION,
            "the certificate",
        )
    }

    /// The file with the client assertion, which no variable names.
    pub(super) fn assertion_file(&self, credential: &str) -> Result<AssertionFile, Failure> {
        let Some(path) = &self.args.proof.assertion_file else {
            return Err(Failure::Configuration(format!(
                "{credential}: the assertion is missing; give {ASSERTION_OPTION} with the name of a file"
            )));
        };
        check_path(path, ASSERTION_OPTION)?;
        Ok(AssertionFile::new(path))
    }

    /// For credentials that read variables themselves: the process's environment, in which options have replaced them.
    pub(super) fn environment(&self) -> Environment {
        let made = self.environment.get_or_init(|| {
            let process = Environment::process();
            if self.overrides.is_empty() {
                return process;
            }
            // A certificate that options ask for is not to be outdone by a secret that happens to be set.
            let is_given = |choice: Choice| choice.given(self.args).is_some();
            let hides_secret = is_given(Choice::Certificate) && !is_given(Choice::ClientSecretFile);
            // Names and values that are no Unicode are none of ours.
            let variables = std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .filter(|(name, _)| !(hides_secret && name == CLIENT_SECRET));
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

fn read(
    path: Option<&Path>,
    option: &str,
    what: &str,
) -> Result<Option<Zeroizing<String>>, Failure> {
    path.map(|path| secret_file::read(path, option, what))
        .transpose()
}

/// A path on its way through a variable, which has to be text.
fn path(path: Option<&Path>, option: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(path) = path else { return Ok(None) };
    check_path(path, option)?;
    match path.to_str() {
        Some(path) => Ok(Some(Zeroizing::new(path.to_owned()))),
        None => Err(Failure::Configuration(format!(
            "the path {} after {option} is no text in UTF-8; rename the file or link to it",
            path.display()
        ))),
    }
}

/// What is read when it is needed, and then again, can't come from standard input.
fn check_path(path: &Path, option: &str) -> Result<(), Failure> {
    if path.as_os_str().is_empty() {
        return Err(Failure::Configuration(format!(
            "the path after {option} is empty; name a file"
        )));
    }
    if path == Path::new(STANDARD_INPUT) {
        return Err(Failure::Configuration(format!(
            "{option} reads no standard input; name a file (./- if it has that name)"
        )));
    }
    Ok(())
}

/// Sets what the command line says about Microsoft Entra, on any of the library's builders that take it.
macro_rules! with_entra_options {
    ($builder:expr, $world:expr) => {{
        let entra = &$world.args.entra;
        let mut builder = $builder
            .client_options($world.authority_options())
            .metadata_client_options($world.metadata_options())
            .disable_instance_discovery(entra.disable_instance_discovery)
            .additionally_allowed_tenants(entra.additionally_allowed_tenants.iter().cloned());
        if let Some(host) = &entra.authority_host {
            builder = builder.authority_host(host);
        }
        builder
    }};
}

pub(super) use with_entra_options;
