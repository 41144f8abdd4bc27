//! One token request with the official crate, on a runtime as small as `azid`'s. `.ci/measure-start` compares `azid token`
//! with it.
//!
//! Arguments: authority host, tenant, client id, scope. The secret comes from `AZURE_CLIENT_SECRET`.

use std::{env, error::Error, sync::Arc};

use azure_core::{cloud::CustomConfiguration, credentials::TokenCredential, http::ClientOptions};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [authority, tenant, client, scope] = arguments.as_slice() else {
        return Err("arguments: AUTHORITY TENANT CLIENT_ID SCOPE".into());
    };
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host.clone_from(authority);
    let options = ClientSecretCredentialOptions {
        client_options: ClientOptions {
            cloud: Some(Arc::new(cloud.into())),
            ..Default::default()
        },
    };
    let secret = env::var("AZURE_CLIENT_SECRET")?;
    let credential =
        ClientSecretCredential::new(tenant, client.clone(), secret.into(), Some(options))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let token = runtime.block_on(credential.get_token(&[scope], None))?;
    println!("{}", token.token.secret());
    Ok(())
}
