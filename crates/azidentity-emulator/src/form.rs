//! The parameters of a request.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// Decoded parameters of a form or query. An empty value counts as none, as
/// it does for Entra. `Debug` shows nothing: there are secrets among them.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The first name that occurs twice.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        let mut names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
            .windows(2)
            .find(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").finish_non_exhaustive()
    }
}

/// Whether the body is announced as a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

    use super::{Form, is_form};

    #[test]
    fn values_are_decoded_and_empty_ones_are_none() {
        let form = Form::parse(b"a=1+2%2B3&b=&c=x&c=y&%=%zz");
        assert_eq!(form.get("a"), Some("1 2+3"));
        assert_eq!(form.get("b"), None);
        assert_eq!(form.get("c"), Some("x"));
        assert_eq!(form.duplicate(), Some("c"));
        assert!(!format!("{form:?}").contains('x'));
    }

    #[test]
    fn forms_are_known_by_their_media_type() {
        let with = |value| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        assert!(is_form(&with("application/x-www-form-urlencoded")));
        assert!(is_form(&with(
            "Application/X-WWW-Form-Urlencoded; charset=utf-8"
        )));
        assert!(!is_form(&with("application/json")));
        assert!(!is_form(&HeaderMap::new()));
    }
}
