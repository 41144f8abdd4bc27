//! The page at which users sign in.
//!
//! Nobody has to type or click: the user whom `login_hint` names, else the
//! first one of the tenant, signs in at once, with a second factor if one is
//! needed. Everything else is checked as Entra does.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;

use super::find_authority;
use crate::clock;
use crate::entra_error::{EntraError, Trace};
use crate::form::{self, Form};
use crate::grants::Authority;
use crate::guid;
use crate::ledger::Code;
use crate::pkce::Challenge;
use crate::redirect_uri;
use crate::requested_claims::RequestedClaims;
use crate::scope;
use crate::state::State;
use crate::user_grant::{Session, check_consent, client_info};
use crate::world::{Application, Tenant, User};

mod page;
mod reply;

use reply::{Mode, Reply};

pub(super) async fn get(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    trace: Trace,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    answer(&state, &tenant, &query, &trace)
}

pub(super) async fn post(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    trace: Trace,
    body: Bytes,
) -> Response {
    let body = if form::is_form(&headers) {
        &body[..]
    } else {
        &[]
    };
    answer(&state, &tenant, &Form::parse(body), &trace)
}

fn answer(state: &State, tenant: &str, asked: &Form, trace: &Trace) -> Response {
    // Until it is clear that the application wants the answer at this address,
    // nobody is sent there.
    let request = match Request::read(state, tenant, asked) {
        Ok(request) => request,
        Err(error) => return page::error(&error, trace),
    };
    let reply = Reply {
        redirect_uri: request.redirect_uri,
        mode: Mode::parse(asked.get("response_mode")).unwrap_or(Mode::Query),
        state: asked.get("state"),
    };
    match request.sign_in(trace) {
        Ok(fields) => reply.send(&fields),
        Err(Failure::Redirect(error)) => reply.send(&[
            ("error", error.code().to_owned()),
            ("error_description", error.description(trace)),
        ]),
        Err(Failure::Page(error)) => page::error(&error, trace),
    }
}

/// Whom a failure is shown to.
enum Failure {
    /// The application.
    Redirect(EntraError),
    /// The person in front of the browser.
    Page(EntraError),
}

impl From<EntraError> for Failure {
    fn from(error: EntraError) -> Self {
        Self::Redirect(error)
    }
}

/// A request whose client and redirect URI are right.
struct Request<'a> {
    state: &'a State,
    authority: Authority<'a>,
    application: &'a Application,
    redirect_uri: &'a str,
    asked: &'a Form,
}

impl<'a> Request<'a> {
    fn read(state: &'a State, tenant: &str, asked: &'a Form) -> Result<Self, EntraError> {
        let authority = find_authority(state, tenant)?;
        if let Some(name) = asked.duplicate() {
            return Err(EntraError::repeated(&state.showable(name)));
        }
        let client_id = required(asked, "client_id")?;
        let known = state.world.application(client_id);
        let known = known.filter(|application| match authority {
            Authority::Tenant(tenant) => application.service_principal(tenant.id()).is_some(),
            Authority::AnyTenant(_) => true,
        });
        let application = known.ok_or_else(|| {
            EntraError::new(
                700_016,
                format!(
                    "The application '{}' was not found in this tenant.",
                    state.showable(client_id)
                ),
            )
        })?;
        let redirect_uri = required(asked, "redirect_uri")?;
        if !redirect_uri::is_registered(application, redirect_uri) {
            return Err(EntraError::new(
                50011,
                format!(
                    "The redirect URI '{}' of the request is none of those registered for the application '{}'.",
                    state.showable(redirect_uri),
                    application.client_id()
                ),
            ));
        }
        Ok(Self {
            state,
            authority,
            application,
            redirect_uri,
            asked,
        })
    }

    /// The fields of the answer.
    fn sign_in(&self, trace: &Trace) -> Result<Vec<(&'static str, String)>, Failure> {
        let asked = self.asked;
        match required(asked, "response_type")? {
            "code" => {}
            other => {
                let shown = self.state.showable(other);
                return Err(EntraError::new(
                    70005,
                    format!("The response type '{shown}' is not supported. Ask for a code."),
                )
                .into());
            }
        }
        Mode::parse(asked.get("response_mode"))?;
        let challenge = Challenge::parse(
            asked.get("code_challenge"),
            asked.get("code_challenge_method"),
        )?;
        let claims = RequestedClaims::parse(asked.get("claims"))?;
        let scope = required(asked, "scope")?;
        self.check_prompt()?;
        let (tenant, user) = self.user()?;
        let delegated = scope::of_user(self.state, tenant, scope)?;
        check_consent(self.application, &delegated)?;
        let code = self.state.ledger.codes.issue(Code {
            session: Session {
                user_id: user.object_id().to_owned(),
                client_id: self.application.client_id().to_owned(),
                scope: scope.to_owned(),
                mfa: user.needs_mfa(),
                contexts: claims.contexts().into_iter().map(str::to_owned).collect(),
            },
            redirect_uri: self.redirect_uri.to_owned(),
            challenge,
            nonce: asked.get("nonce").map(str::to_owned),
            issued: clock::unix(trace.at),
        })?;
        let mut fields = vec![("code", code.expose().to_owned())];
        if asked.get("client_info") == Some("1") {
            fields.push(("client_info", client_info(user)));
        }
        fields.push(("session_state", guid::random()));
        Ok(fields)
    }

    fn check_prompt(&self) -> Result<(), EntraError> {
        match self.asked.get("prompt") {
            None | Some("login" | "select_account" | "consent" | "create") => Ok(()),
            // There are no cookies here, so nobody is signed in beforehand.
            Some("none") => Err(EntraError::new(
                50058,
                "Nobody is signed in, and the request says that nobody may be asked (prompt=none).",
            )),
            Some(other) => Err(EntraError::new(
                90023,
                format!(
                    "The value '{}' of the parameter 'prompt' is not supported.",
                    self.state.showable(other)
                ),
            )),
        }
    }

    /// Who signs in, and in which tenant.
    fn user(&self) -> Result<(&'a Tenant, &'a User), Failure> {
        let world = &self.state.world;
        let here = |user: &&User| match self.authority {
            Authority::Tenant(tenant) => user.tenant_id() == tenant.id(),
            Authority::AnyTenant(_) => {
                let home = user.tenant_id();
                self.application.service_principal(home).is_some()
            }
        };
        let user = match self.asked.get("login_hint") {
            Some(name) => world.user(name).filter(here),
            None => world.users().iter().find(here),
        };
        let user = user.ok_or_else(|| {
            // A person would see this and could type another name.
            Failure::Page(EntraError::new(
                50034,
                "There is no such user in this tenant: neither is one named by login_hint, nor is there a first one.",
            ))
        })?;
        Ok((self.authority.tenant_of(self.state, user.tenant_id()), user))
    }
}

fn required<'a>(asked: &'a Form, name: &str) -> Result<&'a str, EntraError> {
    asked.get(name).ok_or_else(|| EntraError::missing(name))
}
