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
//! | token: `client_credentials`, `authorization_code`, `refresh_token`, on behalf of | `{authority}/{tenant}/oauth2/v2.0/token` |
//! | authorize, at which users sign in | `{authority}/{tenant}/oauth2/v2.0/authorize` |
//! | metadata, with and without `/v2.0` | `{authority}/{tenant}/v2.0/.well-known/openid-configuration` |
//! | keys | `{authority}/{tenant}/discovery/v2.0/keys` |
//! | instance discovery | `{authority}/common/discovery/instance` |
//! | managed identity of virtual machines | `{http}/metadata/identity/oauth2/token` |
//! | managed identity of App Service | `{http}/msi/token` |
//! | location of the virtual machine | `{http}/metadata/instance/compute` |
//! | OIDC tokens of Azure Pipelines, on both ports | `{http}/pipelines/oidctoken` |
//! | OIDC tokens of GitHub Actions, on both ports | `{http}/github/idtoken` |
//! | OIDC tokens of Google Cloud, on both ports | `{http}/computeMetadata/v1/instance/service-accounts/default/identity` |
//! | their issuers, and that of a Kubernetes cluster | `{authority}/oidc/{pipelines,github,gcp,kubernetes}` |
//! | the requests so far, GET and DELETE | `{http}/_emulator/requests` |
//! | the [`Script`] of faults in TOML, PUT and DELETE | `{http}/_emulator/script` |
//! | the clock in JSON, GET, PUT and DELETE | `{http}/_emulator/clock` |
//! | the certificate to trust | `{http}/_emulator/ca.pem` |
//! | a client certificate with its key, and its successor | `{http}/_emulator/client-certificate.pem`, `renewed-client-certificate.pem` |
//! | tokens of a user, POST | `{http}/_emulator/sign-in` |
//! | an authorization code, POST | `{http}/_emulator/authorization-code` |
//! | no more refreshing, POST | `{http}/_emulator/revoke-refresh-tokens` |
//! | a Kubernetes service account's token, POST | `{http}/_emulator/service-account-token` |
//!
//! A client proves itself with a secret, with a certificate (RS256 or PS256,
//! registered or, with `x5c`, from an authority it trusts), or with a token of
//! an issuer that its application trusts. Users do it without typing: the one
//! whom `login_hint` names, else the tenant's first.
//!
//! `{authority}` and `{http}` are [`Emulator::authority_host`] and
//! [`Emulator::http_endpoint`]. PUT to the clock takes one of `{"seconds": N}`,
//! a time since 1970 at which it stands; `{"advance": N}`, how far to move it
//! on; `{"offset": N}`, how far it runs ahead of the system's clock (negative:
//! behind). DELETE gives it the system's time back.
//!
//! The bodies of the other POST requests are JSON, too. `sign-in` and
//! `authorization-code` take `scope` and, all optional, `user`, `client_id`,
//! `mfa`, `nonce`, `redirect_uri` and `code_challenge` (see [`SignIn`]);
//! the answers are that of the token endpoint and `{"code": …}`.
//! `revoke-refresh-tokens` takes `user`, or an empty body for all of them.
//! `service-account-token` takes `audience` and `subject`, and answers with the
//! bare token.
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
