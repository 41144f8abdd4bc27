//! Private keys: RSA ones are taken, all others are told apart so that the message can name them.

use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    der::{self, Decode, Reader, SliceReader, asn1::UintRef},
};
use ring::rsa::KeyPair as RsaKeyPair;

use crate::IdentityError;

use super::fault;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Other kinds of keys that people have, and what to call them.
const OTHERS: [(ObjectIdentifier, &str); 6] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"),
        ELLIPTIC_CURVE,
    ),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), DSA),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"),
        "an RSA key that is restricted to RSASSA-PSS",
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.112"),
        "an elliptic-curve (Ed25519) key",
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.113"),
        "an elliptic-curve (Ed448) key",
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.110"),
        "an elliptic-curve (X25519) key",
    ),
];

pub(super) const ELLIPTIC_CURVE: &str = "an elliptic-curve (EC) key";
pub(super) const DSA: &str = "a DSA key";

/// A key in PKCS#8 ([RFC 5208](https://www.rfc-editor.org/rfc/rfc5208#section-5)). `None` when it is none, as after a
/// decryption with the wrong password.
pub(super) fn from_pkcs8(key: &[u8]) -> Option<Result<RsaKeyPair, IdentityError>> {
    let info = PrivateKeyInfoRef::try_from(key).ok()?;
    let algorithm = info.algorithm.oid;
    Some(if algorithm == RSA {
        from_pkcs1(info.private_key.as_bytes()).unwrap_or_else(|| Err(fault::damaged_key()))
    } else {
        let name = OTHERS
            .iter()
            .find(|(other, _)| *other == algorithm)
            .map_or("of an unknown kind", |(_, name)| name);
        Err(fault::not_rsa(name))
    })
}

/// An RSA key in PKCS#1 ([RFC 8017, appendix A.1.2](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2)). `None` when it
/// is none.
pub(super) fn from_pkcs1(key: &[u8]) -> Option<Result<RsaKeyPair, IdentityError>> {
    let bits = modulus_bits(key).ok()?;
    // What ring can sign with.
    if !(2048..=4096).contains(&bits) || bits % 512 != 0 {
        return Some(Err(fault::key_size(bits)));
    }
    Some(RsaKeyPair::from_der(key).map_err(|_| fault::damaged_key()))
}

fn modulus_bits(key: &[u8]) -> der::Result<usize> {
    let mut reader = SliceReader::new(key)?;
    reader.sequence(|key| {
        key.tlv_bytes()?; // version
        let modulus = UintRef::decode(key)?;
        while !key.is_finished() {
            key.tlv_bytes()?;
        }
        let bytes = modulus.as_bytes();
        let leading = bytes
            .first()
            .map_or(8, |byte| byte.leading_zeros() as usize);
        Ok((bytes.len() * 8).saturating_sub(leading))
    })
}
