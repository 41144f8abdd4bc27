//! Reads what a token endpoint answers: a token, a refusal, or something that is neither.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    IdentityError, ServerError,
    http::Answer,
    secret::{Redactor, SecretText},
    token::{AccessTokenInfo, Lifetime, access_token, seconds, token_type},
};

/// What has to be known to read an answer and to say what is wrong with it.
pub(super) struct Reading<'a> {
    pub(super) asked: &'a str,
    pub(super) client_id: &'a str,
    pub(super) tenant: &'a str,
    /// What must not be seen in anything that comes back.
    pub(super) posted: Vec<&'a str>,
    /// When the request was sent, in Unix seconds; lifetimes count from there.
    pub(super) sent_at: i64,
}

/// What a grant was exchanged for.
pub(crate) struct Redeemed {
    pub(crate) access: AccessTokenInfo,
    /// For the next time, where a user is concerned.
    pub(crate) refresh_token: Option<SecretText>,
}

/// The members of [RFC 6749, sections 5.1 and 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5) and Entra's
/// additions. Numbers may come as text.
#[derive(Deserialize)]
struct Body {
    access_token: Option<Zeroizing<String>>,
    token_type: Option<String>,
    expires_in: Option<Value>,
    expires_on: Option<Value>,
    refresh_in: Option<Value>,
    refresh_token: Option<Zeroizing<String>>,
    error: Option<Value>,
    error_description: Option<Value>,
    error_codes: Option<Value>,
    suberror: Option<Value>,
    correlation_id: Option<Value>,
    trace_id: Option<Value>,
    claims: Option<Value>,
}

pub(super) fn read(answer: &Answer, reading: &Reading<'_>) -> Result<Redeemed, IdentityError> {
    let Reading { asked, .. } = reading;
    if (300..400).contains(&answer.status) {
        return Err(IdentityError::authentication_failed(format!(
            "{asked} answered with a redirect (HTTP {}), which is not followed: a secret must not go where an answer \
             points; check the authority host, and whether a proxy or sign-in page stands in between",
            answer.status
        )));
    }
    let Ok(body) = serde_json::from_slice::<Body>(answer.body()) else {
        return Err(IdentityError::authentication_failed(format!(
            "{asked} answered with HTTP {} and {}, which is no token answer; check the authority host, and whether a \
             proxy or sign-in page stands in between",
            answer.status,
            answer.describe_body()
        )));
    };
    match &body.error {
        Some(error) if !matches!(error, Value::Null | Value::Bool(false)) => {
            Err(refusal(answer.status, error, &body, reading))
        }
        _ => token(answer, body, reading),
    }
}

fn token(answer: &Answer, body: Body, reading: &Reading<'_>) -> Result<Redeemed, IdentityError> {
    let Reading {
        asked,
        tenant,
        sent_at,
        ..
    } = reading;
    let wrong = |what: &str| {
        IdentityError::authentication_failed(format!(
            "{asked} answered with HTTP {} and JSON {what}, so there is no token to use; check that the authority host \
             is a token service",
            answer.status
        ))
    };
    if !(200..300).contains(&answer.status) {
        return Err(wrong("without an OAuth error"));
    }
    let token =
        access_token(body.access_token).ok_or_else(|| wrong("without a usable access_token"))?;
    let expires_in = match (&body.expires_in, &body.expires_on) {
        (Some(expires_in), _) => {
            seconds(expires_in).ok_or_else(|| wrong("whose expires_in is no number of seconds"))?
        }
        (None, Some(expires_on)) => {
            seconds(expires_on).ok_or_else(|| wrong("whose expires_on is no number of seconds"))?
                - *sent_at
        }
        (None, None) => return Err(wrong("without an expires_in")),
    };
    if expires_in < 0 {
        return Err(wrong(&format!(
            "whose token has expired {} seconds ago",
            -expires_in
        )));
    }
    let refresh_in = body.refresh_in.as_ref().and_then(seconds);
    let lifetime = Lifetime::starting(*sent_at, expires_in, refresh_in);
    Ok(Redeemed {
        access: AccessTokenInfo::with_lifetime(token, lifetime)
            .with_token_type(token_type(body.token_type))
            .with_tenant((*tenant).to_owned()),
        refresh_token: body
            .refresh_token
            .filter(|token| !token.is_empty())
            .map(SecretText::from),
    })
}

