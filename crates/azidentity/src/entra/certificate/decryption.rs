//! Encryption by a password: PBES2 ([RFC 8018](https://www.rfc-editor.org/rfc/rfc8018#section-6.2)), which every tool of
//! today writes, and the older one of PKCS#12
//! ([RFC 7292, appendix B](https://www.rfc-editor.org/rfc/rfc7292#appendix-B)), which older PFX files have.

use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7};
use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier,
    der::{self, Decode, SliceReader, asn1::OctetStringRef},
    pkcs5::{
        EncryptionScheme, Error as Pkcs5Error, pbes1,
        pbes2::{Kdf, PBES2_OID, ScryptParams},
    },
};
use ring::digest;
use zeroize::Zeroizing;

/// Most rounds of a key derivation. OpenSSL writes 2048; recommendations go up to 600 000.
const MOST_ROUNDS: u32 = 2_000_000;

/// Most memory that a key derivation may need, in bytes. OpenSSL writes scrypt with 16 MiB.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;

const SHA1_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const SHA1_RC2_128: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5");
const SHA1_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");

/// What is refused by its name.
const UNSUPPORTED: [(ObjectIdentifier, &str); 10] = [
    (pbes1::PBE_WITH_MD2_AND_DES_CBC_OID, "PBES1 (PBE-MD2-DES)"),
    (
        pbes1::PBE_WITH_MD2_AND_RC2_CBC_OID,
        "PBES1 (PBE-MD2-RC2-64)",
    ),
    (pbes1::PBE_WITH_MD5_AND_DES_CBC_OID, "PBES1 (PBE-MD5-DES)"),
    (
        pbes1::PBE_WITH_MD5_AND_RC2_CBC_OID,
        "PBES1 (PBE-MD5-RC2-64)",
    ),
    (pbes1::PBE_WITH_SHA1_AND_DES_CBC_OID, "PBES1 (PBE-SHA1-DES)"),
    (
        pbes1::PBE_WITH_SHA1_AND_RC2_CBC_OID,
        "PBES1 (PBE-SHA1-RC2-64)",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.1"),
        "PBE-SHA1-RC4-128",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.2"),
        "PBE-SHA1-RC4-40",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4"),
        "PBE-SHA1-2DES",
    ),
    (PBES2_OID, "PBES2 with an unusual cipher"),
];

/// Why something could not be read or decrypted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Malformed,
    WrongPassword,
    Unsupported(String),
    TooCostly,
}

impl From<der::Error> for Trouble {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

/// A password, or the lack of one. Old PFX files tell apart an empty password and none at all.
#[derive(Clone, Copy)]
pub(super) enum Password<'a> {
    None,
    Some(&'a str),
}

impl Password<'_> {
    fn as_utf8(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Some(text) => text.as_bytes(),
        }
    }

    /// As PKCS#12 wants it: UTF-16, the high byte first, with two zero bytes at the end.
    pub(super) fn as_utf16(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        if let Self::Some(text) = self {
            bytes.reserve_exact(2 * (text.len() + 1));
            bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            bytes.extend([0, 0]);
        }
        bytes
    }
}

/// Undoes the encryption that `algorithm` says `data` has.
pub(super) fn decrypt(
    algorithm: AlgorithmIdentifierRef<'_>,
    data: &[u8],
    password: Password<'_>,
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    match algorithm.oid {
        SHA1_3DES => pkcs12::<des::TdesEde3>(algorithm, data, password, 24),
        SHA1_RC2_128 => pkcs12::<rc2::Rc2>(algorithm, data, password, 16),
        SHA1_RC2_40 => pkcs12::<rc2::Rc2>(algorithm, data, password, 5),
        PBES2_OID => pbes2(algorithm, data, password),
        other => Err(unsupported(other)),
    }
}

fn unsupported(algorithm: ObjectIdentifier) -> Trouble {
    Trouble::Unsupported(
        UNSUPPORTED
            .iter()
            .find(|(known, _)| *known == algorithm)
            .map_or_else(
                || format!("an algorithm that is not known here ({algorithm})"),
                |(_, name)| (*name).to_owned(),
            ),
    )
}

