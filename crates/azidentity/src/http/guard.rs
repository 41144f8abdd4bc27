//! What stands around every transport, the caller's too: a limit of size and time, and errors that say what to do.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{
        AsyncRawResponse, Context, Request,
        headers::Headers,
        policies::{Policy, PolicyResult},
    },
};
use futures::StreamExt;

use crate::{
    Environment, IdentityError,
    secret::{Redactor, SecretText},
};

use super::{LONGEST_ANSWER, REQUEST_LIMIT, fault, transport::Way};

/// The secrets in a request, on their way through the context.
pub(super) struct Posted(Vec<SecretText>);

impl Posted {
    pub(super) fn new(secrets: &[&str]) -> Self {
        Self(
            secrets
                .iter()
                .map(|&secret| SecretText::new(secret))
                .collect(),
        )
    }

    /// The headers of an answer without what was posted: `azure_core` logs some of them as they are.
    fn cut_from(&self, headers: Headers) -> Headers {
        let redactor = Redactor::new(self.0.iter().map(SecretText::expose));
        let mut cut = Headers::new();
        for (name, value) in headers {
            let cleaned = redactor.clean(value.as_str());
            cut.insert(name, cleaned);
        }
        cut
    }
}

/// The last policy of a pipeline.
#[derive(Debug)]
pub(super) struct Guard {
    way: Way,
    environment: Environment,
}

impl Guard {
    pub(super) fn new(way: Way, environment: Environment) -> Self {
        Self { way, environment }
    }

    async fn exchange(&self, context: &Context<'_>, request: &mut Request) -> PolicyResult {
        let transport = self.way.transport().map_err(final_error)?;
        let response = transport
            .send(context, request)
            .await
            .map_err(|error| fault::classify(error, request.url()))?;

        let (status, mut headers, mut body) = response.deconstruct();
        if let Some(posted) = context.value::<Posted>() {
            headers = posted.cut_from(headers);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| fault::classify(error, request.url()))?;
            if bytes.len() + chunk.len() > LONGEST_ANSWER {
                return Err(final_error(IdentityError::authentication_failed(format!(
                    "{} answered with more than {} MiB, far beyond any token answer; check that the address is right",
                    fault::origin(request.url()),
                    LONGEST_ANSWER / (1024 * 1024),
                ))));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(AsyncRawResponse::from_bytes(status, headers, bytes))
    }
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and its macro tells the two forms apart"
)]
#[async_trait]
impl Policy for Guard {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        _next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let url = request.url().clone();
        let exchange = self.exchange(context, request);
        match self.environment.within(REQUEST_LIMIT, exchange).await {
            Some(result) => result,
            None => Err(azure_core::Error::new(
                ErrorKind::Io,
                IdentityError::transport(format!(
                    "{} did not finish its answer within {} seconds; check the network and any proxy in between",
                    fault::origin(&url),
                    REQUEST_LIMIT.as_secs(),
                )),
            )),
        }
    }
}

/// An error that no retry policy repeats.
pub(super) fn final_error(error: IdentityError) -> azure_core::Error {
    azure_core::Error::new(ErrorKind::Other, error)
}
