//! Reads the answers of managed identity endpoints, which differ in little.
//!
//! Every answer that is no token means "unavailable": the endpoint is not there, or it has no identity for the caller,
//! and the next credential of a chain may do better.

use azure_core::http::Url;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    IdentityError, ServerError,
    http::Answer,
    secret::Redactor,
    token::{AccessTokenInfo, Lifetime, access_token, seconds, token_type},
};

use super::{Asked, expiry::expires_on};

/// What has to be known to read an answer and to say what is wrong with it.
pub(super) struct Reading<'a> {
    pub(super) host: &'static str,
    pub(super) endpoint: &'a Url,
    pub(super) asked: Asked<'a>,
    /// The secret that went along with the request, if one did.
    pub(super) posted: Option<&'a str>,
    /// When the request was sent, in Unix seconds.
    pub(super) sent_at: i64,
}

#[derive(Deserialize)]
struct Body {
    access_token: Option<Zeroizing<String>>,
    expires_in: Option<Value>,
    expires_on: Option<Value>,
    refresh_in: Option<Value>,
    token_type: Option<String>,
    error: Option<Value>,
    error_description: Option<Value>,
    /// App Service describes errors with this.
    message: Option<Value>,
    correlation_id: Option<Value>,
    #[serde(rename = "correlationId")]
    correlation_id_camel: Option<Value>,
}

impl Reading<'_> {
    pub(super) fn token(&self, answer: &Answer) -> Result<AccessTokenInfo, IdentityError> {
        let Ok(body) = serde_json::from_slice::<Body>(answer.body()) else {
            return Err(self.no_token(
                &format!(
                    "{} answered with HTTP {} and {}, which is no token answer",
                    self.who(),
                    answer.status,
                    answer.describe_body()
                ),
                "something else than Azure may be answering at that address",
            ));
        };
        let succeeded = (200..300).contains(&answer.status);
        if succeeded && body.access_token.is_some() {
            self.info(answer, body)
        } else {
            Err(self.refusal(answer, &body))
        }
    }

    fn info(&self, answer: &Answer, body: Body) -> Result<AccessTokenInfo, IdentityError> {
        let wrong = |what: &str| {
            self.no_token(
                &format!(
                    "{} answered with HTTP {} and a token {what}",
                    self.who(),
                    answer.status
                ),
                "check the clock of this machine and the host's managed identity service",
            )
        };
        let relative = match &body.expires_in {
            Some(value) => {
                Some(seconds(value).ok_or_else(|| wrong("whose expires_in is no number"))?)
            }
            None => None,
        };
        let absolute = match &body.expires_on {
            Some(value) => Some(
                expires_on(value)
                    .ok_or_else(|| wrong("whose expires_on is neither a number nor a date"))?
                    - self.sent_at,
            ),
            None => None,
        };
        // Where the two disagree, the earlier is the safe one.
        let expires_in = match (relative, absolute) {
            (Some(relative), Some(absolute)) => relative.min(absolute),
            (one, other) => one
                .or(other)
                .ok_or_else(|| wrong("that has neither expires_in nor expires_on"))?,
        };
        if expires_in < 0 {
            return Err(wrong(&format!("that expired {} seconds ago", -expires_in)));
        }
        let refresh_in = body.refresh_in.as_ref().and_then(seconds);
        let lifetime = Lifetime::starting(self.sent_at, expires_in, refresh_in);
        let token = access_token(body.access_token)
            .ok_or_else(|| wrong("that is empty or holds characters that no token can"))?;
        Ok(AccessTokenInfo::with_lifetime(token, lifetime)
            .with_token_type(token_type(body.token_type)))
    }

    fn refusal(&self, answer: &Answer, body: &Body) -> IdentityError {
        let redactor = Redactor::new(self.posted);
        let code = redactor.identifier(body.error.as_ref());
        let description = redactor
            .text(body.error_description.as_ref())
            .or_else(|| redactor.text(body.message.as_ref()))
            .unwrap_or_default();
        let mut what = format!("{} answered with HTTP {}", self.who(), answer.status);
        for part in [
            code.as_deref().unwrap_or_default(),
            description.trim_end_matches(['.', ' ']),
        ] {
            if !part.is_empty() {
                what.push_str(", ");
                what.push_str(part);
            }
        }
        let advice = match answer.status {
            400 => "assign that managed identity to this host, or name one that is assigned",
            401 | 403 => "check that this process may use the host's managed identity",
            _ => "check the host's managed identity service, and try again later",
        };
        self.no_token(&what, advice).with_server(ServerError {
            status: answer.status,
            error: code,
            correlation_id: redactor
                .identifier(body.correlation_id.as_ref())
                .or_else(|| redactor.identifier(body.correlation_id_camel.as_ref())),
            ..ServerError::default()
        })
    }

    /// The host's kind and address, for whoever has to find out what answered there.
    fn who(&self) -> String {
        format!(
            "{} at {}",
            self.host,
            self.endpoint.origin().ascii_serialization()
        )
    }

    fn no_token(&self, what: &str, advice: &str) -> IdentityError {
        IdentityError::unavailable(format!("no token for {}: {what}; {advice}", self.asked))
    }
}
