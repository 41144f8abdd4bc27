//! The command line as its user types it. What the options mean to credentials is in [`crate::credentials`].

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::{ffi::OsString, path::PathBuf};

use clap::{
    ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum,
    builder::{NonEmptyStringValueParser, PossibleValuesParser},
};
use clap_complete::Shell;

use crate::credentials;

const MORE_ON_TOKEN: &str = "\
Proof of the application where there is a choice:
  An option wins over variables, and two options for different proofs are an error. Of the variables a client secret
  wins over a certificate. on-behalf-of takes one of --client-secret-file, --certificate-path and --assertion-file.
  authorization-code takes the same, or none for a public client: then leave AZURE_CLIENT_SECRET and
  AZURE_CLIENT_CERTIFICATE_PATH unset.

Exit codes:
  0  done
  1  the network failed in spite of retries, or anything not named here
  2  bad usage or configuration
  3  the credential is unavailable here: it could not even try
  4  authentication failed, or no member of a chain gave a token
  5  a user would have to sign in";

/// Get, inspect and explain Azure access tokens
#[derive(Debug, Parser)]
#[command(name = "azid", version)]
pub(crate) struct Cli {
    /// Log to standard error: -v what happens, -vv requests, -vvv everything. Never a secret
    #[arg(short, action = ArgAction::Count, global = true, display_order = 900)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Acquire one access token and print it
    Token(Box<TokenArgs>),
    /// Decode a token: header, claims, lifetime. Verifies nothing
    Inspect(InspectArgs),
    /// Serve a local Microsoft Entra and managed identity emulator until a signal
    Emulator(EmulatorArgs),
    /// Show every credential at work against the emulator, without network or account
    Demo(DemoArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
#[command(after_help = MORE_ON_TOKEN, group(ArgGroup::new("target").required(true)))]
pub(crate) struct TokenArgs {
    /// Scope the token is for, such as https://vault.azure.net/.default (repeatable)
    #[arg(short, long = "scope", value_name = "SCOPE", group = "target")]
    pub(crate) scopes: Vec<String>,

    /// Resource the token is for: short for the scope URI/.default
    #[arg(long, value_name = "URI", group = "target", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) resource: Option<String>,

    /// Credential to use; several names, separated by commas, make a chain that is walked in this order
    #[arg(
        short,
        long = "credential",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = credentials::DEFAULT,
        value_parser = PossibleValuesParser::new(credentials::names())
    )]
    pub(crate) credentials: Vec<String>,

    /// How to print the token
    #[arg(short, long, value_name = "FORMAT", default_value = "token")]
    pub(crate) output: TokenOutput,

    #[command(flatten)]
    pub(crate) request: RequestArgs,

    #[command(flatten)]
    pub(crate) entra: EntraArgs,

    #[command(flatten)]
    pub(crate) proof: ProofArgs,

    #[command(flatten)]
    pub(crate) user: UserArgs,

    #[command(flatten)]
    pub(crate) identity: IdentityArgs,

    #[command(flatten)]
    pub(crate) members: MemberArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The request")]
pub(crate) struct RequestArgs {
    /// Claims the token has to satisfy: what a claims challenge asked for
    #[arg(long, value_name = "JSON")]
    pub(crate) claims: Option<String>,

    /// Say that the caller can handle claims challenges (continuous access evaluation)
    #[arg(long)]
    pub(crate) enable_cae: bool,

    /// Ask another tenant than the credential's own; see --additionally-allowed-tenant
    #[arg(long, value_name = "TENANT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) request_tenant_id: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Microsoft Entra")]
pub(crate) struct EntraArgs {
    /// Tenant: its id or one of its domain names [else: AZURE_TENANT_ID]
    #[arg(long, value_name = "TENANT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) tenant_id: Option<String>,

    /// Application, or user-assigned managed identity [else, but for managed-identity: AZURE_CLIENT_ID]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) client_id: Option<String>,

    /// Host that issues tokens [else: AZURE_AUTHORITY_HOST, else Azure's public cloud]
    #[arg(long, value_name = "HOST", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) authority_host: Option<String>,

    /// Trust an authority host that is not Microsoft's without asking Azure's public cloud about it
    #[arg(long)]
    pub(crate) disable_instance_discovery: bool,

