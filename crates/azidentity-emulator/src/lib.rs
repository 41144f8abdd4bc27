//! A local Microsoft Entra ID and managed identity server, for tests and for
//! work without a network.
//!
//! It checks what Entra checks, refuses with Entra's error codes, and issues
//! signed tokens, so clients that nobody here wrote work against it: the Azure
//! SDKs and MSAL of several languages. See [`Emulator`] for how to run one,
//! [`World`] for who exists in it, and [`Config::from_toml`] for how to
//! describe another world. What Entra does on a bad day is to be had as well:
//! see [`Script`] for faults, and [`Emulator::set_time`] for another time.
//!
//! What it can do:
//!
//! | endpoint | address |
//! | --- | --- |
//! | token, for the grant `client_credentials` with a secret | `{authority}/{tenant}/oauth2/v2.0/token` |
//! | metadata, with and without `/v2.0` | `{authority}/{tenant}/v2.0/.well-known/openid-configuration` |
//! | keys | `{authority}/{tenant}/discovery/v2.0/keys` |
//! | instance discovery | `{authority}/common/discovery/instance` |
//! | managed identity of virtual machines | `{http}/metadata/identity/oauth2/token` |
//! | managed identity of App Service | `{http}/msi/token` |
//! | the requests so far, GET and DELETE | `{http}/_emulator/requests` |
//! | the [`Script`] of faults in TOML, PUT and DELETE | `{http}/_emulator/script` |
//! | the clock in JSON, GET, PUT and DELETE | `{http}/_emulator/clock` |
//! | the certificate to trust | `{http}/_emulator/ca.pem` |
//!
//! `{authority}` and `{http}` are [`Emulator::authority_host`] and
//! [`Emulator::http_endpoint`]. PUT to the clock takes one of `{"seconds": N}`,
//! a time since 1970 at which it stands; `{"advance": N}`, how far to move it
//! on; `{"offset": N}`, how far it runs ahead of the system's clock (negative:
//! behind). DELETE gives it the system's time back.
//!
//! Addresses below `/_emulator/` answer only requests whose `Host` is
//! `localhost`, `127.0.0.1` or `[::1]` with the right port, and none with an
//! `Origin`: no web page can drive an emulator through its reader's browser,
//! not even one whose name leads to this machine.
//!
//! The tokens are worth nothing outside: no real service trusts their key.

mod authority;
mod certificates;
mod client_authentication;
mod client_certificate;
mod clock;
mod config;
mod control;
mod emulator;
mod entra_error;
mod form;
mod grants;
mod guid;
mod jwt;
mod ledger;
mod managed_identity;
mod oidc;
mod pkce;
mod record;
mod redaction;
mod redirect_uri;
mod requested_claims;
mod scope;
mod script;
mod secret;
mod server;
mod sign_in;
mod signing;
mod state;
mod token;
mod user_grant;
mod world;
mod x509;

pub use client_certificate::ClientCertificate;
pub use config::{Config, ConfigError};
pub use emulator::{Emulator, StartError};
pub use record::{Fields, RecordedRequest, Server};
pub use script::{Fault, Script};
pub use sign_in::{SignIn, SignInError, UserTokens};
pub use world::{
    Application, ClientSecret, FederatedCredential, ManagedIdentity, RegisteredCertificate,
    Resource, ServicePrincipal, Tenant, TokenVersion, User, World,
};
