//! Answers claims challenges inside any client that is built on `azure_core`.
//!
//! A service that takes part in
//! [continuous access evaluation](https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation)
//! may refuse a token before it expires, with status 401 and the claims that a new one has to satisfy. `azure_core`'s own
//! policy does not answer that, and goes on with the one token it keeps. [`wrap`] makes of a credential a pair that does:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use azure_core::{credentials::TokenCredential, http::ClientOptions};
//! # fn example(credential: Arc<dyn TokenCredential>) {
//! let (credential, policy) = azidentity::challenge::wrap(credential);
//! let options = ClientOptions {
//!     per_try_policies: vec![policy],
//!     ..Default::default()
//! };
//! // Both go to the client: BlobClient::new(endpoint, …, Some(credential), Some(options)).
//! # let _ = (credential, options);
//! # }
//! ```

mod header;

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions as CoreOptions},
    http::{
        ClientMethodOptions, Context, Request, StatusCode,
        headers::{AUTHORIZATION, WWW_AUTHENTICATE},
        policies::{Policy, PolicyResult},
    },
};
use tracing::debug;

use crate::{FailureKind, IdentityError, TokenRequestOptions};

/// So many different requests for tokens are remembered. A client has one, or a few.
const MOST_ASKED: usize = 64;

/// So many tokens of each are still known as having been handed out.
const MOST_TOKENS: usize = 4;

/// The outcomes of so many challenges are remembered.
const MOST_ANSWERED: usize = 16;

/// Makes of a credential one for a client, and the policy that goes with it into that client's `per_try_policies`.
///
/// The credential asks for tokens with the capability to handle claims challenges
/// ([`enable_cae`](TokenRequestOptions::enable_cae)), and remembers what they were asked for. The policy looks at requests
/// that carry one of these tokens and at no others: it puts the newest token from the credential's cache in its place, and
/// when the service answers with a claims challenge, acquires a token with these claims and sends the request once more.
/// Requests that meet the same challenge at the same time share that token, or the failure to get it.
///
/// The pair may serve several clients.
pub fn wrap(credential: Arc<dyn TokenCredential>) -> (Arc<dyn TokenCredential>, Arc<dyn Policy>) {
    let challenged = Arc::new(Challenged {
        credential,
        asked: Mutex::default(),
        answering: async_lock::Mutex::default(),
        answers: AtomicU64::new(0),
    });
    (challenged.clone(), Arc::new(AnswerChallenges(challenged)))
}

/// A credential that knows what its tokens were asked for.
struct Challenged {
    credential: Arc<dyn TokenCredential>,
    asked: Mutex<VecDeque<Asked>>,
    /// Held while a challenge is answered, so that whoever meets the same one waits for the outcome.
    answering: async_lock::Mutex<VecDeque<Answered>>,
    /// How many challenges have been answered so far.
    answers: AtomicU64,
}

/// A request for a token, and the last tokens that came of it.
#[derive(Clone)]
struct Asked {
    scopes: Vec<String>,
    tenant_id: Option<String>,
    tokens: VecDeque<AccessToken>,
}

struct Answered {
    number: u64,
    claims: String,
    scopes: Vec<String>,
    outcome: Result<AccessToken, IdentityError>,
}

impl Asked {
    fn options(&self, context: &Context<'_>, claims: Option<String>) -> CoreOptions<'static> {
        let ours = TokenRequestOptions {
            claims,
            tenant_id: self.tenant_id.clone(),
            enable_cae: true,
        };
        CoreOptions {
            method_options: ClientMethodOptions {
                context: context.to_owned().with_value(ours),
            },
        }
    }
}

impl Challenged {
    fn asked(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, scopes: &[String], tenant_id: Option<&str>, token: &AccessToken) {
        let mut asked = self.asked();
        let known = asked
            .iter_mut()
            .find(|known| known.scopes == scopes && known.tenant_id.as_deref() == tenant_id);
        if let Some(known) = known {
            if !known.tokens.iter().any(|kept| same(kept, token)) {
                known.tokens.push_back(token.clone());
                if known.tokens.len() > MOST_TOKENS {
                    known.tokens.pop_front();
                }
            }
            return;
        }
        if asked.len() >= MOST_ASKED {
            asked.pop_front();
        }
        asked.push_back(Asked {
            scopes: scopes.to_vec(),
            tenant_id: tenant_id.map(str::to_owned),
            tokens: VecDeque::from([token.clone()]),
        });
    }

