//! The encryption that OpenSSL wrote into PEM files before it had PKCS#8, and still writes when asked for `-traditional`
//! ([documentation](https://docs.openssl.org/3.0/man3/PEM_read_bio_PrivateKey/#pem-encryption-format)).

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::decryption::{Trouble, cbc_decrypt};

/// A cipher's name as it stands in the file, and the lengths of its key and its initialisation vector in bytes.
const CIPHERS: [(&str, usize, usize); 4] = [
    ("AES-128-CBC", 16, 16),
    ("AES-192-CBC", 24, 16),
    ("AES-256-CBC", 32, 16),
    ("DES-EDE3-CBC", 24, 8),
];

/// Decrypts a block. `parameters` is the value of its header `DEK-Info`: the cipher and, in hexadecimal, the
/// initialisation vector.
pub(super) fn decrypt(
    parameters: &str,
    data: &[u8],
    password: &str,
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let (name, vector) = parameters.split_once(',').ok_or(Trouble::Malformed)?;
    let name = name.trim().to_ascii_uppercase();
    let Some(&(name, key_length, iv_length)) = CIPHERS.iter().find(|cipher| cipher.0 == name)
    else {
        // The name is whatever stands in the file; only what a cipher can be called is repeated.
        let harmless = name.len() <= 24
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        return Err(Trouble::Unsupported(if harmless {
            format!("{name} in the traditional form")
        } else {
            "an unknown cipher in the traditional form".to_owned()
        }));
    };
    let iv = unhex(vector.trim()).ok_or(Trouble::Malformed)?;
    // The salt is the beginning of the vector.
    let (Some(salt), true) = (iv.get(..8), iv.len() == iv_length) else {
        return Err(Trouble::Malformed);
    };
    let key = derive_key(password.as_bytes(), salt, key_length);
    match name {
        "AES-128-CBC" => cbc_decrypt::<aes::Aes128>(&key, &iv, data),
        "AES-192-CBC" => cbc_decrypt::<aes::Aes192>(&key, &iv, data),
        "AES-256-CBC" => cbc_decrypt::<aes::Aes256>(&key, &iv, data),
        _ => cbc_decrypt::<des::TdesEde3>(&key, &iv, data),
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn derive_key(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    while key.len() < length {
        let mut hash = Md5::new();
        hash.update(&key[key.len().saturating_sub(16)..]);
        hash.update(password);
        hash.update(salt);
        key.extend(hash.finalize());
    }
    key.truncate(length);
    key
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
