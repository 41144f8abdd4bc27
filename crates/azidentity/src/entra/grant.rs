//! What is sent to a token endpoint: the grant, and how the application proves who it is.

use std::sync::atomic::{AtomicBool, Ordering};

use url::form_urlencoded::Serializer;

use crate::{
    IdentityError,
    secret::SecretText,
    token::{TokenRequest, parse_claims},
};

use super::authentication::{JWT_BEARER, Proof};

/// Scopes that bring the tokens about and for a user: an id token with name and profile, and a refresh token
/// ([OpenID Connect Core, sections 5.4 and 11](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims)).
const USER_SCOPES: [&str; 3] = ["offline_access", "openid", "profile"];

/// An OAuth 2.0 grant ([RFC 6749, section 1.3](https://www.rfc-editor.org/rfc/rfc6749#section-1.3)).
#[derive(Debug)]
pub(crate) enum Grant<'a> {
    /// The application in its own name.
    ClientCredentials,
    /// The application for the user whose token it was sent
    /// ([documentation](https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow)).
    OnBehalfOf {
        /// The user's token for this application.
        assertion: &'a SecretText,
    },
    /// A code that a user's sign-in has brought
    /// ([RFC 6749, section 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3)).
    AuthorizationCode {
        code: &'a SecretText,
        redirect_uri: &'a str,
        /// What the code challenge was made from ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)), if there was one.
        code_verifier: Option<&'a SecretText>,
        /// Set when the code is on its way and so must not be sent again.
        sent: &'a AtomicBool,
    },
    /// What an earlier answer brought for later
    /// ([RFC 6749, section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).
    RefreshToken(&'a SecretText),
}

impl Grant<'_> {
    fn grant_type(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::OnBehalfOf { .. } => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::RefreshToken(_) => "refresh_token",
        }
    }

    /// What must not be seen in anything the server sends back.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::ClientCredentials => None,
            Self::OnBehalfOf { assertion: secret }
            | Self::AuthorizationCode { code: secret, .. }
            | Self::RefreshToken(secret) => Some(secret.expose()),
        }
    }

    /// Whether the answer is about a user.
    pub(super) fn concerns_user(&self) -> bool {
        !matches!(self, Self::ClientCredentials)
    }

    /// Whether the grant is used up by the first request that reaches the server.
    pub(super) fn works_once(&self) -> bool {
        matches!(self, Self::AuthorizationCode { .. })
    }

    /// To be called right before the request goes out.
    pub(super) fn note_sent(&self) {
        if let Self::AuthorizationCode { sent, .. } = self {
            sent.store(true, Ordering::Relaxed);
        }
    }
}

/// The form that asks for a token.
pub(super) fn form(
    client_id: &str,
    grant: &Grant<'_>,
    proof: &Proof<'_>,
    request: &TokenRequest,
) -> Result<String, IdentityError> {
    let mut scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", client_id)
        .append_pair("grant_type", grant.grant_type());
    match grant {
        Grant::ClientCredentials => {}
        Grant::OnBehalfOf { assertion } => {
            form.append_pair("assertion", assertion.expose())
                .append_pair("requested_token_use", "on_behalf_of");
        }
        Grant::AuthorizationCode {
            code,
            redirect_uri,
            code_verifier,
            ..
        } => {
            form.append_pair("code", code.expose())
                .append_pair("redirect_uri", redirect_uri);
            if let Some(verifier) = code_verifier {
                form.append_pair("code_verifier", verifier.expose());
            }
        }
        Grant::RefreshToken(token) => {
            form.append_pair("refresh_token", token.expose());
        }
    }
    if grant.concerns_user() {
        scopes.extend(
            USER_SCOPES
                .iter()
                .filter(|&&scope| !request.scopes.iter().any(|own| own == scope)),
        );
        // Asks for the ids of the user and the tenant that MSAL calls the home account.
        form.append_pair("client_info", "1");
    }
    form.append_pair("scope", &scopes.join(" "));
    match proof {
        Proof::Nothing => {}
        Proof::Secret(secret) => {
            form.append_pair("client_secret", secret.expose());
        }
        Proof::Assertion(assertion) => {
            form.append_pair("client_assertion_type", JWT_BEARER)
                .append_pair("client_assertion", assertion.expose());
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
            user: None,
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
