//! What is asked for and what comes back: per-request options, the resolved request, the token and its times.

#[cfg(test)]
mod tests;
mod user_assertion;

use std::{borrow::Cow, fmt, sync::Arc};

use azure_core::{
    credentials::{AccessToken, Secret},
    http::{ClientMethodOptions, Context},
    time::OffsetDateTime,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::IdentityError;

pub(crate) use user_assertion::{AssertionDigest, UserAssertion};

/// The last second of the year 9999, beyond which no date can be told.
const END_OF_TIME: i64 = 253_402_300_799;

/// A token that will live this long, and for which the server named no renewal time, is renewed at half its life.
const LONG_LIFE: i64 = 7200;

/// Options of one token request.
///
/// They travel in the context of `azure_core`'s own options, so that they pass through chains, through credentials of
/// others and from a service call to the credential:
///
/// ```
/// # async fn example(credential: std::sync::Arc<dyn azure_core::credentials::TokenCredential>) -> azure_core::Result<()> {
/// use azidentity::TokenRequestOptions;
///
/// let options = TokenRequestOptions {
///     tenant_id: Some("fabrikam.onmicrosoft.com".into()),
///     ..Default::default()
/// };
/// let token = credential
///     .get_token(&["https://vault.azure.net/.default"], Some(options.into()))
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequestOptions {
    /// Claims the token has to satisfy, as JSON: what a claims challenge asked for. They bypass every cache.
    pub claims: Option<String>,
    /// Another tenant than the credential's own. It must be among the credential's additionally allowed tenants.
    pub tenant_id: Option<String>,
    /// Whether the caller can handle claims challenges of
    /// [continuous access evaluation](https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation).
    /// Such tokens may live longer and are cached apart. Default: false.
    pub enable_cae: bool,
}

impl TokenRequestOptions {
    /// The options inside `azure_core`'s, if there are any.
    pub fn find<'a>(
        options: &'a azure_core::credentials::TokenRequestOptions<'_>,
    ) -> Option<&'a Self> {
        options.method_options.context.value::<Self>()
    }
}

impl From<TokenRequestOptions> for azure_core::credentials::TokenRequestOptions<'static> {
    fn from(options: TokenRequestOptions) -> Self {
        Self {
            method_options: ClientMethodOptions {
                context: Context::new().with_value(options),
            },
        }
    }
}

/// An access token and what is known about it. Cheap to clone: all clones share one text.
///
/// `Debug` shows the times, never the token.
#[derive(Clone)]
pub struct AccessTokenInfo(Arc<Inner>);

struct Inner {
    token: Zeroizing<String>,
    expires_on: i64,
    refresh_on: Option<i64>,
    token_type: Cow<'static, str>,
    credential: Cow<'static, str>,
    tenant: Option<String>,
}

impl AccessTokenInfo {
    /// A token of a credential of your own, under that credential's name. Copies the text.
    pub fn new(token: &AccessToken, credential: impl Into<Cow<'static, str>>) -> Self {
        Self::with_lifetime(
            Zeroizing::new(token.token.secret().to_owned()),
            Lifetime {
                expires_on: token.expires_on.unix_timestamp(),
                refresh_on: None,
            },
        )
        .supplied_by(credential)
    }

    pub(crate) fn with_lifetime(token: Zeroizing<String>, lifetime: Lifetime) -> Self {
        Self(Arc::new(Inner {
            token,
            expires_on: lifetime.expires_on,
            refresh_on: lifetime.refresh_on,
            token_type: Cow::Borrowed("Bearer"),
            credential: Cow::Borrowed(""),
            tenant: None,
        }))
    }

    pub(crate) fn with_token_type(self, token_type: Cow<'static, str>) -> Self {
        self.edit(|inner| inner.token_type = token_type)
    }

    pub(crate) fn with_tenant(self, tenant: String) -> Self {
        self.edit(|inner| inner.tenant = Some(tenant))
    }

    /// Says which credential supplied the token.
    pub(crate) fn supplied_by(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.edit(|inner| inner.credential = name.into())
    }

    fn edit(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Inner {
            token: shared.token.clone(),
            expires_on: shared.expires_on,
            refresh_on: shared.refresh_on,
            token_type: shared.token_type.clone(),
            credential: shared.credential.clone(),
            tenant: shared.tenant.clone(),
        });
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// The token's text, to be sent as `Authorization: Bearer TEXT`.
    pub fn token(&self) -> &str {
        &self.0.token
    }

    /// When the token stops being valid, in whole seconds.
    pub fn expires_on(&self) -> OffsetDateTime {
        timestamp(self.0.expires_on)
    }

    /// When the token should be renewed, if the server or the token's length says so.
    pub fn refresh_on(&self) -> Option<OffsetDateTime> {
        self.0.refresh_on.map(timestamp)
    }

    /// How the token is to be presented. Nearly always `Bearer`.
    pub fn token_type(&self) -> &str {
        &self.0.token_type
    }

    /// Name of the credential that supplied the token: a chain's member, never the chain.
    pub fn credential(&self) -> &str {
        &self.0.credential
    }

