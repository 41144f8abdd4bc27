//! Text that must not be seen: kept wiped and unprintable, and cut out of whatever a server sends back.

use std::{collections::HashSet, fmt};

use azure_core::credentials::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

/// A secret, assertion, password or token. `Debug` prints nothing of it and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl From<&Secret> for SecretText {
    fn from(secret: &Secret) -> Self {
        Self::new(secret.secret())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

/// Length of the shortest piece of a secret that is recognised in foreign text.
const PIECE: usize = 8;

/// Longest text of a server that goes into a message, in characters.
const LONGEST_TEXT: usize = 2048;

/// Cuts what was posted to a server out of what the server says about it.
///
/// Servers quote their input: whole, shortened, glued to other words, in other letter case, or in one of the usual encodings
/// (percent, base64, hexadecimal, HTML). So any eight bytes in a row that occur in one of these forms of a secret are
/// masked, and so is everything that looks like a JSON Web Token.
pub(crate) struct Redactor {
    /// Of secrets of that length and more: all pieces, each as a number, since a long assertion has thousands.
    pieces: HashSet<u64, foldhash::quality::RandomState>,
    /// What is shorter than a piece, as a whole.
    short: Vec<Vec<u8>>,
}

impl Redactor {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redactor = Self {
            pieces: HashSet::default(),
            short: Vec::new(),
        };
        for secret in secrets {
            redactor.learn(secret);
            for form in encodings(secret) {
                redactor.learn(&form);
            }
        }
        redactor
    }

    fn learn(&mut self, form: &str) {
        let form = form.to_ascii_lowercase().into_bytes();
        if (1..PIECE).contains(&form.len()) {
            self.short.push(form);
        } else {
            self.pieces.extend(pieces(&form));
        }
    }

    /// `text` without secrets, tokens and control characters, cut to a readable length.
    pub(crate) fn clean(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let lower = text.to_ascii_lowercase().into_bytes();
        let mut hidden = vec![false; bytes.len()];
        for (start, piece) in pieces(&lower).enumerate() {
            if self.pieces.contains(&piece) {
                hidden[start..start + PIECE].fill(true);
            }
        }
        for short in &self.short {
            for (start, window) in lower.windows(short.len()).enumerate() {
                if window == short {
                    hidden[start..start + short.len()].fill(true);
                }
            }
        }
        hide_tokens(bytes, &mut hidden);

        let mut cleaned = String::with_capacity(text.len());
        let mut masked = false;
        for (index, character) in text.char_indices().take(LONGEST_TEXT) {
            if hidden[index..index + character.len_utf8()].contains(&true) {
                if !masked {
                    cleaned.push_str(MASK);
                }
                masked = true;
            } else {
                masked = false;
                cleaned.push(if character.is_control() {
                    ' '
                } else {
                    character
                });
            }
        }
        cleaned
    }

    /// The text of a member of a server's answer, cleaned.
    pub(crate) fn text(&self, member: Option<&Value>) -> Option<String> {
        Some(self.clean(member?.as_str()?))
    }

    /// The identifier in a member of a server's answer, if it is a harmless one.
    pub(crate) fn identifier(&self, member: Option<&Value>) -> Option<String> {
        self.clean_identifier(member?.as_str()?)
    }

    /// `text` if it is an identifier that holds nothing secret: letters, digits, `_`, `.` and `-` only.
    fn clean_identifier(&self, text: &str) -> Option<String> {
        let plain = !text.is_empty()
            && text.len() <= 128
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        (plain && self.clean(text) == text).then(|| text.to_owned())
    }
}

/// All runs of [`PIECE`] bytes, in order.
fn pieces(text: &[u8]) -> impl Iterator<Item = u64> {
    let number = |piece: &[u8]| {
        piece
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte))
    };
    text.windows(PIECE).map(number)
}

/// The forms, beside its own, in which a secret may come back. Letter case is not told apart.
fn encodings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let form: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    let hex: String = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let mut forms = vec![form.replace('+', "%20"), form, hex, html];
    // Base64 of a longer text that the secret is a part of: three alignments, without the characters at the ends, in which
    // its neighbours have a share.
    for skipped in 0..3 {
        let Some(rest) = bytes.get(skipped..) else {
            continue;
        };
        let whole = &rest[..rest.len() - rest.len() % 3];
        if whole.len() >= PIECE {
            forms.push(azure_core::base64::encode(whole));
            forms.push(azure_core::base64::encode_url_safe(whole));
        }
    }
    // What is no other form hides nothing more.
    forms.retain(|form| !form.is_empty() && form != secret);
    forms
}

/// What stands for something that is left out.
const MASK: &str = "***";

