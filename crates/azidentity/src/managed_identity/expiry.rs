//! When a token ends, in each of the forms that Azure's hosts send it.

use azure_core::time::parse_rfc3339;
use serde_json::Value;

use crate::token::seconds;

/// Unix seconds from a number, from a text that holds one, or from a date.
///
/// App Service and its kin have sent dates as `6/19/2027 11:42:01 PM +00:00` on Windows and `06/19/2027 23:42:01 +00:00`
/// on Linux.
pub(super) fn expires_on(value: &Value) -> Option<i64> {
    seconds(value).or_else(|| date(value.as_str()?.trim()))
}

fn date(text: &str) -> Option<i64> {
    let standard = if text.contains('/') {
        in_standard_form(text)?
    } else {
        text.to_owned()
    };
    Some(parse_rfc3339(&standard).ok()?.unix_timestamp())
}

/// Month first, perhaps with the halves of the day, as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) has it. What is no
/// date stays none: reading the result tells.
fn in_standard_form(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (day, time, half, offset) = match words[..] {
        [day, time, offset] => (day, time, None, offset),
        [day, time, half, offset] => (day, time, Some(half), offset),
        _ => return None,
    };
    let [month, day, year] = numbers(day, '/')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let hour = match half {
        None => hour,
        Some(half) if !(1..=12).contains(&hour) || half.is_empty() => return None,
        Some(half) if half.eq_ignore_ascii_case("am") => hour % 12,
        Some(half) if half.eq_ignore_ascii_case("pm") => hour % 12 + 12,
        Some(_) => return None,
    };
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"
    ))
}

fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    let parsed: Option<Vec<u16>> = text
        .split(separator)
        .map(|part| part.parse().ok())
        .collect();
    parsed?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_use_is_read() {
        for (json, expected) in [
            ("1799568088", Some(1_799_568_088)),
            (r#""1799568088""#, Some(1_799_568_088)),
            (r#""1/10/2027 8:01:28 AM +00:00""#, Some(1_799_568_088)),
            (r#""06/19/2027 23:42:01 +00:00""#, Some(1_813_448_521)),
            (r#""6/19/2027 11:42:01 PM +00:00""#, Some(1_813_448_521)),
            (r#""6/19/2027 12:42:01 AM +00:00""#, Some(1_813_365_721)),
            (r#""6/19/2027 12:42:01 PM +00:00""#, Some(1_813_408_921)),
            (r#""06/20/2027 01:42:01 +02:00""#, Some(1_813_448_521)),
            (r#""2027-06-19T23:42:01Z""#, Some(1_813_448_521)),
            (r#""19/06/2027 23:42:01 +00:00""#, None),
            (r#""6/31/2027 23:42:01 +00:00""#, None),
            (r#""6/19/2027 13:42:01 PM +00:00""#, None),
            (r#""6/19/2027 11:42:01 XM +00:00""#, None),
            (r#""6/19/2027 11:42 +00:00""#, None),
            (r#""6/19/2027""#, None),
            (r#""+6/-19/2027 11:42:01 +00:00""#, None),
            (r#""soon""#, None),
            (r#""""#, None),
            ("null", None),
        ] {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(expires_on(&value), expected, "{json}");
        }
    }
}
