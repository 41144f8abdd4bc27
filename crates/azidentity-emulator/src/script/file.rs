//! Faults in TOML.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use serde::Deserialize;
use toml::{Spanned, Value};

use super::fault::{Delivery, LONGEST, MEBIBYTES, NUMBERS, STATUSES};
use super::path::PathPattern;
use super::reply::{Body, header};
use super::selection::{Endpoint, Place, Selection};
use super::{Fault, Script};
use crate::config::ConfigError;
use entries::Entries;

mod entries;

/// A file that holds a script and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, rename = "fault")]
    pub(super) faults: Vec<Table>,
}

/// One `[[fault]]`, read by hand: serde's messages do not say which key has
/// the wrong value.
pub(crate) type Table = Spanned<BTreeMap<String, Spanned<Value>>>;

const SELECTING: &[&str] = &[
    "endpoint",
    "path",
    "method",
    "grant_type",
    "client_id",
    "resource",
];
const COUNTING: &[&str] = &["skip", "times", "always"];
const ANSWERING: &[&str] = &[
    "status",
    "retry_after",
    "headers",
    "body",
    "json",
    "aadsts",
    "redirect",
];
/// There is an answer, but not as it should be.
const SPOILING: &[&str] = &["truncate", "stall", "oversize_mib"];
/// There is no answer.
const SILENCING: &[&str] = &["garbage", "reset"];

pub(crate) fn assemble(tables: &[Table], text: &str) -> Result<Script, ConfigError> {
    tables.iter().map(|table| fault(table, text)).collect()
}

fn fault(table: &Table, text: &str) -> Result<Fault, ConfigError> {
    let entries = Entries::new(table, text);
    let actions = [&["delay_ms"], ANSWERING, SPOILING, SILENCING].concat();
    entries.refuse_others(&[SELECTING, COUNTING, &actions].concat())?;
    if !actions.iter().any(|key| entries.has(key)) {
        return Err(
            entries.blame("this fault does not say what is to happen, such as `status = 503`")
        );
    }
    check_combination(&entries)?;
    let mut fault = Fault::new(selection(&entries)?);
    if let Some(requests) = entries.number("skip", 0..=u32::MAX.into())? {
        fault.skip = fitting(requests);
    }
    if let Some(requests) = entries.number("times", 1..=u32::MAX.into())? {
        fault.times = Some(fitting(requests));
    }
    if entries.flag("always")? {
        fault.times = None;
    }
    let longest = u64::try_from(LONGEST.as_millis()).unwrap_or(u64::MAX);
    if let Some(delay) = entries.number("delay_ms", 0..=longest)? {
        fault.delay = Duration::from_millis(delay);
    }
    reply(&entries, &mut fault)?;
    fault.delivery = delivery(&entries)?;
    Ok(fault)
}

/// Of some keys only one can be followed.
fn check_combination(entries: &Entries<'_>) -> Result<(), ConfigError> {
    entries.exclude(&["endpoint", "path"])?;
    entries.exclude(&["times", "always"])?;
    entries.exclude(&["aadsts", "redirect"])?;
    entries.exclude(&["aadsts", "body"])?;
    entries.exclude(&["json", "body"])?;
    entries.exclude(&[SPOILING, SILENCING].concat())?;
    for silence in SILENCING {
        for answer in ANSWERING {
            entries.exclude(&[answer, silence])?;
        }
    }
    Ok(())
}

fn selection(entries: &Entries<'_>) -> Result<Selection, ConfigError> {
    let place = if let Some(name) = entries.string("endpoint")? {
        Place::Endpoint(Endpoint::named(name).ok_or_else(|| {
            let known: Vec<_> = Endpoint::names().collect();
            entries.refuse("endpoint", &format!("one of {}", known.join(", ")))
        })?)
    } else if let Some(pattern) = entries.string("path")? {
        Place::Path(PathPattern::new(pattern))
    } else {
        Place::Anywhere
    };
    let condition = |key| Ok(entries.string(key)?.map(str::to_owned));
    let mut when = Selection::at(place);
    when.method = condition("method")?;
    when.grant_type = condition("grant_type")?;
    when.client_id = condition("client_id")?;
    when.resource = condition("resource")?;
    Ok(when)
}

fn reply(entries: &Entries<'_>, fault: &mut Fault) -> Result<(), ConfigError> {
    if let Some(status) = entries.number("status", STATUSES)? {
        let status = u16::try_from(status).ok();
        fault.reply.status = status.and_then(|status| StatusCode::from_u16(status).ok());
    }
    if let Some(number) = entries.number("aadsts", NUMBERS)? {
        fault.reply.aadsts = Some(fitting(number));
    }
    if let Some(text) = entries.string("body")? {
        fault.reply.body = Some(Body::Text(text.to_owned()));
    }
    if let Some(value) = entries.get("json") {
        if entries.has("aadsts") && !value.is_table() {
            return Err(entries.refuse("json", "a table of fields for the error"));
        }
        let value = json(value).ok_or_else(|| entries.refuse("json", "what JSON can hold"))?;
        fault.reply.body = Some(Body::Json(value));
    }
    let mut set = |key, name: &str, value: &str| {
        let (name, value) = header(name, value).map_err(|what| entries.error(key, &what))?;
        fault.reply.headers.append(name, value);
        Ok(())
    };
    if let Some(location) = entries.string("redirect")? {
        set("redirect", LOCATION.as_str(), location)?;
    }
    match entries.get("retry_after") {
        None => {}
        Some(Value::Integer(seconds)) if *seconds >= 0 => {
            set("retry_after", RETRY_AFTER.as_str(), &seconds.to_string())?;
        }
        Some(Value::String(text)) => set("retry_after", RETRY_AFTER.as_str(), text)?,
        Some(_) => return Err(entries.refuse("retry_after", "a number of seconds or a text")),
    }
    if let Some(headers) = entries.get("headers") {
        let wrong = || entries.refuse("headers", "a table of texts");
        for (name, value) in headers.as_table().ok_or_else(wrong)? {
            set("headers", name, value.as_str().ok_or_else(wrong)?)?;
        }
    }
    if entries.has("redirect") {
        fault.reply.status.get_or_insert(StatusCode::FOUND);
    }
    Ok(())
}

fn delivery(entries: &Entries<'_>) -> Result<Delivery, ConfigError> {
    if let Some(after) = entries.number("truncate", 0..=u32::MAX.into())? {
        return Ok(Delivery::Truncated(
            usize::try_from(after).unwrap_or(usize::MAX),
        ));
    }
    if let Some(size) = entries.number("oversize_mib", MEBIBYTES)? {
        return Ok(Delivery::Oversized(size));
    }
    for (key, delivery) in [
        ("stall", Delivery::Stalled),
        ("garbage", Delivery::Garbage),
        ("reset", Delivery::Reset),
    ] {
        if entries.flag(key)? {
            return Ok(delivery);
        }
    }
    Ok(Delivery::Whole)
}

/// A number that was found to be small enough.
fn fitting(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The value as JSON, in which a date is text. `None` if a number is infinite
/// or none.
fn json(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => serde_json::Number::from_f64(*number)?.into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Datetime(moment) => moment.to_string().into(),
        Value::Array(items) => items.iter().map(json).collect::<Option<_>>()?,
        Value::Table(table) => {
            let fields = table
                .iter()
                .map(|(name, value)| Some((name.clone(), json(value)?)));
            serde_json::Value::Object(fields.collect::<Option<_>>()?)
        }
    })
}
