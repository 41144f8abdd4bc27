//! JSON Web Signatures in their compact form ([RFC 7515, section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)), made
//! with an RSA key.

use azure_core::base64;
use ring::{
    error::Unspecified,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use serde::Serialize;

/// How a token is signed ([RFC 7518, section 3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)).
#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    fn encoding(self) -> &'static dyn RsaEncoding {
        match self {
            Self::Ps256 => &RSA_PSS_SHA256,
            Self::Rs256 => &RSA_PKCS1_SHA256,
        }
    }
}

/// One part of a token: base64url without padding of the JSON text.
pub(super) fn part(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_vec(value).map(base64::encode_url_safe)
}

/// The token of a header and claims, both encoded by [`part`].
pub(super) fn sign(
    algorithm: Algorithm,
    key: &KeyPair,
    header: &str,
    claims: &str,
) -> Result<String, Unspecified> {
    let mut signature = vec![0; key.public().modulus_len()];
    let length = header.len() + claims.len() + 2 + signature.len().div_ceil(3) * 4;
    // With room for all, so that the text is not moved.
    let mut token = String::with_capacity(length);
    token.push_str(header);
    token.push('.');
    token.push_str(claims);
    key.sign(
        algorithm.encoding(),
        &SystemRandom::new(),
        token.as_bytes(),
        &mut signature,
    )?;
    token.push('.');
    token.push_str(&base64::encode_url_safe(signature));
    Ok(token)
}
