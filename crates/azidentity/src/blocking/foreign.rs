//! A credential that is not one of ours, as one of ours.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};

use crate::AccessTokenInfo;

#[derive(Debug)]
pub(super) struct Foreign {
    name: String,
    credential: Arc<dyn TokenCredential>,
}

impl Foreign {
    pub(super) fn new(name: String, credential: Arc<dyn TokenCredential>) -> Self {
        Self { name, credential }
    }
}

#[async_trait]
impl TokenCredential for Foreign {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.credential.get_token(scopes, options).await
    }
}

#[async_trait]
impl crate::Credential for Foreign {
    fn name(&self) -> &str {
        &self.name
    }

    async fn get_token_info(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessTokenInfo> {
        let token = self.credential.get_token(scopes, options).await?;
        Ok(AccessTokenInfo::new(&token, self.name.clone()))
    }

    /// It can't be asked for its memory alone.
    fn cached(
        &self,
        _scopes: &[&str],
        _options: Option<&TokenRequestOptions<'_>>,
    ) -> Option<AccessTokenInfo> {
        None
    }
}
