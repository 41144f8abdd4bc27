//! OAuth 2.0 with Microsoft Entra: where to ask, for which tenant, how to ask, and how to read the answer.

mod authority;
mod client;
mod grant;
mod response;
mod tenant;

pub use authority::AzureAuthorityHosts;

pub(crate) use authority::{Authority, AuthorityOptions};
pub(crate) use client::EntraClient;
pub(crate) use grant::{ClientAuthentication, Grant};
pub(crate) use tenant::TenantRules;
