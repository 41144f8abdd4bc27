//! Regional token endpoints: an application inside Azure can ask the one of its region, so that a region that is cut off
//! still has tokens. Only for applications in their own name.

use std::time::Duration;

use async_lock::OnceCell;
use azure_core::http::{ClientOptions, Context, Method, Request, Url};
use serde::Deserialize;
use tracing::{debug, warn};

use crate::{
    Environment, IdentityError,
    http::{Destination, HttpPipeline, RetryRules},
};

/// Names the region, or has it found out.
const REGION_VARIABLE: &str = "AZURE_REGIONAL_AUTHORITY_NAME";

/// The same for all libraries that are built on MSAL.
const MSAL_VARIABLE: &str = "MSAL_FORCE_REGION";

/// What Azure's hosts say about where they are.
const HOST_REGION_VARIABLE: &str = "REGION_NAME";

/// Values of [`REGION_VARIABLE`] that have the region found out.
const DETECT: [&str; 2] = ["tryautodetect", "true"];

/// Where the instance metadata service says what machine this is.
const PATH: &str = "/metadata/instance/compute?api-version=2021-02-01";

/// How long the metadata service may take. It is on this machine or not at all.
const LIMIT: Duration = Duration::from_secs(1);

/// Which region's endpoint an application asks.
pub(super) enum Region {
    /// The central one.
    None,
    /// By this variable.
    Named(String, &'static str),
    Detected(Box<Detection>),
}

impl Region {
    /// What the variables say. Both are the same setting; the more specific one comes first.
    pub(super) fn configured(
        environment: &Environment,
        metadata: &ClientOptions,
    ) -> Result<Self, IdentityError> {
        if let Some(value) = environment.variable(REGION_VARIABLE) {
            if DETECT.contains(&value.trim().to_ascii_lowercase().as_str()) {
                return Ok(Self::Detected(Box::new(Detection::new(
                    environment,
                    metadata,
                )?)));
            }
            return Ok(Self::Named(
                checked(&value, REGION_VARIABLE)?,
                REGION_VARIABLE,
            ));
        }
        match environment.variable(MSAL_VARIABLE) {
            Some(value) => Ok(Self::Named(checked(&value, MSAL_VARIABLE)?, MSAL_VARIABLE)),
            None => Ok(Self::None),
        }
    }

    /// The region to ask; `None` for the central endpoint, also where it could not be found out.
    pub(super) async fn name(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Named(region, _) => Some(region),
            Self::Detected(detection) => detection.region().await,
        }
    }

    /// The variable that has a regional endpoint asked, for messages: nobody has typed the host's name.
    pub(super) fn variable(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Named(_, variable) => Some(variable),
            Self::Detected(_) => Some(REGION_VARIABLE),
        }
    }
}

/// Finds out where this runs, and remembers it. That it could not be found out is not remembered: a machine may be slow to
/// start.
pub(super) struct Detection {
    found: OnceCell<String>,
    endpoint: Url,
    http: HttpPipeline,
    environment: Environment,
}

#[derive(Deserialize)]
struct Compute {
    location: String,
}

impl Detection {
    fn new(environment: &Environment, metadata: &ClientOptions) -> Result<Self, IdentityError> {
        let host = crate::managed_identity::imds_host(environment);
        let endpoint = Url::parse(&format!("{host}{PATH}")).map_err(|_| {
            IdentityError::configuration(format!(
                "the address of the instance metadata service is {host:?}, which is no URL"
            ))
        })?;
        Ok(Self {
            found: OnceCell::new(),
            endpoint,
            // Not the authority's transport, which may lead through a proxy.
            http: HttpPipeline::new(
                metadata.clone(),
                Destination::Metadata,
                RetryRules::STANDARD,
                environment.clone(),
            )?,
            environment: environment.clone(),
        })
    }

    async fn region(&self) -> Option<&str> {
        let found = self
            .found
            .get_or_try_init(|| async { self.look().await.ok_or(()) })
            .await;
        found.ok().map(String::as_str)
    }

    async fn look(&self) -> Option<String> {
        let region = match self.environment.variable(HOST_REGION_VARIABLE) {
            Some(value) => match checked(&value, HOST_REGION_VARIABLE) {
                Ok(region) => Some(region),
                Err(error) => {
                    warn!(%error, "the central token endpoint is asked instead of a regional one");
                    return None;
                }
            },
            None => self.ask_metadata().await,
        };
        debug!(region, "looked for the region that this runs in");
        region
    }

    async fn ask_metadata(&self) -> Option<String> {
        let mut get = Request::new(self.endpoint.clone(), Method::Get);
        get.insert_header("metadata", "true");
        let context = Context::new();
        let asked = self.http.send_single(&get, &context, &[]);
        let answer = self.environment.within(LIMIT, asked).await?.ok()?;
        if answer.status != 200 {
            return None;
        }
        let compute: Compute = serde_json::from_slice(answer.body()).ok()?;
        let region = compute.location.to_ascii_lowercase();
        is_region(&region).then_some(region)
    }
}

/// A region becomes part of a host name, so it has to be one label of that.
fn is_region(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}

fn checked(value: &str, variable: &str) -> Result<String, IdentityError> {
    let region = value.trim();
    if is_region(region) {
        return Ok(region.to_owned());
    }
    Err(IdentityError::configuration(format!(
        "the environment variable {variable} is {value:?}, which is no region; write it as Azure does, such as westeurope{}",
        if variable == REGION_VARIABLE {
            ", or tryautodetect to have it found out"
        } else {
            ""
        }
    )))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn region(variables: &[(&str, &str)]) -> Result<Option<String>, IdentityError> {
        let environment = Environment::builder()
            .variables(variables.iter().copied())
            .build();
        let region = Region::configured(&environment, &ClientOptions::default())?;
        Ok(block_on(region.name()).map(str::to_owned))
    }

    #[test]
    fn variables_name_the_region() {
        for (variables, expected) in [
            (&[][..], None),
            (&[(REGION_VARIABLE, "westeurope")], Some("westeurope")),
            (&[(REGION_VARIABLE, "west-europe2")], Some("west-europe2")),
            (&[(MSAL_VARIABLE, "eastus")], Some("eastus")),
            (
                &[(REGION_VARIABLE, "westeurope"), (MSAL_VARIABLE, "eastus")],
                Some("westeurope"),
            ),
            (
                &[
                    (REGION_VARIABLE, "TryAutoDetect"),
                    (HOST_REGION_VARIABLE, "eastus2"),
                ],
                Some("eastus2"),
            ),
            (
                &[
                    (REGION_VARIABLE, "true"),
                    (HOST_REGION_VARIABLE, "not one."),
                ],
                None,
            ),
            // Where a machine is does not matter to who did not ask.
            (&[(HOST_REGION_VARIABLE, "eastus2")], None),
        ] {
            assert_eq!(
                region(variables).unwrap().as_deref(),
                expected,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn what_is_no_region_is_named() {
        for variable in [REGION_VARIABLE, MSAL_VARIABLE] {
            for bad in ["West Europe", "evil.example/", "-x", "x-", "1us", "\u{fc}"] {
                let error = region(&[(variable, bad)]).expect_err(bad);
                assert_eq!(error.kind(), crate::FailureKind::Configuration);
                assert!(error.message().contains(variable), "{error}");
            }
        }
    }
}
