//! What all credentials of our own share: from a call to a resolved request, to the cache, to the source.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenRequestOptions as CoreOptions};
use serde_json::Value;
use tracing::{debug, info, warn};

use crate::{
    Environment, IdentityError, TokenRequestOptions,
    cache::{KeyRef, TokenCache, TokenSource},
    entra::TenantRules,
    token::{
        AccessTokenInfo, ChainContext, TokenRequest, UserAssertion, parse_claims, validate_scopes,
    },
};

use super::Remembers;

/// Most tokens that a credential keeps, unless it says otherwise.
pub(crate) const MOST_TOKENS: usize = 1_000_000;

/// A source behind the cache, for one tenant and perhaps others.
pub(crate) struct Acquisition {
    name: &'static str,
    cache: TokenCache,
    /// `None` where the source knows no tenants.
    tenants: Option<TenantRules>,
    /// Whether the log may say whose tokens these are.
    support_logging: bool,
}

impl Acquisition {
    pub(crate) fn new(
        name: &'static str,
        source: impl TokenSource,
        tenants: Option<TenantRules>,
        environment: &Environment,
    ) -> Self {
        Self::limited(name, source, tenants, environment, MOST_TOKENS)
    }

    /// Keeps at most `limit` tokens.
    pub(crate) fn limited(
        name: &'static str,
        source: impl TokenSource,
        tenants: Option<TenantRules>,
        environment: &Environment,
        limit: usize,
    ) -> Self {
        let source = Arc::new(Named { name, source });
        Self {
            name,
            cache: TokenCache::new(source, environment.clone(), limit),
            tenants,
            support_logging: false,
        }
    }

    pub(crate) fn with_support_logging(mut self, enabled: bool) -> Self {
        self.support_logging = enabled;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The token from memory, for a user on behalf of whom the application asks or for itself.
    pub(crate) fn cached_for(
        &self,
        user: Option<&Arc<UserAssertion>>,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.find(user, scopes, options, AccessTokenInfo::clone)
    }

    /// [`cached_for`](Self::cached_for), as `azure_core` knows it.
    pub(crate) fn copied_for(
        &self,
        user: Option<&Arc<UserAssertion>>,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
    ) -> Option<AccessToken> {
        self.find(user, scopes, options, AccessTokenInfo::to_access_token)
    }

    fn find<T>(
        &self,
        user: Option<&Arc<UserAssertion>>,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
        take: impl FnOnce(&AccessTokenInfo) -> T,
    ) -> Option<T> {
        let take = |info: &AccessTokenInfo| {
            debug!(credential = self.name, expires_on = %info.expires_on(), "token from memory");
            take(info)
        };
        let Some(options) = options.and_then(TokenRequestOptions::find) else {
            return self.cache.cached(
                KeyRef {
                    tenant: self.tenants.as_ref().map_or("", TenantRules::configured),
                    user,
                    scopes,
                    enable_cae: false,
                },
                take,
            );
        };
        if claims(options).is_some() {
            return None;
        }
        self.cache.cached(
            KeyRef {
                tenant: &self.tenant(options.tenant_id.as_deref()).ok()?,
                user,
                scopes,
                enable_cae: options.enable_cae,
            },
            take,
        )
    }

    pub(crate) async fn get(
        &self,
        scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        self.get_for(None, scopes, options).await
    }

    /// The same for a user, on behalf of whom the application asks.
    pub(crate) async fn get_for(
        &self,
        user: Option<&Arc<UserAssertion>>,
        scopes: &[&str],
        options: Option<CoreOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        let options = options.as_ref();
        let chain = options
            .and_then(|options| options.method_options.context.value::<ChainContext>())
            .copied()
            .unwrap_or_default();
        let result = match self.request(user, scopes, options, chain) {
            Ok(request) => self.cache.get(request).await,
            Err(error) => Err(error),
        };
        if let Ok(info) = &result
            && self.support_logging
        {
            log_identifiers(self.name, info);
        }
        // Inside a chain, one member's fate is a detail.
        match (&result, chain) {
            (Ok(_), ChainContext::None) => info!(credential = self.name, "token acquired"),
            (Ok(_), ChainContext::Chained) => debug!(credential = self.name, "token acquired"),
            (Err(error), ChainContext::None) => {
                warn!(credential = self.name, kind = %error.kind(), error = error.message(), "no token");
            }
            (Err(error), ChainContext::Chained) => {
                debug!(credential = self.name, kind = %error.kind(), error = error.message(), "no token");
            }
        }
        result.map_err(|error| error.of_credential(self.name).into())
    }

    fn request(
        &self,
        user: Option<&Arc<UserAssertion>>,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
        chain: ChainContext,
    ) -> Result<TokenRequest, IdentityError> {
        validate_scopes(scopes)?;
        let ours = options.and_then(TokenRequestOptions::find);
        if let Some(text) = ours.and_then(claims) {
            parse_claims(text)?;
        }
        Ok(TokenRequest {
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            tenant: self
                .tenant(ours.and_then(|ours| ours.tenant_id.as_deref()))?
                .into_owned(),
            user: user.cloned(),
            claims: ours.and_then(claims).map(str::to_owned),
            enable_cae: ours.is_some_and(|ours| ours.enable_cae),
            chain,
            context: options
                .map(|options| options.method_options.context.to_owned())
                .unwrap_or_default(),
        })
    }

    fn tenant<'a>(&'a self, requested: Option<&'a str>) -> Result<Cow<'a, str>, IdentityError> {
        match &self.tenants {
            Some(tenants) => tenants.resolve(requested),
            None => Ok(Cow::Borrowed("")),
        }
    }
}

impl Remembers for Acquisition {
    fn cached(
        &self,
        scopes: &[&str],
        options: Option<&CoreOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        self.cached_for(None, scopes, options)
    }

    fn copied(&self, scopes: &[&str], options: Option<&CoreOptions<'_>>) -> Option<AccessToken> {
        self.copied_for(None, scopes, options)
    }
}

fn claims(options: &TokenRequestOptions) -> Option<&str> {
    options
        .claims
        .as_deref()
        .filter(|claims| !claims.is_empty())
}

/// Whose token it is, for whoever has to find out why a sign-in looks the way it does. Read, not verified.
fn log_identifiers(credential: &str, info: &AccessTokenInfo) {
    let Some(claims) = info.unverified_claims() else {
        debug!(
            credential,
            "the token tells nothing: it is no JSON Web Token"
        );
        return;
    };
    let claim = |name| claims.get(name).and_then(Value::as_str).unwrap_or("none");
    debug!(
        credential,
        appid = claim("appid"),
        tid = claim("tid"),
        upn = claim("upn"),
        oid = claim("oid"),
        "identifiers in the token"
    );
}

/// Writes the credential's name on every token of a source.
struct Named<S> {
    name: &'static str,
    source: S,
}

#[async_trait]
impl<S: TokenSource> TokenSource for Named<S> {
    async fn acquire(&self, request: &TokenRequest) -> Result<AccessTokenInfo, IdentityError> {
        let info = self.source.acquire(request).await?;
        Ok(info.supplied_by(self.name))
    }
}