/// `text` without what looks like a JSON Web Token or a PEM block.
pub(crate) fn mask_tokens(text: String) -> String {
    const PEM: &str = "-----BEGIN ";
    const LONGEST_LABEL: usize = 40;

    let mut hidden = vec![false; text.len()];
    hide_tokens(text.as_bytes(), &mut hidden);
    for (start, _) in text.match_indices(PEM) {
        // The line alone stands in advice; a block has something after it.
        let label = &text[start + PEM.len()..];
        let Some(end) = label.find("-----").filter(|&end| end <= LONGEST_LABEL) else {
            continue;
        };
        let content = start + PEM.len() + end + "-----".len();
        let rest = text[content..].trim_start_matches(['\\', 'n', 'r', '\n', ' ', '\r']);
        if rest
            .bytes()
            .take(16)
            .filter(u8::is_ascii_alphanumeric)
            .count()
            < 16
        {
            continue;
        }
        let end = text[content..]
            .find("-----END ")
            .map_or(text.len(), |end| content + end);
        hidden[content..end].fill(true);
    }
    if !hidden.contains(&true) {
        return text;
    }
    let text = Zeroizing::new(text);
    let mut masked = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        if !hidden[index] {
            masked.push(character);
        } else if !masked.ends_with(MASK) {
            masked.push_str(MASK);
        }
    }
    masked
}

/// Marks everything that starts as the header of a JSON Web Token does (`{"` in base64url is `eyJ`).
fn hide_tokens(bytes: &[u8], hidden: &mut [bool]) {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+/".contains(&byte);
    let mut start = 0;
    while let Some(found) = bytes[start..].windows(3).position(|piece| piece == b"eyJ") {
        let begin = start + found;
        let length = bytes[begin..]
            .iter()
            .take_while(|&&byte| in_token(byte))
            .count();
        if length > 20 {
            hidden[begin..begin + length].fill(true);
        }
        start = begin + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_lose_what_was_put_in_the_wrong_place() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
        let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----";
        for (text, expected) in [
            (
                format!("the variable \"{jwt}\" is not set"),
                "the variable \"***\" is not set".to_owned(),
            ),
            (
                format!("the file {pem} is missing"),
                "the file -----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY----- is missing"
                    .to_owned(),
            ),
            (
                format!("the path {pem:?}"),
                "the path \"-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\"".to_owned(),
            ),
            (
                "a file that has -----BEGIN CERTIFICATE----- in it".to_owned(),
                "a file that has -----BEGIN CERTIFICATE----- in it".to_owned(),
            ),
            (
                "tenant contoso.example".to_owned(),
                "tenant contoso.example".to_owned(),
            ),
        ] {
            assert_eq!(mask_tokens(text), expected);
        }
        let cut =
            mask_tokens("-----BEGIN RSA PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0 and on".into());
        assert_eq!(cut, "-----BEGIN RSA PRIVATE KEY-----***");
    }

    #[test]
    fn debug_and_clone_show_nothing() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2")), "SecretText");
    }

    #[test]
    fn posted_secrets_are_masked_in_every_shape() {
        let secret = "s3cr3t~Value.Of+The/App";
        let redactor = Redactor::new([secret]);
        for (said, expected) in [
            (format!("Invalid value '{secret}'."), "Invalid value '***'."),
            (format!("{secret}_was_sent"), "***_was_sent"),
            ("starts with s3cr3t~Va".to_owned(), "starts with ***"),
            ("s3cr3t~Value.Of%2BThe%2FApp".to_owned(), "***"),
            ("s3cr3t%7eValue.Of%2bThe%2fApp".to_owned(), "***"),
            ("S3CR3T~VALUE.OF+THE/APP".to_owned(), "***"),
            (
                "7333637233747E56616C75652E4F662B5468652F417070".to_owned(),
                "***",
            ),
            ("nothing of it".to_owned(), "nothing of it"),
            ("a\r\nb".to_owned(), "a  b"),
        ] {
            assert_eq!(redactor.clean(&said), expected, "{said}");
        }
    }

    /// Of the groups at the ends, in which other text has a share, up to two bytes of the secret stay.
    #[test]
    fn secrets_inside_base64_are_masked_at_every_alignment() {
        let secret = "s3cr3t~Value.Of+The/App";
        let redactor = Redactor::new([secret]);
        for before in ["", "x", "xy", "id:"] {
            let said = azure_core::base64::encode(format!("{before}{secret}:more"));
            let cleaned = redactor.clean(&said);
            let (start, end) = cleaned.split_once("***").expect("something is masked");
            assert!(
                start.len() <= 4 && end.len() <= 12,
                "{said} became {cleaned}"
            );
        }
    }

    #[test]
    fn tokens_are_masked_without_being_known() {
        let redactor = Redactor::new([]);
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        assert_eq!(redactor.clean(&format!("got {token}, hm")), "got ***, hm");
    }

    #[test]
    fn identifiers_are_kept_only_when_harmless() {
        let redactor = Redactor::new(["verysecretvalue"]);
        assert_eq!(
            redactor.clean_identifier("invalid_client").as_deref(),
            Some("invalid_client")
        );
        for bad in ["", "with space", "x_verysecretvalue", "<html>"] {
            assert_eq!(redactor.clean_identifier(bad), None, "{bad}");
        }
    }

    #[test]
    fn short_secrets_and_non_ascii_text_do_no_harm() {
        assert_eq!(Redactor::new(["", "é"]).clean("café über"), "caf*** über");
        assert_eq!(Redactor::new(["ab"]).clean("ü ab ü"), "ü *** ü");
    }
}
