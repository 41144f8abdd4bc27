//! A pipeline per credential over transports that are shared, made at the first request, and guarded.

mod fault;
mod guard;
#[cfg(all(feature = "reqwest", feature = "tokio"))]
mod options;
#[cfg(all(feature = "reqwest_no_tls", feature = "tokio"))]
mod pools;
mod retry;
mod token_proxy;
mod transport;
mod user_agent;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use azure_core::http::{
    ClientOptions, Context, Pipeline, PipelineSendOptions, RawResponse, Request, RetryOptions,
    Transport,
};

use crate::{Environment, IdentityError};

use guard::{Guard, Posted};
use transport::Way;
use user_agent::UserAgentSuffix;

#[cfg(all(feature = "reqwest", feature = "tokio"))]
pub use options::TransportOptions;

pub use token_proxy::{TokenProxyClient, TokenProxyClientOptions};

pub(crate) use retry::RetryRules;
pub(crate) use token_proxy::transport as token_proxy_transport;
pub(crate) use transport::Destination;

/// How long one request may take from the first byte to the last, connecting included.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// The longest answer that is read, in bytes.
pub(crate) const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// The types of content that messages name.
const KNOWN_TYPES: &[&str] = &[
    "application/json",
    "application/octet-stream",
    "application/xml",
    "text/html",
    "text/plain",
    "text/xml",
];

/// `azure_core` panics on a longer application id.
const LONGEST_APPLICATION_ID: usize = 24;

/// Sends the requests of one credential: the caller's policies, the retries, the guarded transport.
pub(crate) struct HttpPipeline {
    /// Made at the first request: most credentials of a chain never send one.
    pipeline: OnceLock<Pipeline>,
    /// The same without any retries.
    single: OnceLock<Pipeline>,
    options: ClientOptions,
    destination: Destination,
    /// `None` when the caller chose retries of its own.
    rules: Option<RetryRules>,
    environment: Environment,
}

/// What a server answered, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    raw: RawResponse,
}

impl Answer {
    pub(crate) fn body(&self) -> &[u8] {
        self.raw.body()
    }

    pub(crate) fn header(&self, name: &'static str) -> Option<&str> {
        self.raw.headers().get_optional_str(&name.into())
    }

    /// What kind of content the body is, for messages: the body itself may hold a token and is never quoted.
    pub(crate) fn describe_body(&self) -> String {
        let length = self.body().len();
        match self.header("content-type") {
            _ if length == 0 => "an empty body".into(),
            Some(stated) => {
                // Foreign text is not repeated, whatever header it comes in.
                let media_type = stated.split(';').next().unwrap_or_default().trim();
                let known = KNOWN_TYPES
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(media_type));
                format!("{length} bytes of {}", known.unwrap_or(&"another type"))
            }
            None => format!("{length} bytes of no stated type"),
        }
    }
}

impl HttpPipeline {
    /// Checks what `azure_core` would panic about; makes nothing yet.
    pub(crate) fn new(
        options: ClientOptions,
        destination: Destination,
        rules: RetryRules,
        environment: Environment,
    ) -> Result<Self, IdentityError> {
        if let Some(id) = &options.user_agent.application_id {
            check_application_id(id)?;
        }
        // The options don't say whether they were set; their text does.
        let untouched = format!("{:?}", options.retry) == format!("{:?}", RetryOptions::default());
        Ok(Self {
            pipeline: OnceLock::new(),
            single: OnceLock::new(),
            options,
            destination,
            rules: untouched.then_some(rules),
            environment,
        })
    }

    /// Sends `request`, again and again as the retry rules say, and reads the answer, whatever its status. Of `posted`,
    /// the secrets in the request, nothing is left in the answer's headers, which policies log.
    pub(crate) async fn send(
        &self,
        request: &Request,
        context: &Context<'_>,
        posted: &[&str],
    ) -> Result<Answer, IdentityError> {
        let context = &context.to_borrowed().with_value(Posted::new(posted));
        let (result, tries) = match self.rules {
            Some(rules) => {
                rules
                    .run(&self.environment, || self.send_once(request, context))
                    .await
            }
            None => (self.send_once(request, context).await, 1),
        };
        result.map_err(|error| {
            let error = typed(&error);
            if tries > 1 {
                error.adding(&format!(" (tried {tries} times)"))
            } else {
                error
            }
        })
    }

    /// One try, whatever retries the caller has chosen: for probes and for what must not arrive twice.
    pub(crate) async fn send_single(
        &self,
        request: &Request,
        context: &Context<'_>,
        posted: &[&str],
    ) -> Result<Answer, IdentityError> {
        let context = &context.to_borrowed().with_value(Posted::new(posted));
        let pipeline = self
            .single
            .get_or_init(|| self.make_pipeline(RetryOptions::none()));
        send_through(pipeline, request, context)
            .await
            .map_err(|error| typed(&error))
    }

    async fn send_once(
        &self,
        request: &Request,
        context: &Context<'_>,
    ) -> azure_core::Result<Answer> {
        let pipeline = self.pipeline.get_or_init(|| {
            self.make_pipeline(match self.rules {
                Some(_) => RetryOptions::none(),
                None => self.options.retry.clone(),
            })
        });
        send_through(pipeline, request, context).await
    }

    fn make_pipeline(&self, retry: RetryOptions) -> Pipeline {
        let mut options = self.options.clone();
        options.retry = retry;
        let way = match options.transport.take() {
            Some(transport) => Way::Callers(transport),
            None => Way::shared(self.destination),
        };
        let guard = Guard::new(way, self.environment.clone());
        options.transport = Some(Transport::with_policy(Arc::new(guard)));
        Pipeline::new(
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
            options,
            Vec::new(),
            UserAgentSuffix::of(&self.environment),
            None,
        )
    }
}

async fn send_through(
    pipeline: &Pipeline,
    request: &Request,
    context: &Context<'_>,
) -> azure_core::Result<Answer> {
    let options = PipelineSendOptions {
        skip_checks: true,
        ..Default::default()
    };
    let raw = pipeline
        .send(context, &mut request.clone(), Some(options))
        .await?;
    Ok(Answer {
        status: raw.status().into(),
        raw,
    })
}

/// Our own error, as the guard made it; or the words of a policy of the caller's.
fn typed(error: &azure_core::Error) -> IdentityError {
    IdentityError::find(error).cloned().unwrap_or_else(|| {
        IdentityError::transport(format!("the request could not be sent: {error}"))
    })
}

/// `azure_core` takes at most 24 characters of those that [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)
/// allows in a token, and panics otherwise.
fn check_application_id(id: &str) -> Result<(), IdentityError> {
    let fits = id.len() <= LONGEST_APPLICATION_ID
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if fits {
        return Ok(());
    }
    Err(IdentityError::configuration(format!(
        "the application id {id:?} for the user agent must be at most {LONGEST_APPLICATION_ID} characters long and \
         made of letters, digits and !#$%&'*+-.^_`|~ only"
    )))
}
