//! What applications prove themselves with.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use url::Url;

use super::Assembly;
use crate::config::{ConfigError, file};
use crate::jwt::Jwk;
use crate::oidc::Issuer;
use crate::world::{
    FederatedCredential, IssuerKeys, RegisteredCertificate, Source, TrustedSubject,
};
use crate::x509::Certificate;

/// How the emulator's own issuers are called in a file.
const OWN: &str = "emulator:";

impl Assembly<'_> {
    pub(super) fn certificates(
        &self,
        certificates: Vec<Spanned<file::Text>>,
    ) -> Result<Vec<RegisteredCertificate>, ConfigError> {
        let one = |written: Spanned<file::Text>| {
            let span = written.span();
            let file::Text { pem, file } = written.into_inner();
            let certificate = self.certificate(pem, file, &span)?;
            Ok(RegisteredCertificate(Source::Given(certificate)))
        };
        certificates.into_iter().map(one).collect()
    }

    pub(super) fn trusted_subjects(
        &self,
        subjects: Vec<Spanned<file::TrustedSubject>>,
    ) -> Result<Vec<TrustedSubject>, ConfigError> {
        let one = |written: Spanned<file::TrustedSubject>| {
            let span = written.span();
            let written = written.into_inner();
            let authority = self.certificate(written.pem, written.file, &span)?;
            Ok(TrustedSubject {
                common_name: written.common_name,
                authority: Source::Given(authority),
            })
        };
        subjects.into_iter().map(one).collect()
    }

    pub(super) fn federated(
        &self,
        credentials: Vec<Spanned<file::FederatedCredential>>,
    ) -> Result<Vec<FederatedCredential>, ConfigError> {
        let one = |written: Spanned<file::FederatedCredential>| {
            let span = written.span();
            let written = written.into_inner();
            let keys = self.issuer_keys(&written, &span)?;
            Ok(FederatedCredential {
                issuer: written.issuer,
                subject: written.subject,
                audience: written
                    .audience
                    .unwrap_or_else(|| FederatedCredential::AUDIENCE.to_owned()),
                keys,
            })
        };
        credentials.into_iter().map(one).collect()
    }

    pub(super) fn redirect_uris(
        &self,
        uris: Vec<Spanned<String>>,
    ) -> Result<Vec<String>, ConfigError> {
        let one = |uri: Spanned<String>| match Url::parse(uri.get_ref()) {
            Ok(url) if url.fragment().is_none() => Ok(uri.into_inner()),
            _ => Err(self.error(
                &uri.span(),
                format!("`{}` is not a whole URL without fragment", uri.get_ref()),
            )),
        };
        uris.into_iter().map(one).collect()
    }

    fn issuer_keys(
        &self,
        written: &file::FederatedCredential,
        span: &Range<usize>,
    ) -> Result<IssuerKeys, ConfigError> {
        let given = (&written.keys, &written.keys_file);
        if let Some(name) = written.issuer.strip_prefix(OWN) {
            let issuer = Issuer::named(name).ok_or_else(|| {
                let names: Vec<_> = Issuer::names().collect();
                let message = format!("`{OWN}{name}` is none of {OWN}{}", names.join(", "));
                self.error(span, message)
            })?;
            return match given {
                (None, None) => Ok(IssuerKeys::Own(issuer)),
                _ => Err(self.error(span, "the emulator's own issuers have keys of their own")),
            };
        }
        let json = match given {
            (Some(keys), None) => keys.clone(),
            (None, Some(path)) => self.read(path, span)?,
            _ => return Err(self.error(span, "an issuer needs one of `keys` and `keys_file`")),
        };
        let keys = Jwk::set(&json).map_err(|why| {
            self.error(span, format!("the keys are not a JSON Web Key Set: {why}"))
        })?;
        Ok(IssuerKeys::Given(keys))
    }

    /// The first certificate of a text or file.
    fn certificate(
        &self,
        pem: Option<String>,
        file: Option<PathBuf>,
        span: &Range<usize>,
    ) -> Result<Certificate, ConfigError> {
        let text = match (pem, file) {
            (Some(pem), None) => pem,
            (None, Some(path)) => self.read(&path, span)?,
            _ => return Err(self.error(span, "a certificate needs one of `pem` and `file`")),
        };
        let found = Certificate::all_from_pem(&text).and_then(|all| all.into_iter().next());
        found.ok_or_else(|| self.error(span, "there is no certificate in PEM that can be read"))
    }

    fn read(&self, path: &Path, span: &Range<usize>) -> Result<String, ConfigError> {
        std::fs::read_to_string(path)
            .map_err(|error| self.error(span, format!("cannot read `{}`: {error}", path.display())))
    }
}
