//! How results are written: to standard output, which may be gone, and to terminals, which obey what they are sent.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use azure_core::time::{OffsetDateTime, to_rfc3339};
use serde::Serialize;

use crate::failure::Failure;

/// Writes a command's result to standard output, at once.
///
/// A reader that has gone away got what it wanted, so that is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Other(format!(
            "the result could not be written to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Says something to a person on standard error, beside a command's result.
pub(crate) fn note(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// JSON on several lines, for results.
pub(crate) fn json_pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    escape_in_json(&text) + "\n"
}

/// JSON on one line without a line break, for errors and for programs that read line by line.
pub(crate) fn json_line(value: &impl Serialize) -> String {
    escape_in_json(&serde_json::to_string(value).unwrap_or_default())
}

/// JSON lets through characters that a terminal obeys. They can only stand inside texts, where an escape means the same.
fn escape_in_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_command(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// `text` with everything a terminal would obey instead of showing it written as an escape.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if is_command(character) {
            visible.extend(character.escape_default());
        } else {
            visible.push(character);
        }
    }
    visible
}

/// Control characters, and those that are invisible or change the direction of writing.
fn is_command(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `value` as one word for a POSIX shell.
pub(crate) fn shell_quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Rows with their columns aligned, two spaces apart.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// Seconds since the epoch as a date, if there is one.
pub(crate) fn date(seconds: i64) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some(to_rfc3339(&moment))
}

/// A length of time in its two largest units.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, unit) in UNITS {
        if rest >= length && parts.len() < 2 {
            parts.push(format!("{} {unit}", rest / length));
            rest %= length;
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        return "0 s".into();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_read_quoted_values_back() {
        assert_eq!(shell_quote("a b"), "'a b'");
        assert_eq!(shell_quote("it's $(x)"), r"'it'\''s $(x)'");
    }

    #[test]
    fn terminals_are_sent_no_commands() {
        assert_eq!(visible("a\u{1b}[31mb\u{9b}2Jc"), r"a\u{1b}[31mb\u{9b}2Jc");
        assert_eq!(visible("x\r\ny\u{202e}z"), r"x\r\ny\u{202e}z");
        assert_eq!(visible("grüße 東京"), "grüße 東京");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "text": "a\u{9b}\u{7f}\u{202e}\n\u{feff}é" });
        for json in [json_line(&value), json_pretty(&value)] {
            let body = json.replace('\n', "");
            assert!(!body.chars().any(is_command), "{json:?}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&json).unwrap(),
                value
            );
        }
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min 59 s"),
            (3_601, "1 h"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "bb"], ["ccc", "d"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "a    bb\nccc  d\n");
    }
}
