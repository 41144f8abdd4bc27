//! Reads a `WWW-Authenticate` header ([RFC 9110, section 11.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1)),
//! in which several challenges may stand one after the other.

use serde_json::Value;

/// No claims challenge is longer, in bytes.
const LONGEST: usize = 64 * 1024;

/// The claims that a service misses in the token it was sent; `None` where it asks for something else.
pub(super) fn missing_claims(header: &str) -> Option<String> {
    if header.len() > LONGEST {
        return None;
    }
    challenges(header).into_iter().find_map(|challenge| {
        let value = |name: &str| {
            let mut parameters = challenge.parameters.iter();
            parameters
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        };
        let asks = challenge.scheme.eq_ignore_ascii_case("bearer")
            && value("error") == Some("insufficient_claims");
        asks.then(|| decode(value("claims")?)).flatten()
    })
}

/// Claims come in either alphabet of base64, with or without padding.
fn decode(encoded: &str) -> Option<String> {
    let mut plain: String = encoded
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    while !plain.len().is_multiple_of(4) {
        plain.push('=');
    }
    let claims = String::from_utf8(azure_core::base64::decode(plain).ok()?).ok()?;
    matches!(serde_json::from_str(&claims), Ok(Value::Object(_))).then_some(claims)
}

struct Challenge<'a> {
    scheme: &'a str,
    parameters: Vec<(&'a str, String)>,
}

fn challenges(header: &str) -> Vec<Challenge<'_>> {
    let mut found: Vec<Challenge<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = split_token(rest);
        if word.is_empty() {
            // The end, or what no challenge has here.
            return found;
        }
        let value = after.trim_start_matches([' ', '\t']).strip_prefix('=');
        if let (Some(value), Some(challenge)) = (value, found.last_mut()) {
            let (value, after) = split_value(value.trim_start_matches([' ', '\t']));
            challenge.parameters.push((word, value));
            rest = after;
        } else {
            found.push(Challenge {
                scheme: word,
                parameters: Vec::new(),
            });
            rest = skip_token68(after);
        }
    }
}

fn split_token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// A quoted text, or all that comes before a comma or space.
fn split_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    // Cut short: nothing comes after.
    (value, "")
}

/// Some schemes, such as Negotiate, carry one text instead of parameters.
fn skip_token68(text: &str) -> &str {
    let start = text.trim_start_matches([' ', '\t']);
    let end = start
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/=".contains(c)))
        .unwrap_or(start.len());
    let after = start[end..].trim_start_matches([' ', '\t']);
    let alone = after.is_empty() || after.starts_with(',');
    // `name=value` is a parameter, unless nothing but padding comes after the sign.
    let one_text = start[..end]
        .trim_end_matches('=')
        .bytes()
        .all(|byte| byte != b'=');
    if end > 0 && alone && one_text {
        after
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;

    fn encoded() -> String {
        azure_core::base64::encode(CLAIMS)
    }

    #[test]
    fn claims_are_found_among_challenges() {
        let claims = encoded();
        let bare = claims.trim_end_matches('=').to_owned();
        for header in [
            format!(r#"Bearer error="insufficient_claims", claims="{claims}""#),
            format!(
                r#"bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="{claims}""#
            ),
            format!("Bearer claims={bare},error=insufficient_claims"),
            format!(r#"Bearer claims = "{bare}" , error = "insufficient_claims""#),
            format!(r#"PoP nonce="a,b", Bearer error="insufficient_claims", claims="{claims}""#),
            format!(
                r#"Negotiate YII+/a==, Bearer error="insufficient_claims", claims="{claims}", Basic realm="x""#
            ),
            format!(r#"Negotiate, Bearer error="insufficient_claims",claims="{claims}""#),
            format!(
                r#"Bearer realm="say \"hi\", claims=", error="insufficient_claims", claims="{claims}""#
            ),
        ] {
            assert_eq!(missing_claims(&header).as_deref(), Some(CLAIMS), "{header}");
        }
    }

    #[test]
    fn whatever_else_is_asked_is_left_alone() {
        let claims = encoded();
        for header in [
            String::new(),
            "Bearer".into(),
            r#"Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net""#.into(),
            format!(r#"Bearer error="invalid_token", claims="{claims}""#),
            format!(r#"Basic error="insufficient_claims", claims="{claims}""#),
            r#"Bearer error="insufficient_claims""#.into(),
            r#"Bearer error="insufficient_claims", claims="%%%""#.into(),
            r#"Bearer error="insufficient_claims", claims="bm8ganNvbg==""#.into(),
            r#"Bearer error="insufficient_claims", claims=""#.into(),
            r#"Bearer error="insufficient_claims", claims="\"#.into(),
            "\u{e4}\u{f6}, = \"\\".into(),
            "=,=,\",".into(),
            format!(r#"Bearer error="insufficient_claims", claims="{}""#, "x".repeat(LONGEST)),
        ] {
            assert_eq!(missing_claims(&header), None, "{header}");
        }
    }
}
