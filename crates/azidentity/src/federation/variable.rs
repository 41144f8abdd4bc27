//! Assertions in environment variables, as GitLab and `CircleCI` hand them to their jobs.

use async_trait::async_trait;

use crate::{
    Environment, IdentityError,
    entra::{AssertionSource, Audience},
    secret::SecretText,
    token::TokenRequest,
};

use super::{assertion, tidy};

pub(super) struct Variable {
    name: String,
    environment: Environment,
}

impl Variable {
    pub(super) fn new(name: String, environment: Environment) -> Result<Self, IdentityError> {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(IdentityError::configuration(
                "the name of the variable with the assertion is empty or contains '='; give the name alone, such as \
                 AZURE_ID_TOKEN",
            ));
        }
        Ok(Self { name, environment })
    }
}

#[async_trait]
impl AssertionSource for Variable {
    async fn assertion(
        &self,
        _audience: &Audience<'_>,
        _request: &TokenRequest,
    ) -> Result<SecretText, IdentityError> {
        let name = &self.name;
        let value = self.environment.variable(name).map(SecretText::new);
        let text = value
            .as_ref()
            .and_then(|value| tidy(value.expose().as_bytes()).ok())
            .unwrap_or_default();
        if text.is_empty() {
            return Err(IdentityError::unavailable(format!(
                "there is no assertion: the variable {name:?} is not set; let the job ask its platform for a token (in \
                 GitLab: `id_tokens:` with {name} and its `aud`)"
            )));
        }
        assertion(text, &format!("the variable {name:?}"))
    }
}
