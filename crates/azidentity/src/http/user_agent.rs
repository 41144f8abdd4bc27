//! What the environment adds to the user agent.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::{
    Context, Request,
    headers::USER_AGENT,
    policies::{Policy, PolicyResult},
};
use tracing::warn;

use crate::Environment;

/// Text that is appended to the user agent of every request.
const VARIABLE: &str = "AZURE_HTTP_USER_AGENT";

/// Appends a text to the user agent that `azure_core` has set.
#[derive(Debug)]
pub(super) struct UserAgentSuffix(String);

impl UserAgentSuffix {
    /// The policy that the environment asks for, if it does.
    pub(super) fn of(environment: &Environment) -> Vec<Arc<dyn Policy>> {
        let Some(text) = environment.variable(VARIABLE) else {
            return Vec::new();
        };
        if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            warn!(
                "the variable {VARIABLE} is ignored: it holds characters that no HTTP header can carry"
            );
            return Vec::new();
        }
        vec![Arc::new(Self(format!(" {}", text.trim())))]
    }
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and its macro tells the two forms apart"
)]
#[async_trait]
impl Policy for UserAgentSuffix {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let agent = request
            .headers()
            .get_optional_string(&USER_AGENT)
            .unwrap_or_default();
        // A retry of the caller's sends the same request again.
        if !agent.ends_with(&self.0) {
            request.insert_header(USER_AGENT, agent + &self.0);
        }
        let Some((following, rest)) = next.split_first() else {
            return Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "the pipeline ends before its transport",
            ));
        };
        following.send(context, request, rest).await
    }
}
