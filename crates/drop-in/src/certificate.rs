//! The official crate's `ClientCertificateCredential` and its options, used in each way that a program can use them.

use std::{fmt::Debug, sync::Arc};

use azure_core::{
    credentials::{Secret, SecretBytes, TokenCredential},
    http::ClientOptions,
};
use azure_identity::{ClientCertificateCredential, ClientCertificateCredentialOptions};

/// `ClientCertificateCredential::new`.
pub type NewClientCertificateCredential =
    fn(
        String,
        String,
        SecretBytes,
        Option<ClientCertificateCredentialOptions>,
    ) -> azure_core::Result<Arc<ClientCertificateCredential>>;

/// The function has this type.
pub fn signature() -> NewClientCertificateCredential {
    ClientCertificateCredential::new
}

/// All fields are public and have been named: the literal and the pattern need no `..`.
pub fn options(
    client_options: ClientOptions,
    password: Secret,
) -> ClientCertificateCredentialOptions {
    let options = ClientCertificateCredentialOptions {
        client_options,
        password: Some(password),
    };
    let ClientCertificateCredentialOptions {
        client_options,
        password,
    } = options.clone();
    ClientCertificateCredentialOptions {
        client_options,
        password,
    }
}

/// The traits that the types have.
pub fn traits() {
    fn credential<T: TokenCredential + Debug + Send + Sync + Unpin + 'static>() {}
    fn options<T: Clone + Default + Debug + Send + Sync + Unpin + 'static>() {}

    credential::<ClientCertificateCredential>();
    options::<ClientCertificateCredentialOptions>();
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_no_certificate_is_refused() {
        let new = super::signature();
        let options = super::options(azure_core::http::ClientOptions::default(), "x".into());
        let result = new(
            "contoso.example".into(),
            "client".into(),
            b"no certificate".to_vec().into(),
            Some(options),
        );
        assert!(result.is_err());
        super::traits();
    }
}