    /// Another tenant that --request-tenant-id may name, * for any (repeatable)
    #[arg(
        long = "additionally-allowed-tenant",
        value_name = "TENANT",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) additionally_allowed_tenants: Vec<String>,
}

/// What an application proves itself with. No option takes a secret's value: other users of a machine see those.
#[derive(Debug, Args)]
#[command(next_help_heading = "The application's proof")]
pub(crate) struct ProofArgs {
    /// File with the client secret, - for standard input [else: AZURE_CLIENT_SECRET]
    #[arg(long, value_name = "PATH")]
    pub(crate) client_secret_file: Option<PathBuf>,

    /// PEM or PFX file with certificate and private key [else: AZURE_CLIENT_CERTIFICATE_PATH]
    #[arg(long, value_name = "PATH")]
    pub(crate) certificate_path: Option<PathBuf>,

    /// File with the password of the private key, - for standard input [else: AZURE_CLIENT_CERTIFICATE_PASSWORD]
    #[arg(long, value_name = "PATH")]
    pub(crate) certificate_password_file: Option<PathBuf>,

    /// Send the certificate's chain along [else: AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true]
    #[arg(long)]
    pub(crate) send_certificate_chain: bool,

    /// File with a client assertion, a signed token; read anew for each exchange
    #[arg(long, value_name = "PATH")]
    pub(crate) assertion_file: Option<PathBuf>,

    /// Where federated gets assertions from: github-actions, gcp, env:NAME, file:PATH or exec:PROGRAM
    #[arg(long, value_name = "SOURCE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) assertion_from: Option<String>,

    /// Argument of the program of --assertion-from exec:PROGRAM, which runs without a shell (repeatable)
    #[arg(
        long = "assertion-arg",
        value_name = "ARG",
        requires = "assertion_from",
        allow_hyphen_values = true
    )]
    pub(crate) assertion_args: Vec<OsString>,

    /// Audience that federated has its assertions made out for [default: api://AzureADTokenExchange]
    #[arg(
        long,
        value_name = "AUDIENCE",
        requires = "assertion_from",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) assertion_audience: Option<String>,

    /// Service connection of azure-pipelines; the job hands SYSTEM_ACCESSTOKEN and SYSTEM_OIDCREQUESTURI over
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) service_connection_id: Option<String>,

    /// File with the token of a Kubernetes service account [else: AZURE_FEDERATED_TOKEN_FILE]
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file_path: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "A user's sign-in")]
pub(crate) struct UserArgs {
    /// File with the access token of the user that on-behalf-of asks for, - for standard input
    #[arg(long, value_name = "PATH")]
    pub(crate) user_assertion_file: Option<PathBuf>,

    /// Code that a user's sign-in has brought; it works once
    #[arg(long, value_name = "CODE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) authorization_code: Option<String>,

    /// Address to which the code was sent, exactly as in the sign-in request
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) redirect_uri: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Managed identity")]
pub(crate) struct IdentityArgs {
    /// User-assigned identity by its object (principal) id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) object_id: Option<String>,

    /// User-assigned identity by its Azure resource id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) resource_id: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The default chain")]
pub(crate) struct MemberArgs {
    /// Leave a credential out, whatever AZURE_TOKEN_CREDENTIALS says (repeatable)
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(credentials::default_members()))]
    pub(crate) exclude: Vec<String>,

    /// Put a credential in, whatever AZURE_TOKEN_CREDENTIALS says (repeatable)
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(credentials::default_members()))]
    pub(crate) include: Vec<String>,
}

/// What `azid token` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenOutput {
    /// The token and a line break, nothing else
    Token,
    /// An object with the token, its times and where it came from
    Json,
    /// An HTTP header: Authorization: Bearer TOKEN
    Header,
    /// Two lines for a shell to evaluate: the token and when it expires
    Env,
}

/// What the commands print that answer with more than a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportOutput {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// File with the token [default: standard input]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// How to print what is in the token
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ReportOutput,
}

#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    /// TOML file that describes tenants, applications and identities [default: a built-in world]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// TOML file of faults to play, in the form in which they may also stand in the configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,

    /// Port of the authority (HTTPS) [default: the configuration's, else a free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Port of the managed identity endpoints (HTTP) [default: the configuration's, else a free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) http_port: Option<u16>,

    /// What to print for the clients
    #[arg(long, value_name = "FORMAT", default_value = "env")]
    pub(crate) print: EmulatorOutput,
}

/// What `azid emulator` prints for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmulatorOutput {
    /// Lines for a shell to evaluate
    Env,
    /// One object on one line
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How to print the results
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ReportOutput,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}
