//! PFX files: PKCS#12 ([RFC 7292](https://www.rfc-editor.org/rfc/rfc7292#section-4)), as OpenSSL, Windows, .NET, Java and Azure
//! Key Vault write them.

use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier,
    der::{
        self, Decode, Reader, SliceReader, Tag, TagNumber,
        asn1::{AnyRef, OctetStringRef},
    },
};
use ring::hmac;
use zeroize::Zeroizing;

use crate::IdentityError;

use super::{
    Contents,
    decryption::{self, Password, Trouble, derive_key},
    fault, key, pem,
    x509::Certificate,
};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");

const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const ENCRYPTED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");

/// What the messages call the file.
const FILE: &str = "PFX file";

/// Reads the key and the certificates. Of several keys the first counts.
pub(super) fn read(content: &[u8], password: Option<&str>) -> Result<Contents, IdentityError> {
    let pfx = match Pfx::parse(content) {
        Ok(pfx) => pfx,
        Err(Trouble::Malformed) => return Err(what_else(content)),
        Err(trouble) => return Err(explain(trouble)),
    };
    // What was exported "without a password" has an empty one or, from Windows and .NET, none at all.
    let without = [Password::Some(""), Password::None];
    let with = password.map(|password| [Password::Some(password)]);
    let candidates = with.as_ref().map_or(&without[..], |with| &with[..]);
    for &candidate in candidates {
        match pfx.open(candidate) {
            Ok(bags) => return bags.into_contents(),
            Err(Trouble::WrongPassword) => {}
            Err(trouble) => return Err(explain(trouble)),
        }
    }
    Err(if password.is_some() {
        fault::wrong_password(FILE)
    } else {
        fault::password_missing(FILE)
    })
}

fn explain(trouble: Trouble) -> IdentityError {
    match trouble {
        Trouble::Malformed => fault::damaged_pfx(),
        Trouble::WrongPassword => fault::wrong_password(FILE),
        Trouble::Unsupported(algorithm) => fault::unsupported_pfx(&algorithm),
        Trouble::TooCostly => fault::too_costly(FILE),
    }
}

struct Pfx<'a> {
    safe: &'a [u8],
    mac: Option<Mac<'a>>,
}

struct Mac<'a> {
    algorithm: ObjectIdentifier,
    digest: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
}

impl<'a> Pfx<'a> {
    fn parse(content: &'a [u8]) -> Result<Self, Trouble> {
        SliceReader::new(content)?.sequence(|pfx| {
            if u8::decode(pfx)? != 3 {
                return Err(Trouble::Malformed);
            }
            let (kind, content) = content_info(pfx)?;
            if kind == SIGNED_DATA {
                return Err(Trouble::Unsupported("a signature".to_owned()));
            }
            if kind != DATA {
                return Err(Trouble::Malformed);
            }
            let safe = <&OctetStringRef>::from_der(content)?.as_bytes();
            let mac = if pfx.is_finished() {
                None
            } else {
                Some(Mac::parse(pfx)?)
            };
            Ok(Self { safe, mac })
        })
    }

    fn open(&self, password: Password<'_>) -> Result<Bags, Trouble> {
        if let Some(mac) = &self.mac {
            mac.verify(self.safe, password)?;
        }
        let mut bags = Bags::default();
        SliceReader::new(self.safe)?.sequence(|parts| {
            while !parts.is_finished() {
                let (kind, content) = content_info(parts)?;
                match kind {
                    DATA => {
                        let bag = <&OctetStringRef>::from_der(content)?;
                        bags.collect(bag.as_bytes(), password)?;
                    }
                    ENCRYPTED_DATA => {
                        let (algorithm, data) = encrypted_data(content)?;
                        let decrypted = decryption::decrypt(algorithm, data, password)?;
                        bags.collect(&decrypted, password)
                            .map_err(|trouble| match trouble {
                                // Without a MAC, that is how a wrong password shows.
                                Trouble::Malformed if self.mac.is_none() => Trouble::WrongPassword,
                                trouble => trouble,
                            })?;
                    }
                    ENVELOPED_DATA => {
                        return Err(Trouble::Unsupported("a public key".to_owned()));
                    }
                    _ => return Err(Trouble::Malformed),
                }
            }
            Ok(())
        })?;
        Ok(bags)
    }
}

impl<'a> Mac<'a> {
    fn parse(reader: &mut SliceReader<'a>) -> der::Result<Self> {
        reader.sequence(|mac| {
            let (algorithm, digest) = mac.sequence(|info| {
                let algorithm = AlgorithmIdentifierRef::decode(info)?;
                Ok::<_, der::Error>((algorithm.oid, <&OctetStringRef>::decode(info)?.as_bytes()))
            })?;
            let salt = <&OctetStringRef>::decode(mac)?.as_bytes();
            let rounds = if mac.is_finished() {
                1
            } else {
                u32::decode(mac)?
            };
            Ok(Self {
                algorithm,
                digest,
                salt,
                rounds,
            })
        })
    }

    fn verify(&self, safe: &[u8], password: Password<'_>) -> Result<(), Trouble> {
        const FOR_MAC: u8 = 3;
        let algorithm = match self.algorithm {
            SHA1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            SHA256 => hmac::HMAC_SHA256,
            SHA384 => hmac::HMAC_SHA384,
            SHA512 => hmac::HMAC_SHA512,
            PBMAC1 => return Err(Trouble::Unsupported("a MAC of the kind PBMAC1".to_owned())),
            other => {
                return Err(Trouble::Unsupported(format!(
                    "a MAC that is not known here ({other})"
                )));
            }
        };
        let hash = algorithm.digest_algorithm();
        let key = derive_key(
            hash,
            &password.as_utf16(),
            self.salt,
            FOR_MAC,
            self.rounds,
            hash.output_len(),
        )?;
        hmac::verify(&hmac::Key::new(algorithm, &key), safe, self.digest)
            .map_err(|_| Trouble::WrongPassword)
    }
}

