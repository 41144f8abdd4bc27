//! Assertions of a service account on Google Cloud
//! ([documentation](https://cloud.google.com/compute/docs/instances/verifying-instance-identity#request_signature)).

use async_trait::async_trait;
use azure_core::http::{Method, Request, Url};

use crate::{
    Environment, FailureKind, IdentityError,
    entra::{AssertionSource, Audience},
    http::HttpPipeline,
    secret::SecretText,
    token::TokenRequest,
};

use super::{assertion, tidy};

/// Moves the metadata server elsewhere; read by Google's own libraries.
const HOST_VARIABLE: &str = "GCE_METADATA_HOST";

const HOST: &str = "metadata.google.internal";
const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// In the request it shows that no browser was tricked into sending it, in the answer that the server is the real one.
const FLAVOR: &str = "metadata-flavor";

pub(super) struct GoogleCloud {
    url: Url,
    http: HttpPipeline,
}

impl GoogleCloud {
    /// `http` must go through no proxy.
    pub(super) fn new(
        audience: &str,
        http: HttpPipeline,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        let moved = environment.variable(HOST_VARIABLE);
        let host = moved.as_deref().unwrap_or(HOST).trim();
        let mut url = Url::parse(&format!("http://{host}{PATH}"))
            .ok()
            .filter(|url| url.path() == PATH && url.username().is_empty())
            .ok_or_else(|| {
                IdentityError::configuration(format!(
                    "the variable {HOST_VARIABLE} holds no host name; write HOST or HOST:PORT, or unset it"
                ))
            })?;
        url.query_pairs_mut()
            .append_pair("audience", audience)
            .append_pair("format", "full");
        Ok(Self { url, http })
    }

    fn not_there(&self, what: &str) -> IdentityError {
        IdentityError::unavailable(format!(
            "there is no assertion of Google Cloud: the metadata server {} {what}; this works on Google Cloud's own \
             machines and containers that have a service account",
            self.url.origin().ascii_serialization()
        ))
    }
}

#[async_trait]
impl AssertionSource for GoogleCloud {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        let mut get = Request::new(self.url.clone(), Method::Get);
        get.insert_header(FLAVOR, "Google");
        let answer =
            self.http
                .send(&get, &request.context, &[])
                .await
                .map_err(|error| match error.kind() {
                    FailureKind::Transport => {
                        self.not_there(&format!("could not be asked ({})", error.message()))
                    }
                    _ => error,
                })?;
        let is_real = answer
            .header(FLAVOR)
            .is_some_and(|flavor| flavor.trim().eq_ignore_ascii_case("Google"));
        if !is_real {
            return Err(self.not_there(&format!(
                "is somebody else's (HTTP {}, no header Metadata-Flavor: Google)",
                answer.status
            )));
        }
        match answer.status {
            200 => {}
            404 => return Err(self.not_there("knows no service account here (HTTP 404)")),
            status => {
                return Err(IdentityError::authentication_failed(format!(
                    "the metadata server of Google Cloud gave no assertion: it answered with HTTP {status} and {}; \
                     check that this machine's service account may be used",
                    answer.describe_body()
                )));
            }
        }
        let text = tidy(answer.body()).unwrap_or_default();
        assertion(text, "the metadata server of Google Cloud")
    }
}
