//! What applications prove themselves with, other than secrets.

use crate::client_certificate;
use crate::jwt::Jwk;
use crate::oidc::Issuer;
use crate::x509::Certificate;

/// A certificate that was registered for an application.
#[derive(Clone, Debug)]
pub struct RegisteredCertificate(pub(crate) Source);

/// Where a certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Given(Certificate),
    /// The one of this process, which does not exist until somebody asks for it.
    OfThisProcess,
}

impl RegisteredCertificate {
    /// The certificate in DER. `None` for the built-in world's, as long as
    /// nobody has asked for it
    /// ([`Emulator::client_certificate`](crate::Emulator::client_certificate)).
    pub fn der(&self) -> Option<&[u8]> {
        self.certificate().map(Certificate::der)
    }

    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        match &self.0 {
            Source::Given(certificate) => Some(certificate),
            Source::OfThisProcess => Some(&client_certificate::made()?.registered),
        }
    }
}

/// Trust in whatever certificate an authority issues for a name, so that
/// certificates can be renewed without registering them (subject name and
/// issuer authentication).
#[derive(Clone, Debug)]
pub(crate) struct TrustedSubject {
    /// The common name of the certificate.
    pub(crate) common_name: String,
    pub(crate) authority: Source,
}

impl TrustedSubject {
    pub(crate) fn authority(&self) -> Option<&Certificate> {
        match &self.authority {
            Source::Given(certificate) => Some(certificate),
            Source::OfThisProcess => Some(&client_certificate::made()?.authority),
        }
    }
}

/// Trust in the tokens that another issuer gives to one subject (workload
/// identity federation).
///
/// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>
#[derive(Clone, Debug)]
pub struct FederatedCredential {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
    pub(crate) keys: IssuerKeys,
}

/// Where the keys of an issuer come from.
#[derive(Clone, Debug)]
pub(crate) enum IssuerKeys {
    Given(Vec<Jwk>),
    /// One of the emulator's own issuers.
    Own(Issuer),
}

impl FederatedCredential {
    /// The audience that Entra recommends, and the default here.
    pub const AUDIENCE: &'static str = "api://AzureADTokenExchange";

    /// The issuer. One of the emulator's own is called `emulator:github` and so
    /// on; its tokens have an address of the emulator in its place.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject, which has to be the same to the letter.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The audience, which has to be the same to the letter.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Trusts one of the emulator's own issuers.
    pub(crate) fn own(issuer: Issuer, subject: &str) -> Self {
        Self {
            issuer: format!("emulator:{}", issuer.name()),
            subject: subject.to_owned(),
            audience: Self::AUDIENCE.to_owned(),
            keys: IssuerKeys::Own(issuer),
        }
    }

    /// The issuer as tokens have it.
    pub(crate) fn issuer_url(&self, authority: &str) -> String {
        match &self.keys {
            IssuerKeys::Given(_) => self.issuer.clone(),
            IssuerKeys::Own(issuer) => issuer.url(authority),
        }
    }
}