#[derive(Default)]
struct Bags {
    /// In PKCS#8.
    key: Option<Zeroizing<Vec<u8>>>,
    /// In DER.
    certificates: Vec<Vec<u8>>,
}

impl Bags {
    fn collect(&mut self, bags: &[u8], password: Password<'_>) -> Result<(), Trouble> {
        SliceReader::new(bags)?.sequence(|bags| {
            while !bags.is_finished() {
                bags.sequence(|bag| {
                    let kind = ObjectIdentifier::decode(bag)?;
                    let value = explicit(bag)?;
                    if !bag.is_finished() {
                        bag.tlv_bytes()?; // attributes: names for people
                    }
                    self.take(kind, value, password)
                })?;
            }
            Ok(())
        })
    }

    fn take(
        &mut self,
        kind: ObjectIdentifier,
        value: &[u8],
        password: Password<'_>,
    ) -> Result<(), Trouble> {
        match kind {
            KEY_BAG if self.key.is_none() => self.key = Some(Zeroizing::new(value.to_vec())),
            ENCRYPTED_KEY_BAG if self.key.is_none() => {
                let (algorithm, data) = pem::parse_encrypted(value)?;
                let decrypted = decryption::decrypt(algorithm, data, password)?;
                if key::from_pkcs8(&decrypted).is_none() {
                    return Err(Trouble::WrongPassword);
                }
                self.key = Some(decrypted);
            }
            CERTIFICATE_BAG => {
                let (kind, certificate) = SliceReader::new(value)?.sequence(|bag| {
                    let kind = ObjectIdentifier::decode(bag)?;
                    let certificate = <&OctetStringRef>::from_der(explicit(bag)?)?;
                    Ok::<_, der::Error>((kind, certificate.as_bytes()))
                })?;
                if kind == X509_CERTIFICATE {
                    self.certificates.push(certificate.to_vec());
                }
            }
            // Revocation lists, other secrets, further keys.
            _ => {}
        }
        Ok(())
    }

    fn into_contents(self) -> Result<Contents, IdentityError> {
        let key = self.key.ok_or_else(fault::no_key)?;
        let key = key::from_pkcs8(&key).unwrap_or_else(|| Err(fault::damaged_key()))?;
        match self.certificates.len() {
            0 => Err(fault::no_certificate()),
            count if count > super::MOST_CERTIFICATES => Err(fault::too_many()),
            _ => Ok(Contents {
                key,
                certificates: self.certificates,
            }),
        }
    }
}

/// The kind and the content of a `ContentInfo`.
fn content_info<'a>(reader: &mut SliceReader<'a>) -> der::Result<(ObjectIdentifier, &'a [u8])> {
    reader.sequence(|info| Ok((ObjectIdentifier::decode(info)?, explicit(info)?)))
}

/// What stands inside the tag `[0] EXPLICIT`.
fn explicit<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    tagged(reader, true)
}

/// The value behind the context-specific tag 0.
fn tagged<'a>(reader: &mut SliceReader<'a>, constructed: bool) -> der::Result<&'a [u8]> {
    let wanted = Tag::ContextSpecific {
        constructed,
        number: TagNumber(0),
    };
    let any = AnyRef::decode(reader)?;
    der::Tagged::tag(&any).assert_eq(wanted)?;
    Ok(any.value())
}

/// The algorithm and the data of an `EncryptedData`.
fn encrypted_data(content: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    SliceReader::new(content)?.sequence(|encrypted| {
        encrypted.tlv_bytes()?; // version
        encrypted.sequence(|info| {
            info.tlv_bytes()?; // kind of the content
            let algorithm = AlgorithmIdentifierRef::decode(info)?;
            Ok((algorithm, tagged(info, false)?))
        })
    })
}

/// Says what it is that is no PFX file.
fn what_else(content: &[u8]) -> IdentityError {
    let text = content.trim_ascii();
    if text.is_empty() {
        return fault::empty();
    }
    if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
        return fault::utf16();
    }
    // Base64 of DER that is longer than 255 bytes.
    if text.starts_with(b"MI")
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte))
    {
        return fault::base64_of_pfx();
    }
    if Certificate::parse(content).is_some() {
        return fault::bare_certificate();
    }
    if key::from_pkcs8(content).is_some()
        || key::from_pkcs1(content).is_some()
        || pem::parse_encrypted(content).is_ok()
    {
        return fault::bare_key();
    }
    match outer_length(content) {
        Some(says) if says > content.len() => fault::cut_pfx(says, content.len()),
        Some(_) => fault::damaged_pfx(),
        None => fault::neither_pem_nor_pfx(),
    }
}

/// How long the file has to be by its own account, if it begins as a PFX file does.
fn outer_length(content: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(content).ok()?;
    let header = der::Header::decode(&mut reader).ok()?;
    if header.tag() != Tag::Sequence || u8::decode(&mut reader).ok()? != 3 {
        return None;
    }
    let headers = content.len() - usize::try_from(reader.remaining_len()).ok()?;
    // The version has been read, too.
    let version = 3;
    usize::try_from(header.length())
        .ok()?
        .checked_add(headers - version)
}
