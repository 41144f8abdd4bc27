//! What is sent to a token endpoint: the grant, and how the application proves who it is.

use url::form_urlencoded::Serializer;

use crate::{
    IdentityError,
    secret::SecretText,
    token::{TokenRequest, parse_claims},
};

/// An OAuth 2.0 grant ([RFC 6749, section 1.3](https://www.rfc-editor.org/rfc/rfc6749#section-1.3)).
#[derive(Debug)]
pub(crate) enum Grant {
    /// The application in its own name.
    ClientCredentials,
}

/// How an application authenticates itself with the token endpoint.
#[derive(Debug)]
pub(crate) enum ClientAuthentication {
    /// A shared secret.
    Secret(SecretText),
}

impl Grant {
    fn grant_type(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
        }
    }
}

impl ClientAuthentication {
    /// What must not be seen in anything the server sends back.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Secret(secret) => std::iter::once(secret.expose()),
        }
    }
}

/// The form that asks for a token.
pub(super) fn form(
    client_id: &str,
    grant: &Grant,
    authentication: &ClientAuthentication,
    request: &TokenRequest,
) -> Result<String, IdentityError> {
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", client_id)
        .append_pair("grant_type", grant.grant_type())
        .append_pair("scope", &request.scopes.join(" "));
    match authentication {
        ClientAuthentication::Secret(secret) => {
            form.append_pair("client_secret", secret.expose());
        }
    }
    if let Some(claims) = claims(request)? {
        form.append_pair("claims", &claims);
    }
    Ok(form.finish())
}

/// The caller's claims, and the capability to handle claims challenges when that was asked for.
///
/// Without the capability the caller's text is sent as it stands.
fn claims(request: &TokenRequest) -> Result<Option<String>, IdentityError> {
    let given = request.claims.as_deref();
    if !request.enable_cae {
        return Ok(given.map(str::to_owned));
    }
    let mut claims = given.map_or_else(|| Ok(serde_json::Map::new()), parse_claims)?;
    let access_token = claims
        .entry("access_token")
        .or_insert_with(|| serde_json::json!({}));
    let Some(access_token) = access_token.as_object_mut() else {
        return Err(IdentityError::configuration(
            "the claims have an access_token that is no JSON object; pass the claims challenge as the service sent it",
        ));
    };
    // CP1: "I can handle claims challenges".
    access_token.insert("xms_cc".into(), serde_json::json!({"values": ["CP1"]}));
    Ok(Some(serde_json::Value::Object(claims).to_string()))
}

#[cfg(test)]
mod tests {
    use azure_core::http::Context;

    use super::*;
    use crate::token::ChainContext;

    fn claims_of(claims: Option<&str>, enable_cae: bool) -> Result<Option<String>, IdentityError> {
        super::claims(&TokenRequest {
            scopes: vec![],
            tenant: String::new(),
            claims: claims.map(str::to_owned),
            enable_cae,
            chain: ChainContext::None,
            context: Context::new(),
        })
    }

    #[test]
    fn claims_are_merged_with_the_capability() {
        let capability = r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#;
        for (given, cae, expected) in [
            (None, false, None),
            (Some(r#"{ "a": 1 }"#), false, Some(r#"{ "a": 1 }"#)),
            (None, true, Some(capability)),
            (
                Some(r#"{"access_token":{"xms_cc":{"values":["x"]}}}"#),
                true,
                Some(capability),
            ),
            (
                Some(r#"{"access_token":{"nbf":{"essential":true}},"id_token":{}}"#),
                true,
                Some(
                    r#"{"access_token":{"nbf":{"essential":true},"xms_cc":{"values":["CP1"]}},"id_token":{}}"#,
                ),
            ),
        ] {
            let merged = claims_of(given, cae).unwrap();
            let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(merged.as_deref().map(parse), expected.map(parse));
            if !cae {
                assert_eq!(merged.as_deref(), expected, "byte for byte");
            }
        }
    }

    #[test]
    fn claims_that_are_no_object_are_refused() {
        for bad in ["", "nonsense", "[]", "1", r#"{"access_token":1}"#] {
            let error = claims_of(Some(bad), true).expect_err(bad);
            assert_eq!(error.kind(), crate::FailureKind::Configuration);
        }
    }
}
