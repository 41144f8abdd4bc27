//! The few fields of an X.509 certificate that matter here
//! ([RFC 5280, section 4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
//!
//! Everything else is stepped over unread, so that a certificate with unusual names or extensions is no obstacle: whether
//! it is any good, Microsoft Entra decides.

use pkcs8::der::{
    self, Decode, Reader, SliceReader, Tag, TagNumber,
    asn1::{BitStringRef, GeneralizedTime, UtcTime},
};

pub(super) struct Certificate<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    /// Seconds since the Unix epoch.
    pub(super) not_before: i64,
    /// Seconds since the Unix epoch.
    pub(super) not_after: i64,
    /// The key itself, without its algorithm: of an RSA key, modulus and exponent in DER.
    pub(super) public_key: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// `None` when it is no certificate.
    pub(super) fn parse(certificate: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(certificate).ok()?;
        let parsed = reader
            .sequence(|signed| {
                let fields = signed.sequence(Self::fields)?;
                signed.tlv_bytes()?; // algorithm of the signature
                signed.tlv_bytes()?; // signature
                Ok::<_, der::Error>(fields)
            })
            .ok()?;
        reader.is_finished().then_some(parsed)
    }

    fn fields(fields: &mut SliceReader<'a>) -> der::Result<Self> {
        const VERSION: Tag = Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(0),
        };
        if Tag::peek(fields)? == VERSION {
            fields.tlv_bytes()?;
        }
        fields.tlv_bytes()?; // serial number
        fields.tlv_bytes()?; // algorithm of the signature
        let issuer = fields.tlv_bytes()?;
        let (not_before, not_after) =
            fields.sequence(|validity| Ok::<_, der::Error>((time(validity)?, time(validity)?)))?;
        let subject = fields.tlv_bytes()?;
        let public_key = fields.sequence(|info| {
            info.tlv_bytes()?; // algorithm of the key
            let bits = BitStringRef::decode(info)?;
            bits.as_bytes()
                .ok_or_else(|| info.error(Tag::BitString.value_error()))
        })?;
        while !fields.is_finished() {
            fields.tlv_bytes()?;
        }
        Ok(Self {
            issuer,
            subject,
            not_before,
            not_after,
            public_key,
        })
    }
}

fn time(reader: &mut SliceReader<'_>) -> der::Result<i64> {
    let since_epoch = if Tag::peek(reader)? == Tag::UtcTime {
        UtcTime::decode(reader)?.to_unix_duration()
    } else {
        GeneralizedTime::decode(reader)?.to_unix_duration()
    };
    Ok(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

/// The order in which a chain is sent: a certificate, its issuer, that one's issuer and so on. What is left follows as it
/// stands in the file, since names can be written in two ways, and a missing certificate does more harm than one too many.
pub(super) fn in_order(certificates: &[Certificate<'_>], own: usize) -> Vec<usize> {
    let mut order = vec![own];
    let mut last = own;
    while let Some(issuer) = (0..certificates.len()).find(|&index| {
        certificates[index].subject == certificates[last].issuer && !order.contains(&index)
    }) {
        order.push(issuer);
        last = issuer;
    }
    for index in 0..certificates.len() {
        // The same certificate may stand in the file twice.
        let known = order.iter().any(|&other| {
            other == index
                || (certificates[other].public_key == certificates[index].public_key
                    && certificates[other].subject == certificates[index].subject
                    && certificates[other].issuer == certificates[index].issuer
                    && certificates[other].not_after == certificates[index].not_after)
        });
        if !known {
            order.push(index);
        }
    }
    order
}