fn pbes2(
    algorithm: AlgorithmIdentifierRef<'_>,
    data: &[u8],
    password: Password<'_>,
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    // That it is well-formed DER has been seen before: what can't be read is an algorithm that the crate does not know.
    let Ok(EncryptionScheme::Pbes2(parameters)) = EncryptionScheme::try_from(algorithm) else {
        return Err(unsupported(PBES2_OID));
    };
    let affordable = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MOST_ROUNDS,
        Kdf::Scrypt(scrypt) => is_affordable(scrypt),
        _ => true,
    };
    if !affordable {
        return Err(Trouble::TooCostly);
    }
    parameters
        .decrypt(password.as_utf8(), data)
        .map(Zeroizing::new)
        .map_err(|error| match error {
            Pkcs5Error::UnsupportedAlgorithm { oid } => unsupported(oid),
            Pkcs5Error::AlgorithmParametersInvalid { .. } => Trouble::Malformed,
            _ => Trouble::WrongPassword,
        })
}

fn is_affordable(scrypt: &ScryptParams) -> bool {
    let memory = u64::from(scrypt.block_size)
        .saturating_mul(128)
        .saturating_mul(scrypt.cost_parameter);
    // Each lane costs as much time again.
    memory <= MOST_MEMORY
        && memory.saturating_mul(u64::from(scrypt.parallelization)) <= 2 * MOST_MEMORY
}

/// The encryption of PKCS#12 itself, with SHA-1.
fn pkcs12<C: BlockCipherDecrypt + KeyInit>(
    algorithm: AlgorithmIdentifierRef<'_>,
    data: &[u8],
    password: Password<'_>,
    key_length: usize,
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    const FOR_KEY: u8 = 1;
    const FOR_IV: u8 = 2;
    const IV_LENGTH: usize = 8;

    let parameters = algorithm.parameters.ok_or(Trouble::Malformed)?;
    let (salt, rounds) = parameters.sequence(|fields: &mut SliceReader<'_>| {
        let salt = <&OctetStringRef>::decode(fields)?;
        Ok::<_, der::Error>((salt.as_bytes(), u32::decode(fields)?))
    })?;
    let derive = |purpose, length| {
        derive_key(
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            &password.as_utf16(),
            salt,
            purpose,
            rounds,
            length,
        )
    };
    let key = derive(FOR_KEY, key_length)?;
    let iv = derive(FOR_IV, IV_LENGTH)?;
    cbc_decrypt::<C>(&key, &iv, data)
}

/// Decrypts by a block cipher in CBC mode with the usual padding.
pub(super) fn cbc_decrypt<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let mut buffer = Zeroizing::new(data.to_vec());
    let length = cbc::Decryptor::<C>::new_from_slices(key, iv)
        .map_err(|_| Trouble::Malformed)?
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| Trouble::WrongPassword)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

/// The key derivation of PKCS#12. `purpose` tells apart the keys that are made of one password: 1 for encryption, 2 for an
/// initialisation vector, 3 for a MAC.
pub(super) fn derive_key(
    algorithm: &'static digest::Algorithm,
    password: &[u8],
    salt: &[u8],
    purpose: u8,
    rounds: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    if rounds > MOST_ROUNDS {
        return Err(Trouble::TooCostly);
    }
    let block = algorithm.block_len();
    let filled = |bytes: &[u8]| bytes.len().div_ceil(block) * block;
    // The names of the RFC: D, I = S || P, A, B.
    let diversifier = vec![purpose; block];
    let mut input = Zeroizing::new(Vec::with_capacity(filled(salt) + filled(password)));
    input.extend(salt.iter().cycle().take(filled(salt)));
    input.extend(password.iter().cycle().take(filled(password)));

    let mut derived = Zeroizing::new(Vec::with_capacity(length + algorithm.output_len()));
    loop {
        let mut context = digest::Context::new(algorithm);
        context.update(&diversifier);
        context.update(&input);
        let mut hash = context.finish();
        for _ in 1..rounds {
            hash = digest::digest(algorithm, hash.as_ref());
        }
        derived.extend(hash.as_ref());
        if derived.len() >= length {
            derived.truncate(length);
            return Ok(derived);
        }
        // Every block of I becomes (I + B + 1) mod 2^v, B being the hash repeated to the length of a block.
        for chunk in input.chunks_mut(block) {
            let mut carry = 1;
            for (index, byte) in chunk.iter_mut().enumerate().rev() {
                let sum = u16::from(*byte)
                    + u16::from(hash.as_ref()[index % algorithm.output_len()])
                    + carry;
                let [high, low] = sum.to_be_bytes();
                *byte = low;
                carry = u16::from(high);
            }
        }
    }
}