fn refusal(status: u16, error: &Value, body: &Body, reading: &Reading<'_>) -> IdentityError {
    let redactor = Redactor::new(reading.posted.iter().copied());
    let code = redactor.identifier(Some(error));
    let description = redactor
        .text(body.error_description.as_ref())
        .unwrap_or_default();
    let error_codes = error_codes(body.error_codes.as_ref(), &description);

    let mut message = format!(
        "{} refused the application {} in the tenant {} (HTTP {status}",
        reading.asked, reading.client_id, reading.tenant
    );
    if let Some(code) = &code {
        message.push_str(", ");
        message.push_str(code);
    }
    message.push(')');
    for number in &error_codes {
        if !description.contains(&format!("AADSTS{number}")) {
            let _ = write!(message, " AADSTS{number}");
        }
    }
    if !description.is_empty() {
        message.push_str(": ");
        message.push_str(description.trim_end());
    }
    if let Some(advice) = error_codes.iter().find_map(|&number| advice(number)) {
        if !message.ends_with('.') {
            message.push(';');
        }
        message.push(' ');
        message.push_str(advice);
    }
    IdentityError::authentication_failed(message).with_server(ServerError {
        status,
        error: code,
        error_codes,
        suberror: redactor.identifier(body.suberror.as_ref()),
        correlation_id: redactor.identifier(body.correlation_id.as_ref()),
        trace_id: redactor.identifier(body.trace_id.as_ref()),
        claims: redactor.text(body.claims.as_ref()),
    })
}

/// As many AADSTS numbers of one answer are kept; Entra names one or two.
const MOST_CODES: usize = 10;

/// The numbers of the answer's own list, else those that its text names.
fn error_codes(listed: Option<&Value>, description: &str) -> Vec<u64> {
    let listed: Vec<u64> = listed
        .and_then(Value::as_array)
        .map(|codes| codes.iter().filter_map(number).take(MOST_CODES).collect())
        .unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    let mut named = Vec::new();
    for part in description.split("AADSTS").skip(1).take(MOST_CODES) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse()
            && !named.contains(&number)
        {
            named.push(number);
        }
    }
    named
}

fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// What to do about the refusals that people meet most
/// ([all of them](https://learn.microsoft.com/entra/identity-platform/reference-error-codes)).
fn advice(number: u64) -> Option<&'static str> {
    Some(match number {
        7_000_215 => {
            "Use the secret's value, not its id, and check that it belongs to this application."
        }
        7_000_222 => "The client secret has expired: make a new one in the app registration.",
        700_016 => "Check the client id, and that the application exists in this tenant.",
        90_002 => {
            "Check the tenant id or domain name, and that the authority host is that of the tenant's cloud."
        }
        70_011 | 1_002_012 => {
            "An application asks for all its permissions at once: the scope is RESOURCE/.default."
        }
        500_011 => "Check the resource in the scope, and that it is known in this tenant.",
        28_000 => "Ask for one resource at a time.",
        700_027 => {
            "Register the certificate with the application, or send its chain where the application trusts an issuer."
        }
        7_000_218 => {
            "This application is not a public one: it has to prove itself with a secret, a certificate or an assertion."
        }
        700_213 => {
            "Give the application a federated credential with this issuer, subject and audience."
        }
        50_027 => "Check that the assertion is a whole and unaltered JSON Web Token.",
        50_013 | 500_131 => {
            "The user's token has to be an unexpired one that was issued for this application."
        }
        54_005 => "The code is used up: let the user sign in again.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_come_from_the_list_or_the_text() {
        let list = serde_json::json!([7_000_215, "50076", null]);
        assert_eq!(error_codes(Some(&list), "AADSTS1: x"), [7_000_215, 50_076]);
        assert_eq!(
            error_codes(None, "AADSTS700016: x. AADSTS700016 again, AADSTSx"),
            [700_016]
        );
    }
}
