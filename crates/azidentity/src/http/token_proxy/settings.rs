//! The variables that the cluster sets.

use azure_core::http::Url;
use url::Host;

use crate::{Environment, IdentityError};

use super::roots::{CA_DATA, CA_FILE, Roots};

pub(super) const PROXY: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
const SNI_NAME: &str = "AZURE_KUBERNETES_SNI_NAME";

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) proxy: Url,
    pub(super) server_name: Option<String>,
    pub(super) roots: Roots,
}

impl Settings {
    /// `None` where no proxy is set.
    pub(super) fn read(environment: &Environment) -> Result<Option<Self>, IdentityError> {
        let [proxy, file, data, name] =
            [PROXY, CA_FILE, CA_DATA, SNI_NAME].map(|name| environment.variable(name));
        let Some(proxy) = proxy else {
            let others: Vec<&str> = [(CA_FILE, file), (CA_DATA, data), (SNI_NAME, name)]
                .into_iter()
                .filter_map(|(name, value)| value.map(|_| name))
                .collect();
            if others.is_empty() {
                return Ok(None);
            }
            return Err(IdentityError::configuration(format!(
                "the variable {PROXY} is not set, although {} belongs to it; set it to the address of the token proxy, \
                 or unset the rest",
                others.join(", ")
            )));
        };
        let roots = match (file, data) {
            (Some(_), Some(_)) => {
                return Err(IdentityError::configuration(format!(
                    "both variables {CA_FILE} and {CA_DATA} are set; only one of them can say whom to trust, so unset \
                     the other"
                )));
            }
            (Some(path), None) => Roots::File(path.into()),
            (None, Some(pem)) => Roots::Data(pem.into_bytes()),
            (None, None) => Roots::System,
        };
        Ok(Some(Self {
            proxy: parse_proxy(&proxy)?,
            server_name: name.as_deref().map(parse_name).transpose()?,
            roots,
        }))
    }
}

fn parse_proxy(text: &str) -> Result<Url, IdentityError> {
    let wrong = |shown: &str, why: &str| {
        Err(IdentityError::configuration(format!(
            "the variable {PROXY} is {shown}, which {why}; it has to be an https address such as \
             https://HOST:PORT/PATH"
        )))
    };
    // What could hold a password is not shown.
    let hidden = "not shown here";
    let Ok(url) = Url::parse(text.trim()) else {
        return wrong(hidden, "is no URL");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(hidden, "holds a user name or password");
    }
    if url.query().is_some() {
        return wrong(hidden, "has a query");
    }
    if url.fragment().is_some() {
        return wrong(hidden, "has a fragment");
    }
    if url.scheme() != "https" {
        return wrong(
            &format!("{:?}", url.as_str()),
            "does not begin with https://",
        );
    }
    Ok(url)
}

/// A name can be asked of the proxy by TLS and be compared with its certificate; an address can't.
fn parse_name(text: &str) -> Result<String, IdentityError> {
    match Host::parse(text.trim()) {
        Ok(Host::Domain(name)) => Ok(name),
        _ => Err(IdentityError::configuration(format!(
            "the variable {SNI_NAME} is {text:?}, which is no host name; it has to be the name in the certificate of the \
             token proxy"
        ))),
    }
}
