//! Starts an emulator of the built-in world, prints what a client needs to
//! know as lines for a shell, and serves until standard input ends.
//!
//! ```sh
//! cargo run -p azidentity-emulator --example serve -- CA.pem
//! ```
//!
//! The argument is where to write the certificate to trust.

use std::io::{Read as _, Write as _};

use azidentity_emulator::{Config, Emulator, World};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ca_file = std::env::args().nth(1).ok_or("usage: serve CA_FILE")?;
    let emulator = Emulator::start(Config::default())?;
    std::fs::write(&ca_file, emulator.ca_certificate_pem())?;
    let world = emulator.world();
    let mut out = std::io::stdout();
    for (name, value) in [
        ("AZURE_AUTHORITY_HOST", emulator.authority_host()),
        ("AZURE_TENANT_ID", world.tenant().id()),
        ("AZURE_CLIENT_ID", World::CLIENT_ID),
        (
            "AZURE_CLIENT_SECRET",
            world.client_secret(World::CLIENT_ID).unwrap_or_default(),
        ),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.imds_host()),
        (
            "EMULATOR_IDENTITY_ENDPOINT",
            &emulator.app_service_endpoint(),
        ),
        ("EMULATOR_IDENTITY_HEADER", emulator.identity_header()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &emulator.github_oidc_url()),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            emulator.github_request_token(),
        ),
        ("SYSTEM_OIDCREQUESTURI", &emulator.pipelines_oidc_uri()),
        ("SYSTEM_ACCESSTOKEN", emulator.pipelines_access_token()),
        ("SSL_CERT_FILE", &ca_file),
        ("REQUESTS_CA_BUNDLE", &ca_file),
        ("NODE_EXTRA_CA_CERTS", &ca_file),
    ] {
        writeln!(out, "export {name}='{value}'")?;
    }
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
