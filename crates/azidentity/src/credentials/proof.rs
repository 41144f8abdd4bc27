//! How an application proves who it is, for credentials that leave the choice: a secret, a certificate or an assertion.

#[cfg(feature = "client_certificate")]
use crate::entra::{CertificateAssertion, ClientCertificate};
use crate::{
    Environment, IdentityError,
    entra::{AssertionSource, ClientAuthentication},
    secret::SecretText,
};

/// What a builder has been told so far.
#[derive(Default)]
pub(super) struct ProofSettings {
    pub(super) secret: Option<SecretText>,
    #[cfg(feature = "client_certificate")]
    pub(super) certificate: Option<ClientCertificate>,
    #[cfg(feature = "client_certificate")]
    pub(super) password: Option<SecretText>,
    #[cfg(feature = "client_certificate")]
    pub(super) send_chain: Option<bool>,
    pub(super) assertion: Option<Box<MakeSource>>,
}

/// Makes a source of assertions once the builder's last word about the environment is known.
pub(super) type MakeSource = dyn FnOnce(Environment) -> Box<dyn AssertionSource> + Send + Sync;

impl ProofSettings {
    /// The one proof that was given; `None` without any.
    pub(super) fn choose(
        self,
        environment: &Environment,
    ) -> Result<Option<ClientAuthentication>, IdentityError> {
        let mut given = Vec::new();
        if let Some(secret) = self.secret {
            if secret.expose().is_empty() {
                return Err(IdentityError::configuration(
                    "the client secret is empty; give the value of one of the application's client secrets",
                ));
            }
            given.push(("client_secret", ClientAuthentication::Secret(secret)));
        }
        #[cfg(feature = "client_certificate")]
        if let Some(certificate) = self.certificate {
            let loaded = CertificateAssertion::load(
                &certificate,
                self.password.as_ref(),
                self.send_chain,
                environment,
            )?;
            given.push(("client_certificate", loaded.into_authentication()));
        }
        if let Some(make) = self.assertion {
            let source = make(environment.clone());
            given.push(("client_assertion", ClientAuthentication::Assertion(source)));
        }
        if given.len() > 1 {
            let names: Vec<&str> = given.iter().map(|(name, _)| *name).collect();
            return Err(IdentityError::configuration(format!(
                "{} are set, but an application proves itself in one way; leave the one that is meant",
                names.join(" and ")
            )));
        }
        Ok(given.pop().map(|(_, authentication)| authentication))
    }
}

/// The setters of [`ProofSettings`], for a builder that has them in its field `proof`.
macro_rules! proof_setters {
    () => {
        /// Proves the application with the value of one of its client secrets.
        #[must_use]
        pub fn client_secret(mut self, secret: impl Into<azure_core::credentials::Secret>) -> Self {
            self.proof.secret = Some($crate::secret::SecretText::from(&secret.into()));
            self
        }

        /// Proves the application with a certificate that is registered with it, and its RSA key. It is read when the
        /// credential is built.
        #[cfg(feature = "client_certificate")]
        #[must_use]
        pub fn client_certificate(
            mut self,
            certificate: impl Into<$crate::ClientCertificate>,
        ) -> Self {
            self.proof.certificate = Some(certificate.into());
            self
        }

        /// Sets the password that protects the certificate's private key. Default: none.
        #[cfg(feature = "client_certificate")]
        #[must_use]
        pub fn certificate_password(
            mut self,
            password: impl Into<azure_core::credentials::Secret>,
        ) -> Self {
            self.proof.password = Some($crate::secret::SecretText::from(&password.into()));
            self
        }

        /// Sends the certificate's chain along, for applications that trust an issuer instead of single certificates.
        /// Default: what `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` says (`1` or `true`), else false.
        #[cfg(feature = "client_certificate")]
        #[must_use]
        pub fn send_certificate_chain(mut self, send: bool) -> Self {
            self.proof.send_chain = Some(send);
            self
        }

        /// Proves the application with assertions that the caller supplies, a new one for each exchange.
        #[must_use]
        pub fn client_assertion(mut self, assertion: impl $crate::ClientAssertion) -> Self {
            self.proof.assertion = Some(Box::new(|environment| {
                Box::new($crate::credentials::client_assertion::Supplied::new(
                    assertion,
                    environment,
                ))
            }));
            self
        }
    };
}

pub(crate) use proof_setters;
