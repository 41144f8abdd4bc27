//! Signed JSON Web Tokens that others present (RFC 7515 and 7519).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_json::{Map, Value};

/// The longest token that is looked at.
const LONGEST: usize = 64 * 1024;

/// Base64url as clients spell it: azure-identity for Python keeps the padding
/// in its asynchronous credentials.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A token that was taken apart and is believed in nothing.
pub(crate) struct Jwt<'a> {
    /// What the signature is of.
    signed: &'a str,
    signature: Vec<u8>,
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

/// Why a text is no signed token. What it says is shown, so that it holds
/// nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The signatures that Entra takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
}

impl<'a> Jwt<'a> {
    /// Takes a compact token apart. Blanks around it are no part of it: what
    /// is read from a file often ends with a line break.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let text = text.trim_ascii();
        if text.len() > LONGEST {
            return Err(Malformed("it is longer than 64 KiB"));
        }
        let parts: Vec<_> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(Malformed("it has not three parts separated by dots"));
        };
        let signed = &text[..header.len() + 1 + claims.len()];
        let bytes = |part: &str| {
            BASE64
                .decode(part)
                .map_err(|_| Malformed("one of its parts is not in base64url"))
        };
        let object = |part: &str| match serde_json::from_slice(&bytes(part)?) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(Malformed("its header or its claims are no JSON object")),
        };
        Ok(Self {
            signed,
            header: object(header)?,
            claims: object(claims)?,
            signature: bytes(signature)?,
        })
    }

    /// `None` for one that is not taken, such as `none`.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        match self.header.get("alg")?.as_str()? {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            _ => None,
        }
    }

    /// Whether the key's owner signed it, with an algorithm that is taken.
    pub(crate) fn is_signed_by(&self, key: &RsaKey) -> bool {
        let key = RsaPublicKeyComponents {
            n: &key.modulus,
            e: &key.exponent,
        };
        let algorithm = match self.algorithm() {
            Some(Algorithm::Rs256) => &RSA_PKCS1_2048_8192_SHA256,
            Some(Algorithm::Ps256) => &RSA_PSS_2048_8192_SHA256,
            None => return false,
        };
        key.verify(algorithm, self.signed.as_bytes(), &self.signature)
            .is_ok()
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// A moment in seconds since 1970, which can be a fraction: MSAL for
    /// Python writes `1796072692.55`.
    pub(crate) fn moment(&self, claim: &str) -> Option<f64> {
        self.claims.get(claim)?.as_f64()
    }
}

/// The public half of an RSA key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    /// Both numbers with the most significant byte first.
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        let number = |bytes: &[u8]| bytes.iter().copied().skip_while(|&b| b == 0).collect();
        Self {
            modulus: number(modulus),
            exponent: number(exponent),
        }
    }
}

/// A key as an issuer publishes it (RFC 7517).
#[derive(Clone, Debug)]
pub(crate) struct Jwk {
    id: Option<String>,
    key: RsaKey,
}

impl Jwk {
    pub(crate) fn of(id: Option<String>, key: RsaKey) -> Self {
        Self { id, key }
    }

    /// The RSA keys of a set in JSON; those of other kinds are left out.
    pub(crate) fn set(json: &str) -> Result<Vec<Self>, &'static str> {
        let set: Value = serde_json::from_str(json).map_err(|_| "it is not JSON")?;
        let keys = set["keys"]
            .as_array()
            .ok_or("it has no array called keys")?;
        let read = |key: &Value| {
            let number = |name: &str| BASE64.decode(key[name].as_str()?).ok();
            (key["kty"] == "RSA").then_some(())?;
            let id = key["kid"].as_str().map(str::to_owned);
            Some(Self::of(id, RsaKey::new(&number("n")?, &number("e")?)))
        };
        let keys: Vec<_> = keys.iter().filter_map(read).collect();
        if keys.is_empty() {
            return Err("it has no RSA key");
        }
        Ok(keys)
    }

    /// Whether this key signed the token. A key with another id did not.
    pub(crate) fn signed(&self, jwt: &Jwt<'_>) -> bool {
        let named = match (&self.id, jwt.header_text("kid")) {
            (Some(known), Some(asked)) => known == asked,
            _ => true,
        };
        named && jwt.is_signed_by(&self.key)
    }
}

/// Base64url without padding, as tokens have it.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE;

    use super::{Jwk, Jwt, Malformed, encode};

    #[test]
    fn padding_and_blanks_make_no_difference() {
        let part = |json: &str| (encode(json), URL_SAFE.encode(json));
        let (header, padded_header) = part(r#"{"alg":"RS256"}"#);
        let (claims, padded_claims) = part(r#"{"exp":1796072692.55,"iss":"x"}"#);
        for text in [
            format!("{header}.{claims}.AA"),
            format!("{padded_header}.{padded_claims}.AA=="),
            format!("\n {header}.{claims}.AA\r\n"),
        ] {
            let jwt = Jwt::parse(&text).ok().unwrap();
            assert_eq!(jwt.moment("exp"), Some(1_796_072_692.55));
            assert_eq!(jwt.text("iss"), Some("x"));
            assert_eq!(jwt.text("exp"), None);
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let empty = encode("{}");
        let deep = encode("[".repeat(10_000));
        for text in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            format!("{empty}.{empty}"),
            format!("{empty}.{empty}.{empty}.{empty}.{empty}"),
            format!("{empty}.{}.AA", encode("[]")),
            format!("{empty}.{deep}.AA"),
            format!("{empty}.{empty}.+/"),
            format!("{empty}.{empty}.é"),
        ] {
            assert!(Jwt::parse(&text).is_err(), "{text:.40}");
        }
        let long = "a".repeat(64 * 1024 + 1);
        let Err(Malformed(why)) = Jwt::parse(&long) else {
            panic!("it was taken");
        };
        assert!(why.contains("64 KiB"));
    }

    #[test]
    fn sets_of_keys_need_an_rsa_key() {
        for json in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"EC"}]}"#] {
            assert!(Jwk::set(json).is_err(), "{json}");
        }
        let both = r#"{"keys":[{"kty":"EC"},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#;
        assert_eq!(Jwk::set(both).unwrap().len(), 1);
    }
}
