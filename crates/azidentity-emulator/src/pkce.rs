//! Proof key for code exchange (RFC 7636).

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;

use crate::entra_error::EntraError;
use crate::jwt;

/// What a client commits to when it asks for a code.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    hashed: bool,
    value: String,
}

impl Challenge {
    pub(crate) fn parse(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, EntraError> {
        let hashed = match method {
            Some("S256") => true,
            Some("plain") | None => false,
            Some(_) => {
                return Err(EntraError::new(
                    9_002_313,
                    "The parameter 'code_challenge_method' has to be S256 or plain.",
                ));
            }
        };
        let Some(value) = challenge else {
            return match method {
                None => Ok(None),
                Some(_) => Err(EntraError::missing("code_challenge")),
            };
        };
        if !is_well_formed(value) {
            return Err(EntraError::new(
                501_491,
                "The parameter 'code_challenge' has to have 43 to 128 characters, letters, digits and -._~ only.",
            ));
        }
        Ok(Some(Self {
            hashed,
            value: value.to_owned(),
        }))
    }

    /// Whether the verifier is the one that was committed to.
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        let shown = if self.hashed {
            jwt::encode(digest(&SHA256, verifier.as_bytes()))
        } else {
            verifier.to_owned()
        };
        is_well_formed(verifier) && shown.as_bytes().ct_eq(self.value.as_bytes()).into()
    }
}

/// RFC 7636, sections 4.1 and 4.2.
fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn parse(challenge: &str, method: Option<&str>) -> Challenge {
        Challenge::parse(Some(challenge), method).unwrap().unwrap()
    }

    #[test]
    fn the_example_of_the_standard_holds() {
        let hashed = parse(CHALLENGE, Some("S256"));
        assert!(hashed.is_met_by(VERIFIER));
        assert!(!hashed.is_met_by(CHALLENGE));
        let plain = parse(VERIFIER, None);
        assert!(plain.is_met_by(VERIFIER));
        assert!(!plain.is_met_by(CHALLENGE));
    }

    #[test]
    fn what_is_no_challenge_is_refused() {
        assert!(Challenge::parse(None, None).unwrap().is_none());
        for (challenge, method) in [
            (None, Some("S256")),
            (Some(CHALLENGE), Some("s256")),
            (Some("short"), Some("S256")),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"),
                Some("S256"),
            ),
        ] {
            assert!(Challenge::parse(challenge, method).is_err());
        }
    }
}
