//! The certificate authority of one emulator, and the server's certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, SanType,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::guid;

/// What is left of the authority once it has signed: no key that could sign
/// another certificate.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    pub(crate) ca_der: CertificateDer<'static>,
    pub(crate) leaf: CertificateDer<'static>,
    pub(crate) leaf_key: PrivateKeyDer<'static>,
}

impl Certificates {
    /// Makes a new authority, signs one certificate for this machine's own
    /// names, and forgets the authority's key.
    ///
    /// Somebody will put the authority into a trust store and leave it there.
    /// It can sign for nothing but loopback names, for a year.
    pub(crate) fn issue(region: &str) -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let ca_params = authority();
        let ca = ca_params.self_signed(&ca_key)?;
        let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let leaf = server(region)?.signed_by(&leaf_key, &Issuer::new(ca_params, ca_key))?;
        Ok(Self {
            ca_pem: ca.pem(),
            ca_der: ca.der().clone(),
            leaf: leaf.der().clone(),
            leaf_key: PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into(),
        })
    }
}

fn authority() -> CertificateParams {
    // Several of these may stand in one trust store, and some programs look
    // an issuer up by its name alone.
    let unique = &guid::random()[..8];
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("azidentity emulator CA {unique}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                Ipv6Addr::LOCALHOST.octets(),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    valid_for_a_year(params)
}

fn server(region: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("localhost");
    params.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into()?),
        // The authority of a region. A wildcard of one label is not accepted
        // by all clients.
        SanType::DnsName(format!("{region}.localhost").try_into()?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(valid_for_a_year(params))
}

fn valid_for_a_year(mut params: CertificateParams) -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    // A day of leeway: containers and virtual machines wake up with old clocks.
    params.not_before = now - Duration::DAY;
    params.not_after = now + Duration::days(365);
    // Python 3.13 and later refuse a chain without it (VERIFY_X509_STRICT).
    params.use_authority_key_identifier_extension = true;
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
    use tokio_rustls::rustls::client::WebPkiServerVerifier;
    use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
    use tokio_rustls::rustls::{Error, RootCertStore};

    use super::{SanType, authority, server};

    /// Has an authority like ours sign for a name, and another implementation
    /// judge it.
    fn verdict(name: &'static str) -> Result<(), Error> {
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let (ca_key, leaf_key) = (key(), key());
        let params = authority();
        let ca = params.self_signed(&ca_key).unwrap();
        let mut leaf = server("westeurope").unwrap();
        leaf.subject_alt_names = vec![match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.try_into().unwrap()),
        }];
        let leaf = leaf
            .signed_by(&leaf_key, &Issuer::new(params, ca_key))
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier
            .verify_server_cert(leaf.der(), &[], &name, &[], UnixTime::now())
            .map(|_| ())
    }

    #[test]
    fn the_authority_is_good_for_loopback_names_only() {
        for name in [
            "localhost",
            "westeurope.localhost",
            "127.0.0.1",
            "127.8.9.10",
            "::1",
        ] {
            assert_eq!(verdict(name), Ok(()), "{name}");
        }
        for name in [
            "example.com",
            "login.microsoftonline.com",
            "169.254.169.254",
            "10.0.0.1",
            "::2",
        ] {
            assert!(verdict(name).is_err(), "{name}");
        }
    }
}
