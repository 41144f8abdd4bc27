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
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            // Not repeated: where a shell has put the value in place of the name, it is the assertion.
            return Err(IdentityError::configuration(
                "what names the variable with the assertion is no variable's name, which has letters, digits and '_' only; \
                 give the name, such as AZURE_ID_TOKEN, and not the variable's value",
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
