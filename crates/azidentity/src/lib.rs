//! Azure Identity for Rust: Microsoft Entra access tokens behind [`azure_core`]'s
//! [`TokenCredential`](azure_core::credentials::TokenCredential).
//!
//! ```no_run
//! # async fn example() -> azure_core::Result<()> {
//! use azidentity::DefaultAzureCredential;
//! use azure_core::credentials::TokenCredential;
//!
//! let credential = DefaultAzureCredential::new(None)?;
//! let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
//! println!("expires {}", token.expires_on);
//! # Ok(()) }
//! ```
//!
//! | credential | who signs in |
//! | --- | --- |
//! | [`DefaultAzureCredential`] | whoever this machine can: the chain that fits most programs |
//! | [`EnvironmentCredential`] | an application described by environment variables |
//! | [`ClientSecretCredential`] | an application with a secret |
//! | `ClientCertificateCredential` | an application with a certificate |
//! | [`ClientAssertionCredential`] | an application with assertions from a callback or a file |
//! | [`FederatedCredential`] | an application that another identity provider vouches for: GitHub Actions, Google Cloud, GitLab |
//! | [`WorkloadIdentityCredential`] | a pod in Kubernetes |
//! | [`AzurePipelinesCredential`] | a service connection of Azure Pipelines |
//! | [`OnBehalfOfCredential`] | a user of a web API; [`OnBehalfOfClient`] serves many of them |
//! | [`AuthorizationCodeCredential`] | a user who comes back from the sign-in page with a code |
//! | [`ManagedIdentityCredential`] | the Azure host this runs on |
//! | [`ChainedTokenCredential`] | the first of several credentials of your choice |
//!
//! Every credential keeps its tokens in memory, renews them in the background and sends one request however many callers
//! wait for the same token. Make one credential and share it.
//!
//! Failures are [`azure_core::Error`]s with an [`IdentityError`] inside. Options of a single request are
//! [`TokenRequestOptions`]. What the official `azure_identity` crate has under the same name works the same way here;
//! further options are in each credential's builder.
//!
//! Services that refuse a token before it expires are answered by the pair that [`challenge::wrap`] makes.
//!
//! Where another SDK takes a token in place of a key or a password, [`bearer_token_provider`] gives it one.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `tokio` | yes | fetches and renewals that run as tasks of the caller's tokio runtime, which also waits for programs |
//! | `reqwest` | yes | the built-in HTTP client, with TLS by rustls |
//! | `reqwest_no_tls` | by `reqwest` | the built-in HTTP client without a TLS provider, for programs that bring a transport with their own |
//! | `blocking` | no | the module `blocking`: credentials for programs without `async` |
//! | `client_certificate` | yes | `ClientCertificateCredential`, and certificates in [`EnvironmentCredential`] |
//!
//! Without `reqwest` set a transport in the client options.

mod bearer_token;
#[cfg(feature = "blocking")]
pub mod blocking;
mod cache;
pub mod challenge;
mod credentials;
mod entra;
mod environment;
mod error;
mod executor;
mod federation;
mod http;
mod managed_identity;
mod secret;
mod small_file;
mod token;

pub use bearer_token::{BearerTokenProvider, bearer_token_provider};
pub use credentials::*;
pub use entra::AzureAuthorityHosts;
#[cfg(feature = "client_certificate")]
pub use entra::ClientCertificate;
pub use environment::{
    Clock, Environment, EnvironmentBuilder, Machine, MachineEvidence, ManualClock,
};
pub use error::{Attempt, FailureKind, IdentityError, ServerError};
pub use executor::{Executor, new_executor};
pub use federation::{AssertionFile, FederatedAssertion};
#[cfg(all(feature = "reqwest", feature = "tokio"))]
pub use http::TransportOptions;
pub use http::{TokenProxyClient, TokenProxyClientOptions};
pub use managed_identity::UserAssignedId;
pub use token::{AccessTokenInfo, TokenRequestOptions};

/// The examples of the README are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
