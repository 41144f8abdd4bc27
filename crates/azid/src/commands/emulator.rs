//! `azid emulator`: a local Microsoft Entra and managed identity server for other programs.

use std::{fs, io, path::Path, process::ExitCode};

use azidentity_emulator::{Config, ConfigError, Emulator, Script};
use serde::Serialize;
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::{
    cli::{EmulatorArgs, EmulatorOutput},
    failure::Failure,
    output,
};

use super::block_on;

const CA_FILE: &str = "azid-emulator-ca.pem";

pub(super) fn run(args: &EmulatorArgs) -> Result<ExitCode, Failure> {
    let config = config(args)?;
    block_on(serve(args.print, config))??;
    Ok(ExitCode::SUCCESS)
}

/// Serves until a signal. Signals are waited for before anything is made that has to be removed again, and before
/// anything is printed: a script may send one as soon as it has read the lines.
async fn serve(print: EmulatorOutput, config: Config) -> Result<(), Failure> {
    let signal = end_signal()
        .map_err(|error| Failure::Other(format!("signals cannot be waited for: {error}")))?;
    let emulator = Emulator::start(config)
        .map_err(|error| Failure::Other(format!("the emulator did not start: {error}")))?;
    let folder = certificate_folder(&emulator).map_err(|error| {
        Failure::Other(format!(
            "the certificate to trust could not be written to a temporary folder: {error}"
        ))
    })?;
    let clients = Clients::new(&emulator, &folder.path().join(CA_FILE));
    output::print(&match print {
        EmulatorOutput::Env => clients.exports(),
        EmulatorOutput::Json => output::json_line(&clients) + "\n",
    })?;
    output::note(&format!(
        "The emulator serves at {} and {} until Ctrl-C or SIGTERM. Use what is printed above in another shell.\n\
         SSL_CERT_FILE replaces the system's certificates there: programs of that shell trust the emulator and no other site.\n\
         Tell clients not to ask Azure about this authority: azid token --disable-instance-discovery\n",
        emulator.authority_host(),
        emulator.http_endpoint()
    ));
    signal.await;
    drop(emulator);
    folder.close().map_err(|error| {
        Failure::Other(format!(
            "the temporary folder could not be removed: {error}"
        ))
    })
}

fn config(args: &EmulatorArgs) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(path) => from_file(path, "configuration", Config::from_toml)?,
        None => Config::default(),
    };
    if let Some(path) = &args.script {
        config.script = from_file(path, "script", Script::from_toml)?;
    }
    config.https_port = args.port.or(config.https_port);
    config.http_port = args.http_port.or(config.http_port);
    Ok(config)
}

fn from_file<T>(
    path: &Path,
    what: &str,
    parse: impl FnOnce(&str) -> Result<T, ConfigError>,
) -> Result<T, Failure> {
    let wrong = |why: String| {
        Failure::Configuration(format!("the emulator's {what} {}: {why}", path.display()))
    };
    let text =
        fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    parse(&text).map_err(|error| wrong(error.to_string()))
}

/// A folder that nobody else can look into or write to, removed at the end. It holds the certificate, never a key.
fn certificate_folder(emulator: &Emulator) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("azid-emulator-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    let folder = builder.tempdir()?;
    fs::write(folder.path().join(CA_FILE), emulator.ca_certificate_pem())?;
    Ok(folder)
}

/// Ends with the first signal that asks for it.
#[cfg(unix)]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    use std::{future::poll_fn, task::Poll};

    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(poll_fn(move |context| {
        let signals = [interrupt.poll_recv(context), terminate.poll_recv(context)];
        if signals.iter().any(Poll::is_ready) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }))
}

#[cfg(windows)]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

/// What clients have to know.
#[derive(Serialize)]
struct Clients {
    /// Variables for every client.
    environment: Map<String, Value>,
    /// Variables that make a client believe it runs in App Service, where there is no IMDS.
    app_service: Map<String, Value>,
    authority_host: String,
    http_endpoint: String,
    ca_certificate_file: String,
}

impl Clients {
    fn new(emulator: &Emulator, ca_file: &Path) -> Self {
        let ca_file = ca_file.display().to_string();
        let mut environment = vec![
            ("AZURE_AUTHORITY_HOST", emulator.authority_host().to_owned()),
            ("SSL_CERT_FILE", ca_file.clone()),
        ];
        environment.extend(application(emulator));
        environment.push((
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            emulator.imds_host().to_owned(),
        ));
        let app_service = vec![
            ("IDENTITY_ENDPOINT", emulator.app_service_endpoint()),
            ("IDENTITY_HEADER", emulator.identity_header().to_owned()),
        ];
        Self {
            environment: map(environment),
            app_service: map(app_service),
            authority_host: emulator.authority_host().to_owned(),
            http_endpoint: emulator.http_endpoint().to_owned(),
            ca_certificate_file: ca_file,
        }
    }

    fn exports(&self) -> String {
        let mut lines = lines(&self.environment, "");
        lines.push_str(
            "# For App Service instead of a virtual machine, whose endpoint these two would hide:\n",
        );
        lines.push_str(&self::lines(&self.app_service, "# "));
        lines
    }
}

fn map(variables: Vec<(&str, String)>) -> Map<String, Value> {
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

fn lines(variables: &Map<String, Value>, before: &str) -> String {
    let line = |(name, value): (&String, &Value)| {
        let value = output::shell_quote(value.as_str().unwrap_or_default());
        format!("{before}export {name}={value}\n")
    };
    variables.iter().map(line).collect()
}

/// The first application that can sign in with a secret. A world of the user's own may have none.
fn application(emulator: &Emulator) -> Vec<(&'static str, String)> {
    let world = emulator.world();
    let found = world.applications().iter().find_map(|application| {
        let secret = world.client_secret(application.client_id())?;
        Some((application, secret))
    });
    let Some((application, secret)) = found else {
        return vec![("AZURE_TENANT_ID", world.tenant().id().to_owned())];
    };
    let home = application.service_principals().first();
    let tenant = home.map_or(world.tenant().id(), |home| home.tenant_id());
    vec![
        ("AZURE_TENANT_ID", tenant.to_owned()),
        ("AZURE_CLIENT_ID", application.client_id().to_owned()),
        ("AZURE_CLIENT_SECRET", secret.to_owned()),
    ]
}
