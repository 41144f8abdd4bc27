//! The shape of the TOML file.

use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use time::{Date, Month, OffsetDateTime, Time};
use toml::Spanned;
use toml::value::{Datetime, Offset};

use super::ConfigError;
use crate::guid::Guid;
use crate::script;
use crate::secret::Secret;
use crate::world::{Roles, TokenVersion};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) https_port: Option<u16>,
    #[serde(default)]
    pub(super) http_port: Option<u16>,
    #[serde(default)]
    pub(super) accept_any_resource: Option<bool>,
    #[serde(default)]
    pub(super) start_time: Option<Moment>,
    #[serde(default, rename = "tenant")]
    pub(super) tenants: Vec<Tenant>,
    #[serde(default, rename = "application")]
    pub(super) applications: Vec<Application>,
    #[serde(default, rename = "resource")]
    pub(super) resources: Vec<Resource>,
    #[serde(default, rename = "managed_identity")]
    pub(super) identities: Vec<Identity>,
    #[serde(default, rename = "user")]
    pub(super) users: Vec<User>,
    pub(super) region: Option<Spanned<String>>,
    #[serde(default, rename = "fault")]
    pub(super) faults: Vec<script::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub(super) id: Spanned<Guid>,
    #[serde(default)]
    pub(super) domains: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) client_id: Spanned<Guid>,
    pub(super) name: Option<String>,
    pub(super) tenant: Option<Spanned<String>>,
    pub(super) object_id: Option<Guid>,
    #[serde(default)]
    pub(super) public: bool,
    pub(super) roles: Option<Spanned<Roles>>,
    #[serde(default, rename = "secret")]
    pub(super) secrets: Vec<ClientSecret>,
    #[serde(default)]
    pub(super) installed_in: Vec<Installation>,
    #[serde(default)]
    pub(super) redirect_uris: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) needs_consent_for: Vec<String>,
    #[serde(default, rename = "certificate")]
    pub(super) certificates: Vec<Spanned<Text>>,
    #[serde(default, rename = "trusted_subject")]
    pub(super) trusted_subjects: Vec<Spanned<TrustedSubject>>,
    #[serde(default, rename = "federated_credential")]
    pub(super) federated: Vec<Spanned<FederatedCredential>>,
}

/// A certificate as text, or where it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    pub(super) pem: Option<String>,
    pub(super) file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustedSubject {
    pub(super) common_name: String,
    pub(super) pem: Option<String>,
    pub(super) file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FederatedCredential {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audience: Option<String>,
    pub(super) keys: Option<String>,
    pub(super) keys_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) username: Spanned<String>,
    pub(super) tenant: Option<Spanned<String>>,
    pub(super) object_id: Option<Guid>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) needs_mfa: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientSecret {
    pub(super) value: Secret,
    pub(super) expires: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Installation {
    pub(super) tenant: Spanned<String>,
    pub(super) object_id: Option<Guid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    pub(super) app_id: Spanned<Guid>,
    #[serde(default)]
    pub(super) identifiers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) token_version: Version,
    #[serde(default)]
    pub(super) app_roles: Vec<String>,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub(super) kind: Spanned<Kind>,
    pub(super) client_id: Spanned<Guid>,
    pub(super) object_id: Option<Guid>,
    pub(super) resource_id: String,
    pub(super) tenant: Option<Spanned<String>>,
    pub(super) roles: Option<Spanned<Roles>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    SystemAssigned,
    UserAssigned,
}

pub(super) struct Version(pub(super) TokenVersion);

impl Default for Version {
    fn default() -> Self {
        Self(TokenVersion::V1)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            1 => Ok(Self(TokenVersion::V1)),
            2 => Ok(Self(TokenVersion::V2)),
            other => Err(D::Error::custom(format!(
                "`{other}` is not a token version: 1 or 2"
            ))),
        }
    }
}

/// A date and time with an offset from UTC: without one it would mean
/// something else on every machine.
pub(super) struct Moment(pub(super) OffsetDateTime);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Datetime::deserialize(deserializer)?;
        moment(&written).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "`{written}` is not a moment such as 2099-01-31T00:00:00Z"
            ))
        })
    }
}

fn moment(written: &Datetime) -> Option<OffsetDateTime> {
    let (date, time) = (written.date?, written.time?);
    let minutes = match written.offset? {
        Offset::Z => 0,
        Offset::Custom { minutes } => i32::from(minutes),
    };
    let date = Date::from_calendar_date(
        i32::from(date.year),
        Month::try_from(date.month).ok()?,
        date.day,
    )
    .ok()?;
    let time = Time::from_hms(time.hour, time.minute, time.second.unwrap_or(0)).ok()?;
    let offset = time::UtcOffset::from_whole_seconds(minutes * 60).ok()?;
    Some(OffsetDateTime::new_in_offset(date, time, offset))
}

/// A file of this shape.
pub(crate) fn read<F: DeserializeOwned>(text: &str) -> Result<F, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, &span));
        ConfigError::new(line, without_values(error.message()))
    })
}

/// The line of a place in the text, counted from 1.
pub(crate) fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes()
        .take(span.start)
        .filter(|&b| b == b'\n')
        .count()
        + 1
}

/// serde quotes a value of the wrong type, and it could be a secret that stands
/// in the wrong place.
fn without_values(message: &str) -> String {
    let wrong_type = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|start| message.starts_with(start));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if wrong_type => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}
