//! The keys of this process, among them the one that signs tokens.
//!
//! Making an RSA key takes a few hundred milliseconds, so that each is made
//! once per process, by a thread of its own, for all emulators. Whoever needs
//! it waits for it, without holding up anybody else.

use std::sync::OnceLock;
use std::thread;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, PublicKeyData};
use ring::digest;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

use crate::jwt::RsaKey;

type Outcome = Result<SigningKey, String>;

/// Where a key is put, and the signal that it is there.
pub(crate) struct Slot {
    /// What its certificate says it is for.
    purpose: &'static str,
    key: OnceLock<Outcome>,
    ready: OnceLock<watch::Sender<bool>>,
}

/// Signs the authority's tokens.
pub(crate) static TOKENS: Slot = Slot::new("azidentity emulator token signing");

/// Signs the tokens of build services, clusters and other clouds. Another one:
/// their tokens must not pass for the authority's.
pub(crate) static OIDC: Slot = Slot::new("azidentity emulator OIDC signing");

/// Belongs to the built-in world's client certificate.
pub(crate) static CLIENT: Slot = Slot::new("azidentity emulator client");

impl Slot {
    const fn new(purpose: &'static str) -> Self {
        Self {
            purpose,
            key: OnceLock::new(),
            ready: OnceLock::new(),
        }
    }

    /// Starts making the key, unless somebody did before. Returns at once.
    pub(crate) fn prepare(&'static self) {
        self.ready.get_or_init(|| {
            let spawned = thread::Builder::new()
                .name("azidentity-emulator-key".to_owned())
                .spawn(|| {
                    // A panic must not leave the others waiting for ever.
                    let made = std::panic::catch_unwind(|| SigningKey::generate(self.purpose));
                    self.finish(
                        made.unwrap_or_else(|_| Err("the key could not be made".to_owned())),
                    );
                });
            if let Err(error) = spawned {
                let _ = self
                    .key
                    .set(Err(format!("no thread for making the key: {error}")));
            }
            watch::Sender::new(self.key.get().is_some())
        });
    }

    fn finish(&self, outcome: Outcome) {
        let _ = self.key.set(outcome);
        // The thread may be faster than `get_or_init`; `get` alone could miss it.
        self.ready.wait().send_replace(true);
    }

    /// Waits for the key, as a future.
    pub(crate) async fn key(&'static self) -> Result<&'static SigningKey, &'static str> {
        self.prepare();
        if let Some(ready) = self.ready.get() {
            // An error would mean that the sender is gone, but it is a static.
            let _ = ready.subscribe().wait_for(|ready| *ready).await;
        }
        self.wait()
    }

    /// Waits for the key and blocks the thread meanwhile.
    pub(crate) fn wait(&'static self) -> Result<&'static SigningKey, &'static str> {
        self.prepare();
        self.key.wait().as_ref().map_err(String::as_str)
    }

    /// The key, if it was made: nothing can have been signed with one that was
    /// not.
    pub(crate) fn made(&'static self) -> Option<&'static SigningKey> {
        self.key.get()?.as_ref().ok()
    }
}

/// An RSA key of 2048 bits, with a certificate, as Entra publishes its keys.
pub(crate) struct SigningKey {
    pair: KeyPair,
    id: String,
    certificate: String,
    modulus: String,
    exponent: String,
}

impl SigningKey {
    fn generate(purpose: &str) -> Outcome {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|error| error.to_string())?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, purpose);
        let now = OffsetDateTime::now_utc();
        params.not_before = now - Duration::DAY;
        params.not_after = now + Duration::days(365);
        let certificate = params
            .self_signed(&Certifier(&pair))
            .map_err(|error| error.to_string())?;
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
        let public = pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(thumbprint),
            certificate: STANDARD.encode(certificate.der()),
            modulus: number(public.modulus().big_endian_without_leading_zero()),
            exponent: number(public.exponent().big_endian_without_leading_zero()),
            pair,
        })
    }

    /// The public half as a JSON Web Key. Entra's key id is the certificate's
    /// thumbprint, and it names no algorithm.
    pub(crate) fn jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": self.modulus,
            "e": self.exponent,
            "x5c": [self.certificate],
        })
    }

    /// A JWT of these claims, signed with RS256.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, aws_lc_rs::error::Unspecified> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id });
        let mut jwt = URL_SAFE_NO_PAD.encode(header.to_string());
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut jwt);
        let signature = self.signature(jwt.as_bytes())?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(jwt)
    }

    /// What signatures of this key are verified with.
    pub(crate) fn verifier(&self) -> RsaKey {
        let public = self.pair.public_key();
        RsaKey::new(
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        )
    }

    /// The private key, as PKCS#8 in DER.
    pub(crate) fn private_der(&self) -> Result<Pkcs8V1Der<'static>, aws_lc_rs::error::Unspecified> {
        self.pair.as_der()
    }

    /// The key as rcgen takes it.
    pub(crate) fn certifier(&self) -> Certifier<'_> {
        Certifier(&self.pair)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        signature(&self.pair, message)
    }
}

fn signature(pair: &KeyPair, message: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )?;
    Ok(signature)
}

/// Lets rcgen sign with a key that aws-lc-rs holds.
pub(crate) struct Certifier<'a>(&'a KeyPair);

impl PublicKeyData for Certifier<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Certifier<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        signature(self.0, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
