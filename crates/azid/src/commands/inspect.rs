//! `azid inspect`: decodes a token. Says what is in it, and that nothing of it was verified.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    cli::{InspectArgs, ReportOutput},
    failure::Failure,
    jwt::{Cloud, Jwt, seconds},
    output,
};

/// The longest input that is read, in bytes.
const LONGEST_INPUT: u64 = 1024 * 1024;

/// Claims that are moments.
const MOMENTS: [&str; 5] = ["exp", "iat", "nbf", "auth_time", "xms_tcdt"];

pub(super) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let input = read(args.file.as_deref())?;
    let jwt = Jwt::decode(&token(&input)).map_err(Failure::Configuration)?;
    let report = Report::new(&jwt, now());
    output::print(&match args.output {
        ReportOutput::Text => report.text(&jwt),
        ReportOutput::Json => output::json_pretty(&report),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// Reads the input. Messages repeat neither it nor the argument, which may be a token where its file should be.
fn read(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    match file {
        Some(path) if path != Path::new("-") => File::open(path)
            .and_then(|mut file| read_to_limit(&mut file, &mut bytes))
            .map_err(|error| {
                format!(
                    "the file cannot be read: {error}; if the argument was a token, pass it on standard input instead, \
                     since other users can see arguments"
                )
            }),
        _ => {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                output::note("Paste a token, then press Enter and Ctrl-D.\n");
            }
            read_to_limit(&mut stdin.lock(), &mut bytes)
                .map_err(|error| format!("standard input cannot be read: {error}"))
        }
    }
    .map_err(Failure::Configuration)?;
    if bytes.len() as u64 > LONGEST_INPUT {
        return Err(Failure::Configuration(
            "this is no token: the input is longer than 1 MiB".into(),
        ));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::Configuration(
            "this is no token: the input is no text in UTF-8".into(),
        )),
    }
}

fn read_to_limit(input: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<usize> {
    input.take(LONGEST_INPUT + 1).read_to_end(bytes)
}

/// The token in what people have at hand: alone, as an HTTP header, or in any form in which `azid token` prints it.
fn token(input: &str) -> Zeroizing<String> {
    let text = input.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{')
        && let Ok(object) = serde_json::from_str::<Map<String, Value>>(text)
        && let Some(token) = ["accessToken", "access_token"]
            .iter()
            .find_map(|name| object.get(*name)?.as_str())
    {
        return Zeroizing::new(token.trim().to_owned());
    }
    if let Some(quoted) = text.strip_prefix("export AZURE_ACCESS_TOKEN='") {
        let token = quoted.split('\'').next().unwrap_or_default();
        return Zeroizing::new(token.to_owned());
    }
    let text = without_word(text, "authorization:").unwrap_or(text);
    let text = without_word(text, "bearer ").unwrap_or(text);
    Zeroizing::new(text.to_owned())
}

/// `text` without the word it starts with, in whatever letter case.
fn without_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    start
        .eq_ignore_ascii_case(word)
        .then(|| text[word.len()..].trim_start())
}

#[derive(Serialize)]
struct Report<'a> {
    header: &'a Map<String, Value>,
    claims: &'a Map<String, Value>,
    expires_in_s: Option<i64>,
    audience: Option<&'a Value>,
    issuer: Option<&'a str>,
    cloud: Option<&'static str>,
    verified: bool,
}

impl<'a> Report<'a> {
    fn new(jwt: &'a Jwt, now: i64) -> Self {
        Self {
            header: &jwt.header,
            claims: &jwt.claims,
            expires_in_s: jwt.moment("exp").map(|exp| exp.saturating_sub(now)),
            audience: jwt.claims.get("aud"),
            issuer: jwt.text("iss"),
            cloud: jwt.cloud().map(Cloud::id),
            verified: false,
        }
    }

    fn text(&self, jwt: &Jwt) -> String {
        let cloud = jwt
            .cloud()
            .map_or("not one of Azure's known issuers", Cloud::name);
        let issuer = self.issuer.map_or_else(
            || "not named".to_owned(),
            |issuer| format!("{} ({cloud})", output::visible(issuer)),
        );
        let summary = [
            [
                "Audience".to_owned(),
                self.audience.map_or_else(|| "not named".into(), shown),
            ],
            ["Issuer".to_owned(), issuer],
            ["Lifetime".to_owned(), self.lifetime()],
            [
                "Verified".to_owned(),
                "no: anybody can write such a token; only its audience checks the signature"
                    .to_owned(),
            ],
        ];
        format!(
            "Header\n{}\nClaims\n{}\n{}",
            entries(self.header),
            entries(self.claims),
            output::table(&summary)
        )
    }

    fn lifetime(&self) -> String {
        match self.expires_in_s {
            None => "not limited: there is no exp claim".into(),
            Some(left) if left > 0 => {
                format!("expires in {}", output::duration(left.unsigned_abs()))
            }
            Some(left) => format!("expired {} ago", output::duration(left.unsigned_abs())),
        }
    }
}

fn entries(object: &Map<String, Value>) -> String {
    let rows: Vec<[String; 3]> = object
        .iter()
        .map(|(name, value)| {
            let date = MOMENTS
                .contains(&name.as_str())
                .then(|| seconds(value).and_then(output::date))
                .flatten();
            let mut shown = shown(value);
            if let Some(date) = date {
                shown = format!("{shown} ({date})");
            }
            [String::new(), output::visible(name), shown]
        })
        .collect();
    output::table(&rows)
}

/// A claim's value: a text as it is, anything else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => output::visible(text),
        other => output::json_line(other),
    }
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn tokens_are_found_in_what_people_have() {
        for input in [
            "a.b.c",
            " \r\n a.b.c\n\n",
            "\u{feff}a.b.c",
            "Bearer a.b.c",
            "bearer   a.b.c\n",
            "Authorization: Bearer a.b.c\n",
            "authorization:bearer a.b.c",
            r#"{"accessToken": "a.b.c", "expires_on": 1}"#,
            r#"{"access_token": "a.b.c"}"#,
            "export AZURE_ACCESS_TOKEN='a.b.c'\nexport AZURE_ACCESS_TOKEN_EXPIRES_ON=1\n",
        ] {
            assert_eq!(token(input).as_str(), "a.b.c", "{input:?}");
        }
    }

    #[test]
    fn anything_else_is_left_as_it_is() {
        for input in ["", "{", "[]", "ü", r#"{"token": "x"}"#] {
            assert_eq!(token(input).as_str(), input);
        }
    }
}
