//! OAuth 2.0 with Microsoft Entra: where to ask, for which tenant, how to ask, and how to read the answer.

mod authentication;
mod authority;
mod client;
mod grant;
mod response;
mod tenant;

pub use authority::AzureAuthorityHosts;

pub(crate) use authentication::{
    AssertionSource, Audience, ClientAuthentication, LONGEST_ASSERTION,
};
pub(crate) use authority::{Authority, AuthorityOptions};
pub(crate) use client::EntraClient;
pub(crate) use grant::Grant;
pub(crate) use response::Redeemed;
pub(crate) use tenant::TenantRules;
