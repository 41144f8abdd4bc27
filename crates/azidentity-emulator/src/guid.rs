//! GUIDs as this crate keeps them: text in lower case with hyphens.

use ring::digest;
use serde::de::{Deserialize, Deserializer, Error as _};
use uuid::{Builder, Uuid};

/// Reads the hyphenated form in either letter case, and only that one.
pub(crate) fn parse(text: &str) -> Option<String> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())?
        .map(|id| id.to_string())
}

pub(crate) fn random() -> String {
    Uuid::new_v4().to_string()
}

/// A GUID that depends on nothing but its parts, so that an id nobody wrote
/// down is the same after a restart.
pub(crate) fn derived(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&context.finish().as_ref()[..16]);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// A GUID in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Guid(pub(crate) String);

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is not a GUID such as 00000000-0000-0000-0000-000000000000"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{derived, parse};

    #[test]
    fn only_the_hyphenated_form_is_a_guid() {
        let id = "7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31";
        assert_eq!(parse(&id.to_uppercase()).as_deref(), Some(id));
        for text in [
            "",
            "7d3b9f60",
            "{7d3b9f60-1c52-4e8b-b1a4-90c6f2e57a31}",
            "7d3b9f601c524e8bb1a490c6f2e57a31",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn derived_guids_depend_on_each_part() {
        assert_eq!(derived(&["a", "b"]), derived(&["a", "b"]));
        assert_ne!(derived(&["a", "b"]), derived(&["ab", ""]));
        assert!(parse(&derived(&["a"])).is_some());
    }
}
