//! How the answer gets from the browser to the application.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;
use url::form_urlencoded::Serializer;

use super::page;
use crate::entra_error::EntraError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    Fragment,
    FormPost,
}

impl Mode {
    /// A code comes in the query when nothing else is asked for.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, EntraError> {
        match text {
            None | Some("query") => Ok(Self::Query),
            Some("fragment") => Ok(Self::Fragment),
            Some("form_post") => Ok(Self::FormPost),
            Some(_) => Err(EntraError::new(
                70007,
                "The parameter 'response_mode' has to be query, fragment or form_post.",
            )),
        }
    }
}

pub(super) struct Reply<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) mode: Mode,
    pub(super) state: Option<&'a str>,
}

impl Reply<'_> {
    pub(super) fn send(&self, fields: &[(&str, String)]) -> Response {
        let mut all: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        all.extend(self.state.map(|state| ("state", state)));
        let encoded = || Serializer::new(String::new()).extend_pairs(&all).finish();
        let Ok(mut url) = Url::parse(self.redirect_uri) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        match self.mode {
            Mode::FormPost => return page::form(self.redirect_uri, &all),
            Mode::Query => {
                url.query_pairs_mut().extend_pairs(&all);
            }
            Mode::Fragment => url.set_fragment(Some(&encoded())),
        }
        let Ok(location) = HeaderValue::from_str(url.as_str()) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let headers = [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (StatusCode::FOUND, headers).into_response()
    }
}