    /// What the token that a request carries was asked for.
    fn what_for(&self, token: &str) -> Option<Asked> {
        let asked = self.asked();
        let holds = |asked: &&Asked| asked.tokens.iter().any(|kept| kept.token.secret() == token);
        asked.iter().find(holds).cloned()
    }

    async fn acquire(
        &self,
        asked: &Asked,
        context: &Context<'_>,
        claims: Option<String>,
    ) -> azure_core::Result<AccessToken> {
        let scopes: Vec<&str> = asked.scopes.iter().map(String::as_str).collect();
        let token = self
            .credential
            .get_token(&scopes, Some(asked.options(context, claims)))
            .await?;
        self.remember(&asked.scopes, asked.tenant_id.as_deref(), &token);
        Ok(token)
    }

    /// A token that satisfies `claims`, in place of `refused`.
    async fn answer(
        &self,
        asked: &Asked,
        context: &Context<'_>,
        claims: String,
        refused: &str,
    ) -> Result<AccessToken, IdentityError> {
        let answers_before = self.answers.load(Ordering::Acquire);
        let mut answered = self.answering.lock().await;
        let earlier = answered
            .iter()
            .rfind(|earlier| earlier.claims == claims && earlier.scopes == asked.scopes);
        if let Some(earlier) = earlier {
            // Somebody has met the same challenge while this request waited, or while it was on its way.
            let while_waiting = earlier.number > answers_before;
            let another = earlier
                .outcome
                .as_ref()
                .is_ok_and(|token| token.token.secret() != refused);
            if while_waiting || another {
                return earlier.outcome.clone();
            }
        }
        debug!("acquiring a token with the claims that the service asks for");
        let outcome = self
            .acquire(asked, context, Some(claims.clone()))
            .await
            .map_err(|error| {
                IdentityError::find(&error).cloned().unwrap_or_else(|| {
                    IdentityError::new(FailureKind::AuthenticationFailed, error.to_string())
                })
            });
        if answered.len() >= MOST_ANSWERED {
            answered.pop_front();
        }
        answered.push_back(Answered {
            number: self.answers.fetch_add(1, Ordering::AcqRel) + 1,
            claims,
            scopes: asked.scopes.clone(),
            outcome: outcome.clone(),
        });
        outcome
    }
}

fn same(one: &AccessToken, other: &AccessToken) -> bool {
    one.token.secret() == other.token.secret()
}

impl fmt::Debug for Challenged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenged")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Challenged {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let options = options.unwrap_or_default();
        let ours = TokenRequestOptions::find(&options)
            .cloned()
            .unwrap_or_default();
        let asked = Asked {
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            tenant_id: ours.tenant_id,
            tokens: VecDeque::new(),
        };
        self.acquire(&asked, &options.method_options.context, ours.claims)
            .await
    }
}

/// See [`wrap`].
struct AnswerChallenges(Arc<Challenged>);

impl fmt::Debug for AnswerChallenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerChallenges").finish_non_exhaustive()
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let header = request.headers().get_optional_str(&AUTHORIZATION)?;
    header.strip_prefix("Bearer ")
}

fn authorize(request: &mut Request, token: &AccessToken) {
    request.insert_header(AUTHORIZATION, format!("Bearer {}", token.token.secret()));
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and its macro tells the two forms apart"
)]
#[async_trait]
impl Policy for AnswerChallenges {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let [following, rest @ ..] = next else {
            return Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "no policy follows the one that answers claims challenges; put it into per_try_policies",
            ));
        };
        let Some(asked) = bearer(request).and_then(|token| self.0.what_for(token)) else {
            return following.send(context, request, rest).await;
        };
        // From memory, as a rule. A failure is no reason not to try the token at hand.
        let sent = match self.0.acquire(&asked, context, None).await {
            Ok(token) => {
                authorize(request, &token);
                token.token
            }
            Err(_) => bearer(request).unwrap_or_default().to_owned().into(),
        };
        let response = following.send(context, request, rest).await?;
        if response.status() != StatusCode::Unauthorized {
            return Ok(response);
        }
        let claims = response
            .headers()
            .get_optional_str(&WWW_AUTHENTICATE)
            .and_then(header::missing_claims);
        let Some(claims) = claims else {
            return Ok(response);
        };
        if request.body_mut().reset().await.is_err() {
            debug!("the request's body can't be sent a second time");
            return Ok(response);
        }
        let token = self
            .0
            .answer(&asked, context, claims, sent.secret())
            .await?;
        authorize(request, &token);
        following.send(context, request, rest).await
    }
}
