//! PEM text ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)), read as widely as it is written: keys before or behind the
//! certificates, text around the blocks, any line ends, a byte order mark, several certificates.

use pkcs8::{
    AlgorithmIdentifierRef,
    der::{self, Decode, Reader, SliceReader, asn1::OctetStringRef},
};
use ring::rsa::KeyPair as RsaKeyPair;
use zeroize::Zeroizing;

use crate::IdentityError;

use super::{
    Contents,
    decryption::{self, Password, Trouble},
    fault, key, traditional,
};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The longest label of a block, in bytes. Those in use have up to 24.
const LONGEST_LABEL: usize = 64;

/// What the messages call the key.
const KEY: &str = "private key";

/// Reads a key and certificates. Of several keys the first counts.
pub(super) fn read(content: &[u8], password: Option<&str>) -> Result<Contents, IdentityError> {
    let mut key = None;
    let mut certificates = Vec::new();
    let (mut public_key, mut request) = (false, false);
    let mut rest = content;
    while let Some((block, after)) = next_block(rest)? {
        rest = after;
        match block.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                certificates.push(block.decode("a certificate")?.to_vec());
            }
            b"PUBLIC KEY" | b"RSA PUBLIC KEY" => public_key = true,
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => request = true,
            label if label.ends_with(b"PRIVATE KEY") && key.is_none() => {
                key = Some(private_key(&block, password)?);
            }
            // Parameters, revocation lists and the like.
            _ => {}
        }
        if certificates.len() > super::MOST_CERTIFICATES {
            return Err(fault::too_many());
        }
    }
    match key {
        Some(_) if certificates.is_empty() && request => Err(fault::only_request()),
        Some(_) if certificates.is_empty() => Err(fault::no_certificate()),
        Some(key) => Ok(Contents { key, certificates }),
        None if public_key => Err(fault::only_public_key()),
        None => Err(fault::no_key()),
    }
}

fn private_key(block: &Block<'_>, password: Option<&str>) -> Result<RsaKeyPair, IdentityError> {
    match block.label {
        b"PRIVATE KEY" => {
            key::from_pkcs8(&block.decode(KEY)?).unwrap_or_else(|| Err(fault::damaged_key()))
        }
        b"ENCRYPTED PRIVATE KEY" => encrypted(&block.decode(KEY)?, password),
        b"RSA PRIVATE KEY" => match block.header("DEK-Info") {
            Some(parameters) => {
                let password = password.ok_or_else(|| fault::password_missing(KEY))?;
                let decrypted = traditional::decrypt(parameters, &block.decode(KEY)?, password)
                    .map_err(explain)?;
                key::from_pkcs1(&decrypted).unwrap_or_else(|| Err(fault::wrong_password(KEY)))
            }
            None => {
                key::from_pkcs1(&block.decode(KEY)?).unwrap_or_else(|| Err(fault::damaged_key()))
            }
        },
        b"EC PRIVATE KEY" => Err(fault::not_rsa(key::ELLIPTIC_CURVE)),
        b"DSA PRIVATE KEY" => Err(fault::not_rsa(key::DSA)),
        b"OPENSSH PRIVATE KEY" => Err(fault::openssh_key()),
        _ => Err(fault::not_rsa("of an unknown kind")),
    }
}

/// A key in encrypted PKCS#8 ([RFC 5208, section 6](https://www.rfc-editor.org/rfc/rfc5208#section-6)).
fn encrypted(der: &[u8], password: Option<&str>) -> Result<RsaKeyPair, IdentityError> {
    let (algorithm, data) = parse_encrypted(der).map_err(|_| fault::damaged_key())?;
    let password = password.ok_or_else(|| fault::password_missing(KEY))?;
    let decrypted =
        decryption::decrypt(algorithm, data, Password::Some(password)).map_err(explain)?;
    key::from_pkcs8(&decrypted).unwrap_or_else(|| Err(fault::wrong_password(KEY)))
}

/// The algorithm and the data of an `EncryptedPrivateKeyInfo`.
pub(super) fn parse_encrypted(info: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    SliceReader::new(info)?.sequence(|info| {
        let algorithm = AlgorithmIdentifierRef::decode(info)?;
        let data = <&OctetStringRef>::decode(info)?;
        Ok((algorithm, data.as_bytes()))
    })
}

fn explain(trouble: Trouble) -> IdentityError {
    match trouble {
        Trouble::Malformed => fault::damaged_key(),
        Trouble::WrongPassword => fault::wrong_password(KEY),
        Trouble::Unsupported(algorithm) => fault::unsupported_key_encryption(&algorithm),
        Trouble::TooCostly => fault::too_costly(KEY),
    }
}

struct Block<'a> {
    label: &'a [u8],
    headers: &'a str,
    base64: &'a [u8],
}

impl<'a> Block<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim())
        })
    }

    fn decode(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let mut base64 = Zeroizing::new(Vec::with_capacity(self.base64.len()));
        base64.extend(
            self.base64
                .iter()
                .filter(|byte| !byte.is_ascii_whitespace()),
        );
        azure_core::base64::decode(base64.as_slice())
            .map(Zeroizing::new)
            // Its own message would quote what is wrong.
            .map_err(|_| fault::damaged_block(what))
    }
}

/// The next block, and what follows it.
fn next_block(text: &[u8]) -> Result<Option<(Block<'_>, &[u8])>, IdentityError> {
    let Some((_, rest)) = split(text, BEGIN) else {
        return Ok(None);
    };
    let near = &rest[..rest.len().min(LONGEST_LABEL + DASHES.len())];
    let (label, _) = split(near, DASHES).ok_or_else(fault::unfinished_block)?;
    let (body, end) =
        split(&rest[label.len() + DASHES.len()..], END).ok_or_else(fault::unfinished_block)?;
    let after = end
        .strip_prefix(label)
        .and_then(|end| end.strip_prefix(DASHES))
        .ok_or_else(fault::unfinished_block)?;
    let (headers, base64) = split_headers(body);
    Ok(Some((
        Block {
            label,
            headers,
            base64,
        },
        after,
    )))
}

/// Headers, which only traditional encryption has ([RFC 1421, section 4.6](https://www.rfc-editor.org/rfc/rfc1421#section-4.6)),
/// end with an empty line.
fn split_headers(body: &[u8]) -> (&str, &[u8]) {
    if !body.contains(&b':') {
        return ("", body);
    }
    let mut end = 0;
    let mut seen = false;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        end += line.len();
        let blank = line.trim_ascii().is_empty();
        if blank && seen {
            break;
        }
        seen |= !blank;
    }
    let (headers, base64) = body.split_at(end);
    (str::from_utf8(headers).unwrap_or_default(), base64)
}

/// What stands before and behind the first `mark`.
fn split<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = text.windows(mark.len()).position(|window| window == mark)?;
    Some((&text[..start], &text[start + mark.len()..]))
}
