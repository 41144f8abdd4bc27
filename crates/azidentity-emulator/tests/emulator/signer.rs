//! Keys and certificates of clients, and the JWTs that they sign.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, PublicKeyData};
use ring::{digest, hmac};
use serde_json::{Value, json};

pub(crate) struct Signer(KeyPair);

impl Signer {
    /// One of two keys, made once for all tests.
    pub(crate) fn number(number: usize) -> &'static Self {
        static KEYS: [OnceLock<Signer>; 2] = [OnceLock::new(), OnceLock::new()];
        KEYS[number].get_or_init(|| Self(KeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(crate) fn jwt(&self, header: &Value, claims: &Value) -> String {
        let encoding: &'static dyn RsaEncoding = match header["alg"].as_str() {
            Some("PS256") => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let signed = unsigned(header, claims);
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(encoding, &random, signed.as_bytes(), &mut signature)
            .unwrap();
        format!("{signed}.{}", encode(signature))
    }

    pub(crate) fn jwks(&self) -> Value {
        let public = self.0.public_key();
        json!({ "keys": [{
            "kty": "RSA",
            "kid": "one",
            "n": encode(public.modulus().big_endian_without_leading_zero()),
            "e": encode(public.exponent().big_endian_without_leading_zero()),
        }] })
    }

    /// The public half, which is no secret to sign with.
    pub(crate) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub(crate) fn certificate(&self, name: &str, years: [i32; 2]) -> rcgen::Certificate {
        params(name, years).self_signed(&Key(&self.0)).unwrap()
    }
}

pub(crate) fn params(name: &str, [from, until]: [i32; 2]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params
}

/// An authority, and the certificates that it and others issue.
pub(crate) struct Authority {
    pub(crate) certificate: rcgen::Certificate,
    issuer: Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = params("Test CA", [2000, 2100]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            certificate: params.self_signed(&key).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn issue(&self, name: &str, signer: &Signer, years: [i32; 2]) -> rcgen::Certificate {
        params(name, years)
            .signed_by(&Key(&signer.0), &self.issuer)
            .unwrap()
    }

    /// An authority below this one, or what is none and issues certificates.
    pub(crate) fn below(&self, is_ca: IsCa) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = params("Test intermediate", [2000, 2100]);
        params.is_ca = is_ca;
        Self {
            certificate: params.signed_by(&key, &self.issuer).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }
}

/// A token with a symmetric signature.
pub(crate) fn hs256(claims: &Value, secret: &[u8]) -> String {
    let signed = unsigned(&json!({ "alg": "HS256", "typ": "JWT" }), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

/// The first two parts of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}

/// The claims of a token that somebody else verifies.
pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sha1(der: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der)
}

pub(crate) fn sha256(der: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, der)
}

struct Key<'a>(&'a KeyPair);

impl PublicKeyData for Key<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Key<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature)
    }
}
