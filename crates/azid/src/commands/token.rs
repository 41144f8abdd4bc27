//! `azid token`: acquires one access token and prints it.

use std::process::ExitCode;

use azidentity::{AccessTokenInfo, TokenRequestOptions};
use azure_core::time::{OffsetDateTime, to_rfc3339};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    cli::{TokenArgs, TokenOutput},
    credentials,
    failure::Failure,
    output,
    transport::Transports,
};

use super::block_on;

pub(super) fn run(args: &TokenArgs) -> Result<ExitCode, Failure> {
    let transports = Transports::system();
    let credential = credentials::make(args, &transports)?;
    let scopes = scopes(args);
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let options = TokenRequestOptions {
        claims: args.request.claims.clone(),
        tenant_id: args.request.request_tenant_id.clone(),
        enable_cae: args.request.enable_cae,
    };
    let acquired = block_on(credential.get_token_info(&scopes, Some(options.into())))?;
    let token = acquired.map_err(|error| match transports.trouble() {
        Some(trouble) => Failure::Configuration(trouble.to_owned()),
        None => error.into(),
    })?;
    output::print(&render(&token, args.output))?;
    Ok(ExitCode::SUCCESS)
}

/// A resource's own slash is part of its name, so a resource that ends with one makes a scope with two.
fn scopes(args: &TokenArgs) -> Vec<String> {
    match &args.resource {
        Some(resource) => vec![format!("{resource}/.default")],
        None => args.scopes.clone(),
    }
}

fn render(token: &AccessTokenInfo, output: TokenOutput) -> Zeroizing<String> {
    let text = token.token();
    Zeroizing::new(match output {
        TokenOutput::Token => format!("{text}\n"),
        TokenOutput::Json => output::json_pretty(&Printed::from(token)),
        TokenOutput::Header => format!("Authorization: Bearer {text}\n"),
        TokenOutput::Env => format!(
            "export AZURE_ACCESS_TOKEN={}\nexport AZURE_ACCESS_TOKEN_EXPIRES_ON={}\n",
            output::shell_quote(text),
            token.expires_on().unix_timestamp()
        ),
    })
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(rename = "accessToken")]
    access_token: &'a str,
    #[serde(rename = "tokenType")]
    token_type: &'a str,
    expires_on: i64,
    #[serde(rename = "expiresOn")]
    expires_on_date: String,
    refresh_on: Option<i64>,
    tenant: Option<&'a str>,
    credential: &'a str,
}

impl<'a> From<&'a AccessTokenInfo> for Printed<'a> {
    fn from(token: &'a AccessTokenInfo) -> Self {
        Self {
            access_token: token.token(),
            token_type: token.token_type(),
            expires_on: token.expires_on().unix_timestamp(),
            expires_on_date: to_rfc3339(&token.expires_on()),
            refresh_on: token.refresh_on().map(OffsetDateTime::unix_timestamp),
            tenant: token.tenant(),
            credential: token.credential(),
        }
    }
}
