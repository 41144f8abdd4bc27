//! The `claims` parameter (`OpenID` Connect Core 1.0, section 5.5).

use serde_json::Value;

use crate::entra_error::EntraError;

/// Claims a client asks for, checked for their form.
#[derive(Debug, Default)]
pub(crate) struct RequestedClaims(Value);

impl RequestedClaims {
    /// Reads the parameter, which may be absent.
    pub(crate) fn parse(parameter: Option<&str>) -> Result<Self, EntraError> {
        let Some(text) = parameter else {
            return Ok(Self::default());
        };
        match serde_json::from_str(text) {
            Ok(claims @ Value::Object(_)) => Ok(Self(claims)),
            _ => Err(EntraError::new(
                9_002_313,
                "The parameter 'claims' is malformed: it has to be a JSON object.",
            )),
        }
    }

    /// Whether the client declares that it handles claims challenges. MSAL for
    /// Node spells the value in lower case.
    pub(crate) fn handles_challenges(&self) -> bool {
        let declared = self
            .0
            .pointer("/access_token/xms_cc/values")
            .and_then(Value::as_array);
        declared.into_iter().flatten().any(|value| {
            value
                .as_str()
                .is_some_and(|v| v.eq_ignore_ascii_case("cp1"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RequestedClaims;

    #[test]
    fn capabilities_are_read_in_either_letter_case() {
        for (claims, expected) in [
            (r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#, true),
            (
                r#"{"access_token":{"nbf":{"essential":true},"xms_cc":{"values":["x","cp1"]}}}"#,
                true,
            ),
            (r#"{"access_token":{"xms_cc":{"values":["CP2"]}}}"#, false),
            (r#"{"access_token":{"xms_cc":null}}"#, false),
            (r#"{"id_token":{"login_hint":{"essential":false}}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(
                RequestedClaims::parse(Some(claims))
                    .unwrap()
                    .handles_challenges(),
                expected,
                "{claims}"
            );
        }
        assert!(!RequestedClaims::parse(None).unwrap().handles_challenges());
    }

    #[test]
    fn anything_but_an_object_is_malformed() {
        let deep = "[".repeat(10_000);
        for claims in ["{", "[]", "null", "\"CP1\"", "{} {}", deep.as_str()] {
            assert!(
                RequestedClaims::parse(Some(claims)).is_err(),
                "{claims:.20}"
            );
        }
    }
}
