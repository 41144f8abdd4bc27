//! Programs written for the official `azure_identity` crate work with `azidentity` when they change one line of their
//! `Cargo.toml`. This crate is such a program, and its tests are the proof.
//!
//! `api.rs` uses each public item of the official crate that we have, too, in each way that a program can: it compiles only
//! where names, signatures, fields and traits are the same. It is compiled twice: here, where the name `azure_identity` stands
//! for our crate, and by `tests/official.rs`, where it stands for the official one, so that it can't ask for less or for
//! something else than there is. `tests/switch.rs` changes the line of a whole program, builds it both ways and runs it.
//!
//! | item | what is held fast |
//! | --- | --- |
//! | `ClientSecretCredential` | `new(&str, String, Secret, Option<…Options>) -> Result<Arc<Self>>`, no type of which is generic; `Debug`, `TokenCredential`, `Send + Sync + Unpin + 'static` |
//! | `ClientSecretCredentialOptions` | its only field `client_options: ClientOptions`, literals and patterns without `..`; `Debug`, `Default`, `Send + Sync + Unpin + 'static` |
//! | `ManagedIdentityCredential` | `new(Option<…Options>) -> Result<Arc<Self>>`; traits as above |
//! | `ManagedIdentityCredentialOptions` | its only fields `user_assigned_id: Option<UserAssignedId>` and `client_options: ClientOptions`; traits as above, and `Clone` |
//! | `UserAssignedId` | the variants `ClientId`, `ObjectId` and `ResourceId`, each of one `String`; `#[non_exhaustive]`: a match needs a wildcard and may have one; `Clone`, `Debug`, all auto traits |
//! | `ClientAssertion` | `async fn secret(&self, Option<ClientMethodOptions>) -> Result<String>` by `async_trait`, to call and to implement; `Debug + Send + Sync` |
//! | `ClientAssertionCredential<C>`, `WorkloadIdentityCredential`, `AzurePipelinesCredential` | `new` with the same parameters; traits as above |
//! | their options | all fields, literals and patterns without `..`; `Debug`, `Default`, `Send + Sync + Unpin + 'static` |
//! | `ClientCertificateCredential` and its options | the same, in `certificate.rs`, compiled with ours alone: the official one needs the system's OpenSSL to build |
//! | `Executor` | `async fn run(&self, &OsStr, &[&OsStr]) -> io::Result<Output>` by `async_trait`, to call and to implement; `Debug + Send + Sync`, fit for `Arc<dyn Executor>` |
//! | `new_executor` | `fn() -> Arc<dyn Executor>` |
//! | features | `tokio` and `client_certificate` |
//!
//! The official crate has these, too, and we do not yet; whoever adds one adds it to `api.rs`: `AzureCliCredential`,
//! `AzureDeveloperCliCredential`, `DeveloperToolsCredential`, and their options.

/// Every item, used in every way.
pub mod api;
pub mod certificate;
