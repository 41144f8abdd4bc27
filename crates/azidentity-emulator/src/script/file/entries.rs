//! Keys and values of one table, and what to say when one is wrong.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use toml::{Spanned, Value};

use super::Table;
use crate::config::{self, ConfigError};

pub(super) struct Entries<'a> {
    values: &'a BTreeMap<String, Spanned<Value>>,
    /// Where the table begins.
    start: Range<usize>,
    /// The whole file.
    text: &'a str,
}

impl<'a> Entries<'a> {
    pub(super) fn new(table: &'a Table, text: &'a str) -> Self {
        Self {
            values: table.get_ref(),
            start: table.span(),
            text,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.values.get(key).map(Spanned::get_ref)
    }

    /// Whether the key says anything: `false` is the same as leaving it out.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| *value != Value::Boolean(false))
    }

    pub(super) fn number(
        &self,
        key: &str,
        allowed: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let number = value.as_integer().and_then(|n| u64::try_from(n).ok());
        let (least, most) = (allowed.start(), allowed.end());
        number
            .filter(|number| allowed.contains(number))
            .map(Some)
            .ok_or_else(|| self.refuse(key, &format!("a whole number from {least} to {most}")))
    }

    /// A text. An empty one would be a condition that nothing fulfils, or an
    /// answer that says nothing.
    pub(super) fn string(&self, key: &str) -> Result<Option<&'a str>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(self.refuse(key, "a text with something in it")),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(_) => Err(self.refuse(key, "true or false")),
        }
    }

    pub(super) fn refuse_others(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self
            .values
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            None => Ok(()),
            Some(key) => Err(self.error(
                key,
                &format!("no such key, expected one of {}", known.join(", ")),
            )),
        }
    }

    /// Refuses the later one of two keys from this list.
    pub(super) fn exclude(&self, keys: &[&str]) -> Result<(), ConfigError> {
        let mut given: Vec<_> = keys.iter().filter(|key| self.has(key)).collect();
        given.sort_by_key(|key| self.place(key).start);
        match given[..] {
            [first, second, ..] => {
                Err(self.error(second, &format!("cannot be together with `{first}`")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn refuse(&self, key: &str, expected: &str) -> ConfigError {
        const SHOWN: usize = 60;
        let value = self.get(key).map(Value::to_string).unwrap_or_default();
        let value: String = value.chars().take(SHOWN).collect();
        self.error(key, &format!("`{value}` is not {expected}"))
    }

    pub(super) fn error(&self, key: &str, what: &str) -> ConfigError {
        self.at(&self.place(key), format!("`{key}`: {what}"))
    }

    /// An error of the table as a whole.
    pub(super) fn blame(&self, what: &str) -> ConfigError {
        self.at(&self.start, what.to_owned())
    }

    fn place(&self, key: &str) -> Range<usize> {
        self.values
            .get(key)
            .map_or_else(|| self.start.clone(), Spanned::span)
    }

    fn at(&self, place: &Range<usize>, message: String) -> ConfigError {
        ConfigError::new(Some(config::line_of(self.text, place)), message)
    }
}
