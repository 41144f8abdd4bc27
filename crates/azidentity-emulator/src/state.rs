//! What all handlers of one emulator share.

use std::borrow::Cow;
use std::time::SystemTime;

use serde_json::Value;

use crate::ledger::{CODE_MARK, Ledger, REFRESH_MARK};
use crate::record::Recorder;
use crate::script::Running;
use crate::secret::Secret;
use crate::signing::TOKENS;
use crate::world::World;

pub(crate) struct State {
    pub(crate) world: World,
    /// `https://localhost:PORT`.
    pub(crate) authority: String,
    pub(crate) http_port: u16,
    pub(crate) identity_header: Secret,
    /// What stands in for a pipeline job's `SYSTEM_ACCESSTOKEN`.
    pub(crate) pipelines_token: Secret,
    /// What stands in for a GitHub job's `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub(crate) github_token: Secret,
    pub(crate) ledger: Ledger,
    pub(crate) ca_pem: String,
    pub(crate) recorder: Recorder,
    pub(crate) script: Running,
}

impl State {
    /// The time by the emulator's clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.world.clock.now()
    }

    /// Foreign text that is about to be shown: shortened, and replaced when a
    /// secret is in it, as when somebody mixed up client id and client secret.
    pub(crate) fn showable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const MOST: usize = 2048;
        let own = [
            &self.identity_header,
            &self.pipelines_token,
            &self.github_token,
        ];
        let mut secrets = self.world.secrets().chain(own);
        if secrets.any(|secret| shows(text, secret.expose())) || is_token(text) {
            return Cow::Borrowed("[withheld]");
        }
        match text.char_indices().nth(MOST) {
            Some((end, _)) => Cow::Owned(format!("{}[…]", &text[..end])),
            None => Cow::Borrowed(text),
        }
    }

    /// Signs a token, waiting for the key if need be.
    pub(crate) async fn sign(&self, claims: &Value) -> Result<String, &'static str> {
        TOKENS
            .key()
            .await?
            .sign(claims)
            .map_err(|_| "the token could not be signed")
    }
}

/// Whether the secret can be read in the text. One of a few characters, which
/// only a configuration file can have, is in many texts by chance.
fn shows(text: &str, secret: &str) -> bool {
    text == secret || (secret.len() >= 6 && text.contains(secret))
}

/// Whether there is a JWT in the text (the header of each begins like this), a
/// code, a refresh token, or a key.
fn is_token(text: &str) -> bool {
    (text.contains("eyJ") && text.contains('.'))
        || [CODE_MARK, REFRESH_MARK, "-----BEGIN"]
            .iter()
            .any(|mark| text.contains(mark))
}
