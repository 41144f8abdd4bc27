//! Which tenant a request goes to: the credential's own, or another one that it may use.

use std::borrow::Cow;

use tracing::info;

use crate::{Environment, IdentityError};

/// Any text in it makes credentials ignore the tenant that a request names.
const DISABLE_MULTITENANT_AUTH: &str = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH";

/// The "tenant" of Active Directory Federation Services, which has no tenants.
pub(super) const ADFS: &str = "adfs";

/// The tenant a user's own is found from. No list of allowed tenants limits it.
const ORGANIZATIONS: &str = "organizations";

/// Most characters of a domain name, and of each of its parts
/// ([RFC 1035, section 2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Allows any tenant.
const WILDCARD: &str = "*";

/// The tenant of a credential and the others that a request may name.
#[derive(Clone, Debug)]
pub(crate) struct TenantRules {
    configured: String,
    allowed: Vec<String>,
    fixed: bool,
}

impl TenantRules {
    pub(crate) fn new(
        configured: &str,
        allowed: Vec<String>,
        environment: &Environment,
    ) -> Result<Self, IdentityError> {
        validate(configured)?;
        for tenant in &allowed {
            if tenant != WILDCARD {
                validate(tenant)?;
            }
        }
        Ok(Self {
            fixed: configured == ADFS || environment.variable(DISABLE_MULTITENANT_AUTH).is_some(),
            configured: configured.to_owned(),
            allowed,
        })
    }

    pub(crate) fn configured(&self) -> &str {
        &self.configured
    }

    /// The tenant to ask when a request names `requested`. Tenants are compared without regard to letter case.
    pub(crate) fn resolve<'a>(
        &'a self,
        requested: Option<&'a str>,
    ) -> Result<Cow<'a, str>, IdentityError> {
        let own = Cow::Borrowed(self.configured.as_str());
        let Some(requested) = requested.filter(|requested| !requested.is_empty()) else {
            return Ok(own);
        };
        if requested.eq_ignore_ascii_case(&self.configured) {
            return Ok(own);
        }
        if self.fixed {
            info!(
                "the tenant that the request names is ignored: this credential serves one tenant only"
            );
            return Ok(own);
        }
        validate(requested)?;
        let listed = self
            .allowed
            .iter()
            .any(|tenant| tenant == WILDCARD || tenant.eq_ignore_ascii_case(requested));
        let open = self.allowed.is_empty() && self.configured == ORGANIZATIONS;
        if listed || open {
            info!("using the tenant that the request names");
            return Ok(Cow::Borrowed(requested));
        }
        Err(IdentityError::authentication_failed(format!(
            "the request names the tenant {requested}, but this credential may use {} only; to allow it, add it (or \
             \"*\" for any) to the additionally_allowed_tenants option (azid: --additionally-allowed-tenant)",
            self.configured,
        )))
    }
}

/// Letters, digits, `-` and `.`: a GUID, a domain name or a well-known word.
fn validate(tenant: &str) -> Result<(), IdentityError> {
    if tenant.is_empty() {
        return Err(IdentityError::configuration(
            "the tenant is empty; give the tenant's id or one of its domain names",
        ));
    }
    // A domain name has limits; what goes beyond is a token in the wrong place.
    if tenant.len() > LONGEST_NAME || tenant.split('.').any(|label| label.len() > LONGEST_LABEL) {
        return Err(IdentityError::configuration(format!(
            "the tenant {tenant:?} is too long for a domain name; give the tenant's id or one of its domain names"
        )));
    }
    // Dots alone would climb through the authority's path.
    if !tenant.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(IdentityError::configuration(format!(
            "the tenant {tenant:?} has neither letter nor digit; give the tenant's id or one of its domain names"
        )));
    }
    match tenant
        .chars()
        .find(|&c| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'))
    {
        None => Ok(()),
        Some(bad) => Err(IdentityError::configuration(format!(
            "the tenant {tenant:?} contains {bad:?}; a tenant is an id such as \
             00000000-0000-0000-0000-000000000000 or a domain name, of letters, digits, '-' and '.' only",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    fn rules(configured: &str, allowed: &[&str], environment: &Environment) -> TenantRules {
        let allowed = allowed.iter().map(|&tenant| tenant.to_owned()).collect();
        TenantRules::new(configured, allowed, environment).unwrap()
    }

    #[test]
    fn requests_are_resolved_by_the_rules() {
        let none = Environment::builder().build();
        let off = Environment::builder()
            .variable(DISABLE_MULTITENANT_AUTH, "false")
            .build();
        for (configured, allowed, environment, requested, expected) in [
            ("own", &[][..], &none, None, Some("own")),
            ("own", &[], &none, Some(""), Some("own")),
            ("own", &[], &none, Some("OWN"), Some("own")),
            ("own", &[], &none, Some("other"), None),
            ("own", &["third"], &none, Some("other"), None),
            ("own", &["Other"], &none, Some("other"), Some("other")),
            ("own", &["*"], &none, Some("other"), Some("other")),
            ("own", &["*"], &off, Some("other"), Some("own")),
            ("adfs", &["*"], &none, Some("other"), Some("adfs")),
            ("organizations", &[], &none, Some("other"), Some("other")),
            ("organizations", &["x"], &none, Some("other"), None),
        ] {
            let rules = rules(configured, allowed, environment);
            let resolved = rules.resolve(requested);
            assert_eq!(
                resolved.as_deref().ok(),
                expected,
                "{configured} {allowed:?} {requested:?}"
            );
            if let Err(error) = resolved {
                assert_eq!(error.kind(), FailureKind::AuthenticationFailed);
                assert!(error.message().contains("other"), "{error}");
            }
        }
    }

    #[test]
    fn malformed_tenants_are_named() {
        let environment = Environment::builder().build();
        for bad in [
            "..",
            ".",
            "-",
            "contoso/../evil",
            "a b",
            "tenant\n",
            &"x".repeat(64),
            &"x.".repeat(127),
            "ümlaut",
        ] {
            let error = TenantRules::new(bad, vec![], &environment).unwrap_err();
            assert_eq!(error.kind(), FailureKind::Configuration);
            assert!(error.message().contains(&format!("{bad:?}")), "{error}");
            let allowed = rules("own", &["*"], &environment);
            assert_eq!(
                allowed.resolve(Some(bad)).unwrap_err().kind(),
                FailureKind::Configuration
            );
        }
        assert!(TenantRules::new("", vec![], &environment).is_err());
    }
}
