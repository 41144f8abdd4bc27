//! OAuth 2.0 with Microsoft Entra: where to ask, for which tenant, how to ask, and how to read the answer.

#[cfg(feature = "client_certificate")]
mod assertion;
mod authentication;
mod authority;
#[cfg(feature = "client_certificate")]
mod certificate;
mod client;
mod grant;
#[cfg(feature = "client_certificate")]
mod jws;
mod region;
mod response;
mod tenant;

pub use authority::AzureAuthorityHosts;
#[cfg(feature = "client_certificate")]
pub use certificate::ClientCertificate;

#[cfg(feature = "client_certificate")]
pub(crate) use assertion::CertificateAssertion;
pub(crate) use authentication::{
    AssertionSource, Audience, ClientAuthentication, LONGEST_ASSERTION, check as check_assertion,
};
pub(crate) use authority::{Authority, AuthorityOptions};
pub(crate) use client::EntraClient;
pub(crate) use grant::Grant;
pub(crate) use response::Redeemed;
pub(crate) use tenant::TenantRules;
