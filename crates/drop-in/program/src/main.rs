//! Goes round once: signs in as an application and as a machine, runs a tool, and prints what it found.
//!
//! Its server is in the process, behind `azure_core`'s `HttpClient`, so that it prints the same on every machine.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    io,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{Secret, TokenCredential},
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Method, Request, StatusCode, Transport,
        headers::Headers,
    },
    time::OffsetDateTime,
};
use azure_identity::{
    ClientSecretCredential, ClientSecretCredentialOptions, Executor, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, new_executor,
};

const SCOPE: &str = "https://vault.azure.net/.default";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if env::args_os().nth(1).is_some_and(|arg| arg == "tool") {
        println!(
            "a tool, run as {:?}",
            env::args().skip(1).collect::<Vec<_>>()
        );
        std::process::exit(3);
    }

    let server = Arc::new(Server::default());
    let identity = UserAssignedId::ClientId("11111111-2222-3333-4444-555555555555".into());
    println!("identity: {}", describe(&identity));
    let credentials: [(&str, Arc<dyn TokenCredential>); 2] = [
        ("application", application(&server)?),
        ("machine", machine(&server, identity)?),
    ];
    for (name, credential) in credentials {
        // The second time, the token is in memory.
        for _ in 0..2 {
            let token = credential.get_token(&[SCOPE], None).await?;
            let minutes = (token.expires_on - OffsetDateTime::now_utc()).whole_minutes();
            println!(
                "{name}: {}, good for {minutes} minutes",
                token.token.secret()
            );
        }
    }
    println!("requests: {}", server.requests.load(Ordering::SeqCst));

    match ClientSecretCredential::new("no tenant", "client".into(), "secret".into(), None) {
        Ok(credential) => println!("unexpected: {credential:?}"),
        Err(error) => println!("a wrong tenant: {:?}", error.kind()),
    }

    let executors: [Arc<dyn Executor>; 2] = [new_executor(), Arc::new(NoTools)];
    for executor in executors {
        let this = env::current_exe()?;
        let args = ["tool", "--flag"].map(OsStr::new);
        match executor.run(this.as_os_str(), &args).await {
            Ok(output) => println!(
                "{}, which ended with {:?}",
                String::from_utf8(output.stdout)?.trim(),
                output.status.code()
            ),
            Err(error) => println!("no tool: {error}"),
        }
    }
    Ok(())
}

fn application(server: &Arc<Server>) -> azure_core::Result<Arc<ClientSecretCredential>> {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = "https://login.example".into();
    ClientSecretCredential::new(
        "contoso.example",
        "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
        Secret::new("open sesame"),
        Some(ClientSecretCredentialOptions {
            client_options: ClientOptions {
                cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
                ..client_options(server)
            },
        }),
    )
}

fn machine(
    server: &Arc<Server>,
    id: UserAssignedId,
) -> azure_core::Result<Arc<ManagedIdentityCredential>> {
    ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: Some(id),
        client_options: client_options(server),
    }))
}

fn client_options(server: &Arc<Server>) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::clone(server) as Arc<dyn HttpClient>)),
        ..Default::default()
    }
}

fn describe(id: &UserAssignedId) -> String {
    match id {
        UserAssignedId::ClientId(id) => format!("client {id}"),
        UserAssignedId::ObjectId(id) => format!("object {id}"),
        UserAssignedId::ResourceId(id) => format!("resource {id}"),
        other => format!("{other:?}"),
    }
}

/// Gives out tokens, numbered.
#[derive(Debug, Default)]
struct Server {
    requests: AtomicUsize,
}

#[async_trait]
impl HttpClient for Server {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let url = request.url();
        let host = url.host_str().unwrap_or_default();
        let place = format!("{} {host}{}", request.method(), url.path());
        println!("asked: {place}");
        let expected = match request.method() {
            Method::Post => "POST login.example/contoso.example/oauth2/v2.0/token",
            _ => "GET 169.254.169.254/metadata/identity/oauth2/token",
        };
        if place != expected {
            return Ok(answer(StatusCode::NotFound, "{}".into()));
        }
        let expires_on = OffsetDateTime::now_utc().unix_timestamp() + 3630;
        let body = format!(
            r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":3630,
                "expires_on":"{expires_on}","resource":"https://vault.azure.net"}}"#
        );
        Ok(answer(StatusCode::Ok, body))
    }
}

fn answer(status: StatusCode, body: String) -> AsyncRawResponse {
    let mut headers = Headers::new();
    headers.insert("content-type", "application/json");
    AsyncRawResponse::from_bytes(status, headers, body)
}

/// For places where nothing may be run.
#[derive(Debug)]
struct NoTools;

#[async_trait]
impl Executor for NoTools {
    async fn run(&self, _program: &OsStr, _args: &[&OsStr]) -> io::Result<Output> {
        Err(io::Error::other("nothing is run here"))
    }
}
