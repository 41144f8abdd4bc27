//! Options that choose whose token it is, or by what. Ignoring one of them would hand out a token of somebody else.

use crate::cli::TokenArgs;

/// One such option, or several that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Tenant,
    Client,
    ClientSecretFile,
    /// The certificate, its password, its chain.
    Certificate,
    AssertionFile,
    AssertionFrom,
    ServiceConnection,
    TokenFile,
    UserAssertion,
    /// The code and where it was sent.
    Code,
    ObjectId,
    ResourceId,
    Members,
}

impl Choice {
    pub(super) const ALL: [Self; 13] = [
        Self::Tenant,
        Self::Client,
        Self::ClientSecretFile,
        Self::Certificate,
        Self::AssertionFile,
        Self::AssertionFrom,
        Self::ServiceConnection,
        Self::TokenFile,
        Self::UserAssertion,
        Self::Code,
        Self::ObjectId,
        Self::ResourceId,
        Self::Members,
    ];

    /// The first of its options that is given.
    pub(super) fn given(self, args: &TokenArgs) -> Option<&'static str> {
        let TokenArgs {
            entra,
            proof,
            user,
            identity,
            members,
            ..
        } = args;
        match self {
            Self::Tenant => first([("--tenant-id", entra.tenant_id.is_some())]),
            Self::Client => first([("--client-id", entra.client_id.is_some())]),
            Self::ClientSecretFile => {
                first([("--client-secret-file", proof.client_secret_file.is_some())])
            }
            Self::Certificate => first([
                ("--certificate-path", proof.certificate_path.is_some()),
                (
                    "--certificate-password-file",
                    proof.certificate_password_file.is_some(),
                ),
                ("--send-certificate-chain", proof.send_certificate_chain),
            ]),
            Self::AssertionFile => first([("--assertion-file", proof.assertion_file.is_some())]),
            Self::AssertionFrom => first([("--assertion-from", proof.assertion_from.is_some())]),
            Self::ServiceConnection => first([(
                "--service-connection-id",
                proof.service_connection_id.is_some(),
            )]),
            Self::TokenFile => first([("--token-file-path", proof.token_file_path.is_some())]),
            Self::UserAssertion => {
                first([("--user-assertion-file", user.user_assertion_file.is_some())])
            }
            Self::Code => first([
                ("--authorization-code", user.authorization_code.is_some()),
                ("--redirect-uri", user.redirect_uri.is_some()),
            ]),
            Self::ObjectId => first([("--object-id", identity.object_id.is_some())]),
            Self::ResourceId => first([("--resource-id", identity.resource_id.is_some())]),
            Self::Members => first([
                ("--exclude", !members.exclude.is_empty()),
                ("--include", !members.include.is_empty()),
            ]),
        }
    }
}

fn first<const N: usize>(options: [(&'static str, bool); N]) -> Option<&'static str> {
    options
        .into_iter()
        .find(|(_, given)| *given)
        .map(|(option, _)| option)
}
