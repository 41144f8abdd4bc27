//! Options that choose whose token it is. Ignoring one of them would hand out a token of somebody else.

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

    /// How messages name it.
    pub(super) fn option(self) -> &'static str {
        match self {
            Self::Tenant => "--tenant-id",
            Self::Client => "--client-id",
            Self::ClientSecretFile => "--client-secret-file",
            Self::Certificate => "a --certificate-… option",
            Self::AssertionFile => "--assertion-file",
            Self::AssertionFrom => "--assertion-from",
            Self::ServiceConnection => "--service-connection-id",
            Self::TokenFile => "--token-file-path",
            Self::UserAssertion => "--user-assertion-file",
            Self::Code => "--authorization-code or --redirect-uri",
            Self::ObjectId => "--object-id",
            Self::ResourceId => "--resource-id",
            Self::Members => "--exclude and --include",
        }
    }

    pub(super) fn is_given(self, args: &TokenArgs) -> bool {
        let TokenArgs {
            entra,
            proof,
            user,
            identity,
            members,
            ..
        } = args;
        match self {
            Self::Tenant => entra.tenant_id.is_some(),
            Self::Client => entra.client_id.is_some(),
            Self::ClientSecretFile => proof.client_secret_file.is_some(),
            Self::Certificate => {
                proof.certificate_path.is_some()
                    || proof.certificate_password_file.is_some()
                    || proof.send_certificate_chain
            }
            Self::AssertionFile => proof.assertion_file.is_some(),
            Self::AssertionFrom => proof.assertion_from.is_some(),
            Self::ServiceConnection => proof.service_connection_id.is_some(),
            Self::TokenFile => proof.token_file_path.is_some(),
            Self::UserAssertion => user.user_assertion_file.is_some(),
            Self::Code => user.authorization_code.is_some() || user.redirect_uri.is_some(),
            Self::ObjectId => identity.object_id.is_some(),
            Self::ResourceId => identity.resource_id.is_some(),
            Self::Members => !(members.exclude.is_empty() && members.include.is_empty()),
        }
    }
}
