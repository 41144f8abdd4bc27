//! Whom TLS connections trust: the system's roots, or those that the environment names instead.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const FOLDER_VARIABLE: &str = "SSL_CERT_DIR";

/// Where Linux distributions keep all roots in one file. Reading it costs a tenth of reading the folder beside it, which
/// holds the same certificates one by one.
#[cfg(target_os = "linux")]
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
#[cfg(not(target_os = "linux"))]
const BUNDLES: &[&str] = &[];

/// Whom to trust.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// The roots of the system, or of the variables that replace them.
    System,
    /// One certificate, in DER.
    Only(Vec<u8>),
    /// Nobody: for connections without TLS.
    Nobody,
}

impl Trust {
    /// A TLS configuration with ring, handed over explicitly: with two providers in one program, rustls refuses to guess.
    pub(crate) fn configuration(&self) -> Result<ClientConfig, String> {
        let certificates = match self {
            Self::System => system()?,
            Self::Only(certificate) => vec![CertificateDer::from(certificate.clone())],
            Self::Nobody => Vec::new(),
        };
        let any = !certificates.is_empty();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        if any && roots.is_empty() {
            return Err(
                "none of the certificates to trust can be read; check the file or folder that \
                 SSL_CERT_FILE or SSL_CERT_DIR names"
                    .into(),
            );
        }
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
            .map_err(|error| format!("TLS could not be set up: {error}"))
    }
}

/// A variable that is empty counts as unset, as all others do.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn system() -> Result<Vec<CertificateDer<'static>>, String> {
    let file = variable(FILE_VARIABLE).map(PathBuf::from);
    let folders: Vec<PathBuf> = variable(FOLDER_VARIABLE)
        .iter()
        .flat_map(env::split_paths)
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    if file.is_none() && folders.is_empty() {
        return installed();
    }
    let mut certificates = Vec::new();
    let mut looked_at = Vec::new();
    if let Some(file) = &file {
        // To open a pipe is to wait for somebody who writes into it, and a device may never end.
        if file.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(format!(
                "the variable {FILE_VARIABLE} names {}, which is no regular file; name a file in PEM format, or unset the \
                 variable to trust the system's certificates",
                file.display()
            ));
        }
        let mut found = load_certs_from_paths(Some(file), None);
        if found.certs.is_empty() && !found.errors.is_empty() {
            return Err(format!(
                "the variable {FILE_VARIABLE} names {}, which cannot be read as certificates ({}); name a file in PEM \
                 format, or unset the variable to trust the system's certificates",
                file.display(),
                reasons(&found)
            ));
        }
        certificates.append(&mut found.certs);
        looked_at.push(format!("{FILE_VARIABLE}={}", file.display()));
    }
    for folder in &folders {
        let mut found = load_certs_from_paths(None, Some(folder));
        certificates.append(&mut found.certs);
        let mut folder = format!("{FOLDER_VARIABLE}={}", folder.display());
        if !found.errors.is_empty() {
            folder = format!("{folder} ({})", reasons(&found));
        }
        looked_at.push(folder);
    }
    if certificates.is_empty() {
        return Err(format!(
            "there is no certificate to trust in what the environment names: {}; name PEM certificates, or unset the \
             variable to trust the system's",
            looked_at.join(", ")
        ));
    }
    Ok(certificates)
}

fn installed() -> Result<Vec<CertificateDer<'static>>, String> {
    for bundle in BUNDLES {
        let found = load_certs_from_paths(Some(Path::new(bundle)), None);
        if !found.certs.is_empty() {
            return Ok(found.certs);
        }
    }
    let found = load_native_certs();
    if found.certs.is_empty() {
        let why = reasons(&found);
        return Err(format!(
            "this system has no certificates to trust, so no https address can be reached{}{why}; install them (on \
             Debian and Alpine the package ca-certificates), or name a PEM file in {FILE_VARIABLE}",
            if why.is_empty() { "" } else { ": " }
        ));
    }
    Ok(found.certs)
}

fn reasons(found: &CertificateResult) -> String {
    let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}
