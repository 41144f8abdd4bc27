//! The authority: the host that issues tokens, and whether it can be trusted with a credential.

#[cfg(test)]
mod tests;

use async_lock::OnceCell;
use azure_core::{
    cloud::CloudConfiguration,
    http::{Context, Method, Request, Url},
};
use serde::Deserialize;
use tracing::debug;

use crate::{Environment, IdentityError, http::HttpPipeline};

use super::tenant::ADFS;

/// Names the authority host for all credentials that are not told otherwise.
const AUTHORITY_HOST_VARIABLE: &str = "AZURE_AUTHORITY_HOST";

/// The authority hosts of Azure's clouds
/// ([documentation](https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud)).
#[derive(Debug)]
#[non_exhaustive]
pub struct AzureAuthorityHosts;

impl AzureAuthorityHosts {
    /// Azure's public cloud. The default.
    pub const AZURE_PUBLIC_CLOUD: &'static str = "https://login.microsoftonline.com";
    /// Azure operated by 21Vianet in China.
    pub const AZURE_CHINA: &'static str = "https://login.chinacloudapi.cn";
    /// Azure for the government of the United States.
    pub const AZURE_GOVERNMENT: &'static str = "https://login.microsoftonline.us";
}

/// Hosts that need no instance discovery, because they are known to be Microsoft's.
const KNOWN_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "login.microsoftonline.de",
    "login-us.microsoftonline.com",
    "login.microsoftonline.us",
    "login.usgovcloudapi.net",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
];

/// Of [`KNOWN_HOSTS`], those of the public cloud, whose regional endpoints share one domain.
const PUBLIC_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
];

/// The domain of the public cloud's regional endpoints.
const PUBLIC_REGIONAL_DOMAIN: &str = "login.microsoft.com";

/// Hosts of customers' own directories (Azure AD B2C, External ID), which instance discovery knows nothing of.
const CUSTOMER_SUFFIXES: &[&str] = &[
    ".b2clogin.com",
    ".b2clogin.cn",
    ".b2clogin.us",
    ".b2clogin.de",
    ".ciamlogin.com",
];

/// What a caller can say about the authority.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuthorityOptions {
    pub(crate) host: Option<String>,
    pub(crate) disable_instance_discovery: bool,
}

/// A host that issues tokens, with the path that leads to its tenants.
#[derive(Debug)]
pub(crate) struct Authority {
    /// Scheme, host, port and path, without a slash at the end.
    base: String,
    /// Whether it has regional endpoints: AD FS and customers' own directories have none.
    regional: bool,
    /// Whether instance discovery has to vouch for the host, and that it has done so.
    vouched: Option<OnceCell<()>>,
}

impl Authority {
    /// The option, then the cloud of the client options, then `AZURE_AUTHORITY_HOST`, then the public cloud.
    pub(crate) fn choose(
        options: &AuthorityOptions,
        cloud: Option<&CloudConfiguration>,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        if let Some(host) = options
            .host
            .as_deref()
            .filter(|host| !host.trim().is_empty())
        {
            return Self::parse(
                host,
                "the authority host",
                !options.disable_instance_discovery,
            );
        }
        match cloud {
            Some(CloudConfiguration::Custom(custom)) => {
                // Whoever sets this in code vouches for it.
                return Self::parse(
                    &custom.authority_host,
                    "the authority host of the cloud configuration",
                    false,
                );
            }
            Some(CloudConfiguration::AzurePublic) => {
                return Self::parse(AzureAuthorityHosts::AZURE_PUBLIC_CLOUD, "", false);
            }
            Some(CloudConfiguration::AzureGovernment) => {
                return Self::parse(AzureAuthorityHosts::AZURE_GOVERNMENT, "", false);
            }
            Some(CloudConfiguration::AzureChina) => {
                return Self::parse(AzureAuthorityHosts::AZURE_CHINA, "", false);
            }
            Some(other) => {
                return Err(IdentityError::configuration(format!(
                    "the cloud {other:?} is not known; set the authority host instead"
                )));
            }
            None => {}
        }
        match environment.variable(AUTHORITY_HOST_VARIABLE) {
            Some(host) => Self::parse(
                &host,
                "the environment variable AZURE_AUTHORITY_HOST",
                !options.disable_instance_discovery,
            ),
            None => Self::parse(AzureAuthorityHosts::AZURE_PUBLIC_CLOUD, "", false),
        }
    }

