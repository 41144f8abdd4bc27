//! The client certificate of the built-in world.

use std::fmt;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use zeroize::Zeroizing;

use crate::guid;
use crate::secret::Secret;
use crate::signing::{CLIENT, SigningKey};
use crate::x509::Certificate;

/// The common name of the built-in client certificate.
pub(crate) const COMMON_NAME: &str = "azidentity-emulator-client";

/// What one key was certified with.
pub(crate) struct Made {
    key_pem: Secret,
    pub(crate) authority: Certificate,
    /// The certificate that the application has registered.
    pub(crate) registered: Certificate,
    /// Another one for the same name, as an authority issues it when the first
    /// one comes of age.
    renewed: Certificate,
}

static MADE: OnceLock<Result<Made, String>> = OnceLock::new();

/// The certificates, if somebody asked for them before.
pub(crate) fn made() -> Option<&'static Made> {
    MADE.get()?.as_ref().ok()
}

/// The certificates. Blocks the thread for as long as it takes to make the key.
pub(crate) fn make() -> Result<&'static Made, &'static str> {
    let key = CLIENT.wait()?;
    MADE.get_or_init(|| certify(key).map_err(|error| error.to_string()))
        .as_ref()
        .map_err(String::as_str)
}

fn certify(key: &SigningKey) -> Result<Made, Box<dyn std::error::Error>> {
    let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ca_params = authority();
    let ca = ca_params.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca_params, ca_key);
    let issue = |serial: u64| {
        let leaf = leaf(serial).signed_by(&key.certifier(), &issuer)?;
        Certificate::from_der(leaf.der())
            .ok_or("a certificate cannot be read")
            .map_err(Box::<dyn std::error::Error>::from)
    };
    let private = key
        .private_der()
        .map_err(|_| "the private key cannot be written")?;
    Ok(Made {
        key_pem: Secret::new(pem("PRIVATE KEY", private.as_ref()).as_str()),
        registered: issue(1)?,
        renewed: issue(2)?,
        authority: Certificate::from_der(ca.der()).ok_or("the authority cannot be read")?,
    })
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!(
        "azidentity emulator client CA {}",
        &guid::random()[..8]
    ));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    whenever(params)
}

fn leaf(serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(COMMON_NAME);
    params.serial_number = Some(SerialNumber::from(serial));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    whenever(params)
}

/// An emulator's clock can be set, and the certificate should outlast that.
fn whenever(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(1990, 1, 1);
    params.not_after = date_time_ymd(2190, 1, 1);
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    const LINE: usize = 64;
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// A certificate with its private key, for a client to be configured with.
///
/// The key is made anew in every process and never touches the disk; the
/// certificate is valid from 1990 to 2189, whatever an emulator's clock is set
/// to. `Debug` does not show the key.
#[derive(Clone)]
pub struct ClientCertificate {
    made: &'static Made,
    certificate: &'static Certificate,
}

impl ClientCertificate {
    pub(crate) fn registered(made: &'static Made) -> Self {
        Self {
            made,
            certificate: &made.registered,
        }
    }

    pub(crate) fn renewed(made: &'static Made) -> Self {
        Self {
            made,
            certificate: &made.renewed,
        }
    }

    /// The private key as PKCS#8 in PEM, not encrypted.
    pub fn private_key_pem(&self) -> &str {
        self.made.key_pem.expose()
    }

    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", self.certificate.der()).to_string()
    }

    /// The certificate in DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The certificate of the authority that issued it, in PEM.
    pub fn authority_pem(&self) -> String {
        pem("CERTIFICATE", self.made.authority.der()).to_string()
    }

    /// Key, certificate and authority in PEM, one after the other: the file
    /// that `AZURE_CLIENT_CERTIFICATE_PATH` wants.
    pub fn pem(&self) -> String {
        format!(
            "{}{}{}",
            self.private_key_pem(),
            self.certificate_pem(),
            self.authority_pem()
        )
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}
