//! The `claims` parameter (`OpenID` Connect Core 1.0, section 5.5).

use serde_json::Value;

use crate::entra_error::EntraError;

/// Claims a client asks for, checked for their form.
#[derive(Clone, Debug, Default)]
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

    /// The moment before which the token must not have been issued, in seconds
    /// since 1970: what a challenge of continuous access evaluation demands.
    /// <https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation>
    pub(crate) fn not_before(&self) -> Option<u64> {
        let value = self.essential("nbf")?.get("value")?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The authentication contexts that the token has to have (`acrs`).
    /// <https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context>
    pub(crate) fn contexts(&self) -> Vec<&str> {
        let Some(asked) = self.essential("acrs") else {
            return Vec::new();
        };
        let several = asked.get("values").and_then(Value::as_array);
        let values = several.into_iter().flatten().chain(asked.get("value"));
        values.filter_map(Value::as_str).collect()
    }

    fn essential(&self, claim: &str) -> Option<&Value> {
        let asked = self.0.get("access_token")?.get(claim)?;
        (asked.get("essential") == Some(&Value::Bool(true))).then_some(asked)
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
    fn only_essential_claims_are_binding() {
        let parse = |claims: &str| RequestedClaims::parse(Some(claims)).unwrap();
        let asked = parse(
            r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"},
                "acrs":{"essential":true,"values":["c1","c2"]}}}"#,
        );
        assert_eq!(asked.not_before(), Some(1_604_106_651));
        assert_eq!(asked.contexts(), ["c1", "c2"]);
        let asked = parse(r#"{"access_token":{"nbf":{"value":"1"},"acrs":{"value":"c1"}}}"#);
        assert_eq!((asked.not_before(), asked.contexts().len()), (None, 0));
        let asked = parse(r#"{"access_token":{"nbf":5,"acrs":{"essential":true,"value":"c3"}}}"#);
        assert_eq!((asked.not_before(), asked.contexts()), (None, vec!["c3"]));
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