    /// Takes a host in any of the forms in use: with or without scheme, port, path and slashes at the end.
    fn parse(text: &str, whence: &str, discover: bool) -> Result<Self, IdentityError> {
        let text = text.trim();
        let wrong = |why: &str| {
            // What stands before an @ may be a password.
            let shown = text
                .rsplit_once('@')
                .map_or_else(|| text.to_owned(), |(_, rest)| format!("***@{rest}"));
            IdentityError::configuration(format!(
                "{whence} is {shown:?}, but {why}; write it as {}",
                AzureAuthorityHosts::AZURE_PUBLIC_CLOUD
            ))
        };
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url =
            Url::parse(with_scheme.trim_end_matches('/')).map_err(|_| wrong("that is no URL"))?;
        if url.scheme() != "https" {
            return Err(wrong(
                "an authority must be reached by https, since secrets are sent to it",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("an authority has no user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("an authority has no query and no fragment"));
        }
        let host = url.host_str().ok_or_else(|| wrong("it names no host"))?;
        let on_premises = url
            .path_segments()
            .and_then(|mut segments| segments.next())
            .is_some_and(|first| first.eq_ignore_ascii_case(ADFS));
        let customers = CUSTOMER_SUFFIXES
            .iter()
            .any(|suffix| host.ends_with(suffix));
        let known = KNOWN_HOSTS.contains(&host) || customers || on_premises;
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            regional: !customers && !on_premises,
            vouched: (discover && !known).then(OnceCell::new),
        })
    }

    /// Where tokens of a tenant are asked for.
    pub(crate) fn token_endpoint(&self, tenant: &str) -> Result<Url, IdentityError> {
        let address = if tenant == ADFS {
            format!("{}/adfs/oauth2/token", self.base)
        } else {
            format!("{}/{tenant}/oauth2/v2.0/token", self.base)
        };
        Url::parse(&address).map_err(|_| {
            IdentityError::configuration(format!(
                "{address:?} is no URL; check authority and tenant"
            ))
        })
    }

    /// The address in a region that stands for `endpoint` of this authority, if there are such.
    pub(super) fn in_region(&self, region: &str, endpoint: &Url) -> Option<Url> {
        let host = endpoint.host_str()?;
        let is_name = matches!(endpoint.host(), Some(url::Host::Domain(_)));
        if !self.regional || !is_name || endpoint.path().starts_with("/adfs/") {
            return None;
        }
        let domain = if PUBLIC_HOSTS.contains(&host) {
            PUBLIC_REGIONAL_DOMAIN
        } else {
            host
        };
        let mut regional = endpoint.clone();
        regional
            .set_host(Some(&format!("{region}.{domain}")))
            .ok()?;
        Some(regional)
    }

    /// Scheme, host, port and path, for messages.
    pub(crate) fn as_str(&self) -> &str {
        &self.base
    }

    /// Asks the public cloud, once, whether an unknown host belongs to Microsoft: a secret must not go elsewhere.
    pub(super) async fn ensure_known(
        &self,
        tenant: &str,
        http: &HttpPipeline,
        environment: &Environment,
    ) -> Result<(), IdentityError> {
        let Some(vouched) = self.vouched.as_ref().filter(|_| tenant != ADFS) else {
            return Ok(());
        };
        vouched
            .get_or_try_init(|| self.discover(tenant, http, environment))
            .await
            .copied()
    }

    async fn discover(
        &self,
        tenant: &str,
        http: &HttpPipeline,
        environment: &Environment,
    ) -> Result<(), IdentityError> {
        const REMEDY: &str = "if this is a private cloud or an emulator that you trust with your secrets, turn off \
                              instance discovery (the disable_instance_discovery option; azid: \
                              --disable-instance-discovery)";
        #[derive(Deserialize)]
        struct Answer {
            error: Option<String>,
            tenant_discovery_endpoint: Option<String>,
        }

        let judge = environment.instance_discovery_host();
        let mut url = Url::parse(judge)
            .and_then(|url| url.join("/common/discovery/instance"))
            .map_err(|_| {
                IdentityError::configuration(format!(
                    "the instance discovery host {judge:?} is no URL"
                ))
            })?;
        url.query_pairs_mut()
            .append_pair("api-version", "1.1")
            .append_pair(
                "authorization_endpoint",
                &format!("{}/{tenant}/oauth2/v2.0/authorize", self.base),
            );
        debug!(
            authority = self.base,
            "asking whether this authority host is known"
        );
        let answer = http
            .send(&Request::new(url, Method::Get), &Context::new(), &[])
            .await
            .map_err(|error| {
                IdentityError::transport(format!(
                    "{judge} could not be asked whether the authority {} is one of Microsoft's ({}); {REMEDY}",
                    self.base,
                    error.message()
                ))
            })?;
        match serde_json::from_slice::<Answer>(answer.body()) {
            Ok(known) if known.tenant_discovery_endpoint.is_some() && known.error.is_none() => {
                Ok(())
            }
            Ok(unknown) if unknown.error.as_deref() == Some("invalid_instance") => {
                Err(IdentityError::configuration(format!(
                    "the authority {} is not one of Microsoft's, says {judge}; check its spelling, or {REMEDY}",
                    self.base
                )))
            }
            _ => Err(IdentityError::authentication_failed(format!(
                "{judge} was asked whether the authority {} is one of Microsoft's and answered with HTTP {} and {}; \
                 try again later, or {REMEDY}",
                self.base,
                answer.status,
                answer.describe_body()
            ))),
        }
    }
}
