//! Text that must never be shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::de::{Deserialize, Deserializer, Error as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret: `Debug` prints nothing of it, comparing takes the same time
/// whatever the difference, and the memory is wiped on drop.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// `bytes` bytes from the operating system's generator, in base64url.
    pub(crate) fn random(bytes: usize) -> Result<Self, ring::error::Unspecified> {
        let mut raw = Zeroizing::new(vec![0; bytes]);
        SystemRandom::new().fill(&mut raw)?;
        Ok(Self::new(URL_SAFE_NO_PAD.encode(&*raw)))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn matches(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    // Not derived: serde's own message for a wrong type quotes what it found.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) if !text.is_empty() => Ok(Self::new(text)),
            toml::Value::String(_) => Err(D::Error::custom("a secret must not be empty")),
            _ => Err(D::Error::custom("a secret must be a string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "[secret]");
    }

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("hunter2");
        assert!(secret.matches("hunter2"));
        for other in ["", "hunter", "hunter22", "Hunter2"] {
            assert!(!secret.matches(other), "{other}");
        }
    }

    #[test]
    fn random_secrets_differ() {
        let one = Secret::random(24).unwrap();
        let two = Secret::random(24).unwrap();
        assert_eq!(one.expose().len(), 32);
        assert!(!one.matches(two.expose()));
    }
}
