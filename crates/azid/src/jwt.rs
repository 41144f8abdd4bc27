//! Reads what stands in a token. Nothing here verifies anything.

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

/// Tolerant of what some issuers write, since nothing is verified.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The readable parts of a JSON Web Token ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).
#[derive(Debug)]
pub(crate) struct Jwt {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

impl Jwt {
    /// Decodes a token in its compact form. The error says what is wrong without quoting any of it.
    pub(crate) fn decode(token: &str) -> Result<Self, String> {
        if token.is_empty() {
            return Err("there is no token: the input is empty".into());
        }
        if token.contains(char::is_whitespace) {
            return Err(
                "this is no token: there is white space within it; give one token and nothing else"
                    .into(),
            );
        }
        let parts: Vec<&str> = token.split('.').collect();
        match parts[..] {
            [header, payload, _signature] => Ok(Self {
                header: object(header, "first")?,
                claims: object(payload, "second")?,
            }),
            [header, _, _, _, _] => {
                let header = object(header, "first")?;
                let method = match header.get("enc").and_then(Value::as_str) {
                    Some(method) if is_plain(method) => format!(" (with {method})"),
                    _ => String::new(),
                };
                Err(format!(
                    "this token is encrypted for its audience{method}: only the service it is meant for can read it"
                ))
            }
            _ => Err(format!(
                "this is no JSON Web Token: it has {} where there should be 3, separated by dots; some services issue \
                 opaque tokens, which nobody else can read",
                match parts.len() {
                    1 => "1 part".to_owned(),
                    many => format!("{many} parts"),
                }
            )),
        }
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// A claim that is a moment, in whole seconds since the epoch.
    pub(crate) fn moment(&self, claim: &str) -> Option<i64> {
        seconds(self.claims.get(claim)?)
    }

    /// The application or managed identity that the token was issued to.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.text("appid").or_else(|| self.text("azp"))
    }

    /// The Azure cloud whose authority issued the token.
    pub(crate) fn cloud(&self) -> Option<Cloud> {
        let host = self.text("iss")?.strip_prefix("https://")?;
        let host = host.split('/').next()?;
        let cloud = CLOUDS
            .iter()
            .find(|(known, _)| *known == host)
            .map(|(_, cloud)| *cloud)?;
        // The issuer of older tokens is the same in both clouds.
        let for_government = self
            .text("aud")
            .is_some_and(|audience| audience.contains(".usgovcloudapi.net"));
        if cloud == Cloud::Public && for_government {
            return Some(Cloud::UsGovernment);
        }
        Some(cloud)
    }
}

/// An Azure cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    Public,
    UsGovernment,
    China,
}

const CLOUDS: &[(&str, Cloud)] = &[
    ("sts.windows.net", Cloud::Public),
    ("login.microsoftonline.com", Cloud::Public),
    ("login.microsoftonline.us", Cloud::UsGovernment),
    ("sts.chinacloudapi.cn", Cloud::China),
    ("login.chinacloudapi.cn", Cloud::China),
    ("login.partner.microsoftonline.cn", Cloud::China),
];

impl Cloud {
    /// The name for programs.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGovernment => "us_government",
            Self::China => "china",
        }
    }

    /// The name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "Azure's public cloud",
            Self::UsGovernment => "Azure Government (United States)",
            Self::China => "Azure operated by 21Vianet in China",
        }
    }
}

/// Claims are `NumericDate`s, which may have a fraction.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and such dates are shown as numbers anyway"
    )]
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

fn object(part: &str, which: &str) -> Result<Map<String, Value>, String> {
    let bytes = BASE64URL.decode(part).map_err(|_| {
        format!("this is no JSON Web Token: its {which} part is not encoded in base64url")
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|_| format!("this is no JSON Web Token: its {which} part is no JSON object"))
}

fn is_plain(text: &str) -> bool {
    text.len() <= 20
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn part(value: &Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    }

    #[test]
    fn three_parts_are_read_whatever_the_signature() {
        for end in ["", "c2ln", "???"] {
            let token = format!(
                "{}.{}.{end}",
                part(&json!({"alg": "none"})),
                part(&json!({"exp": 12.9}))
            );
            let jwt = Jwt::decode(&token).unwrap();
            assert_eq!(jwt.header["alg"], "none");
            assert_eq!(jwt.moment("exp"), Some(12));
        }
    }

    #[test]
    fn nothing_of_what_is_no_token_is_quoted() {
        let object = part(&json!({"planted": 1}));
        let array = part(&json!(["planted"]));
        let encrypted = part(&json!({"enc": "A256GCM"}));
        for (token, says) in [
            (String::new(), "empty"),
            ("planted".into(), "1 part "),
            ("planted.planted".into(), "2 parts"),
            ("pla nted".into(), "white space"),
            (format!("planted!.{object}.x"), "first part is not encoded"),
            (
                format!("{object}.{array}.x"),
                "second part is no JSON object",
            ),
            (format!("{encrypted}.planted.b.c.d"), "with A256GCM"),
        ] {
            let error = Jwt::decode(&token).unwrap_err();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn clouds_are_told_by_issuer_and_audience() {
        for (issuer, audience, cloud) in [
            (
                "https://sts.windows.net/t/",
                "https://vault.azure.net",
                Some(Cloud::Public),
            ),
            (
                "https://sts.windows.net/t/",
                "https://management.usgovcloudapi.net",
                Some(Cloud::UsGovernment),
            ),
            (
                "https://login.partner.microsoftonline.cn/t/v2.0",
                "x",
                Some(Cloud::China),
            ),
            ("https://localhost:8443/t/v2.0", "x", None),
            ("https://sts.windows.net.evil.example/t/", "x", None),
        ] {
            let claims = json!({"iss": issuer, "aud": audience});
            let token = format!("{}.{}.", part(&json!({})), part(&claims));
            assert_eq!(Jwt::decode(&token).unwrap().cloud(), cloud, "{issuer}");
        }
    }
}