    /// The tenant that was asked, as it was configured; `None` where the source does not choose a tenant, as managed
    /// identities do not.
    pub fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// The token as `azure_core` knows it. Copies the text.
    pub fn to_access_token(&self) -> AccessToken {
        AccessToken::new(Secret::new(self.token().to_owned()), self.expires_on())
    }

    /// The claims of the token, if it is a JSON Web Token. Nothing vouches for them: they are for logs only.
    pub(crate) fn unverified_claims(&self) -> Option<serde_json::Map<String, Value>> {
        let payload = self.token().split('.').nth(1)?;
        let json = azure_core::base64::decode_url_safe(payload).ok()?;
        serde_json::from_slice(&json).ok()
    }

    pub(crate) fn expires_on_seconds(&self) -> i64 {
        self.0.expires_on
    }

    pub(crate) fn refresh_on_seconds(&self) -> Option<i64> {
        self.0.refresh_on
    }
}

impl fmt::Debug for AccessTokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenInfo")
            .field("expires_on", &self.expires_on())
            .field("refresh_on", &self.refresh_on())
            .field("token_type", &self.0.token_type)
            .field("credential", &self.0.credential)
            .field("tenant", &self.0.tenant)
            .finish_non_exhaustive()
    }
}

/// Lifetimes are checked when they are read, so this only has to stay total.
fn timestamp(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// When a token expires and when it should be renewed, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) expires_on: i64,
    pub(crate) refresh_on: Option<i64>,
}

impl Lifetime {
    /// From a lifetime in seconds, counted from the moment the request was sent.
    ///
    /// The server's `refresh_in` rules if it lies within the lifetime; otherwise long-lived tokens are renewed at half
    /// their life.
    pub(crate) fn starting(now: i64, expires_in: i64, refresh_in: Option<i64>) -> Self {
        let refresh_in = refresh_in
            .filter(|&refresh_in| (0..expires_in).contains(&refresh_in))
            .or_else(|| (expires_in >= LONG_LIFE).then_some(expires_in / 2));
        Self {
            expires_on: now.saturating_add(expires_in).min(END_OF_TIME),
            refresh_on: refresh_in
                .map(|refresh_in| now.saturating_add(refresh_in).min(END_OF_TIME)),
        }
    }
}

/// The text of an access token, if it is one: visible ASCII, as a header has to carry it
/// ([RFC 6750, section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
pub(crate) fn access_token(text: Option<Zeroizing<String>>) -> Option<Zeroizing<String>> {
    text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// How a token is presented; `Bearer` unless the answer says otherwise.
pub(crate) fn token_type(stated: Option<String>) -> Cow<'static, str> {
    match stated {
        Some(kind) if !kind.is_empty() && !kind.eq_ignore_ascii_case("bearer") => Cow::Owned(kind),
        _ => Cow::Borrowed("Bearer"),
    }
}

/// Whole seconds from a number or a text that holds one.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    /// Past every calendar: keeps sums within range.
    const MOST: f64 = 1e12;
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    #[allow(
        clippy::cast_possible_truncation,
        reason = "clamped to far less than an i64 holds"
    )]
    (number.is_finite()).then(|| number.clamp(-MOST, MOST) as i64)
}

/// Which chain, if any, a request came through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum ChainContext {
    /// The caller asked the credential itself.
    #[default]
    None,
    /// A chain asks: a credential that is not there should say so quickly.
    Chained,
}

/// One request for a token, fully resolved: what a [`TokenSource`](crate::cache::TokenSource) gets to see.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    /// At least one, each of them valid.
    pub(crate) scopes: Vec<String>,
    /// The tenant to ask; empty where the source knows no tenants.
    pub(crate) tenant: String,
    /// The user whose token it is to be, where an application asks on behalf of one.
    pub(crate) user: Option<Arc<UserAssertion>>,
    pub(crate) claims: Option<String>,
    pub(crate) enable_cae: bool,
    pub(crate) chain: ChainContext,
    /// The caller's context, for policies of its own in the pipeline.
    pub(crate) context: Context<'static>,
}

/// The members of a claims request, which is a JSON object
/// ([OpenID Connect Core, section 5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)).
pub(crate) fn parse_claims(text: &str) -> Result<serde_json::Map<String, Value>, IdentityError> {
    serde_json::from_str(text).map_err(|error| {
        IdentityError::configuration(format!(
            "the claims are no JSON object ({error}); pass the claims challenge as the service sent it, decoded from base64"
        ))
    })
}

/// Checks the scopes of a request by the grammar of
/// [RFC 6749, section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3).
pub(crate) fn validate_scopes(scopes: &[&str]) -> Result<(), IdentityError> {
    if scopes.is_empty() {
        return Err(IdentityError::configuration(
            "no scope was given; name at least one, for example https://vault.azure.net/.default",
        ));
    }
    for scope in scopes {
        if scope.is_empty() {
            return Err(IdentityError::configuration(
                "one of the scopes is empty; leave it out or name a scope such as https://vault.azure.net/.default",
            ));
        }
        if let Some(bad) = scope
            .chars()
            .find(|&c| !matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e'))
        {
            return Err(IdentityError::configuration(format!(
                "the scope {scope:?} contains {bad:?}, which no scope can; pass several scopes one by one, not in one text",
            )));
        }
    }
    Ok(())
}
