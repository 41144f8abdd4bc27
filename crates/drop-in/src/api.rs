// Each public item of the official `azure_identity` crate that we have, too, used in each way that a program can use it.
//
// Compiled against both crates, in one of them by `include!`, which is why this comment is none of the module.

use std::{
    ffi::OsStr,
    fmt::Debug,
    io,
    panic::{RefUnwindSafe, UnwindSafe},
    path::PathBuf,
    pin::Pin,
    process::Output,
    sync::Arc,
};

use async_trait::async_trait;
use azure_core::{
    credentials::{Secret, TokenCredential},
    http::{ClientMethodOptions, ClientOptions},
};
use azure_identity::{
    AzurePipelinesCredential, AzurePipelinesCredentialOptions, ClientAssertion,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, Executor, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions, new_executor,
};

/// `ClientSecretCredential::new`.
pub type NewClientSecretCredential = fn(
    &str,
    String,
    Secret,
    Option<ClientSecretCredentialOptions>,
) -> azure_core::Result<Arc<ClientSecretCredential>>;

/// `ManagedIdentityCredential::new`.
pub type NewManagedIdentityCredential = fn(
    Option<ManagedIdentityCredentialOptions>,
) -> azure_core::Result<Arc<ManagedIdentityCredential>>;

/// `ClientAssertionCredential::new`, for a supplier of assertions.
pub type NewClientAssertionCredential<C> =
    fn(
        String,
        String,
        C,
        Option<ClientAssertionCredentialOptions>,
    ) -> azure_core::Result<Arc<ClientAssertionCredential<C>>>;

/// `WorkloadIdentityCredential::new`.
pub type NewWorkloadIdentityCredential = fn(
    Option<WorkloadIdentityCredentialOptions>,
) -> azure_core::Result<Arc<WorkloadIdentityCredential>>;

/// `AzurePipelinesCredential::new`, for a system access token of a type.
pub type NewAzurePipelinesCredential<T> = fn(
    String,
    String,
    &str,
    T,
    Option<AzurePipelinesCredentialOptions>,
) -> azure_core::Result<Arc<AzurePipelinesCredential>>;

/// `new_executor`.
pub type NewExecutor = fn() -> Arc<dyn Executor>;

/// What `Executor::run` returns, written out.
pub type Run<'a> = Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'a>>;

/// The functions have these types.
pub fn signatures() -> (
    NewClientSecretCredential,
    NewManagedIdentityCredential,
    NewExecutor,
) {
    (
        ClientSecretCredential::new,
        ManagedIdentityCredential::new,
        new_executor,
    )
}

/// The functions of credentials that go by assertions have these types.
pub fn signatures_with_assertions() -> (
    NewClientAssertionCredential<Supplier>,
    NewWorkloadIdentityCredential,
    NewAzurePipelinesCredential<Secret>,
    NewAzurePipelinesCredential<String>,
) {
    (
        ClientAssertionCredential::new,
        WorkloadIdentityCredential::new,
        AzurePipelinesCredential::new,
        AzurePipelinesCredential::new,
    )
}

/// A program's own supplier of assertions.
#[derive(Debug)]
pub struct Supplier;

#[async_trait]
impl ClientAssertion for Supplier {
    async fn secret(&self, options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let _ = options.map(|options| options.context.to_owned());
        Ok("not.an.assertion".into())
    }
}

/// Asks a supplier: the future can be sent to other threads.
pub fn supply<'a>(
    supplier: &'a dyn ClientAssertion,
) -> Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send + 'a>> {
    supplier.secret(None)
}

/// All fields of the options of credentials that go by assertions.
pub fn options_with_assertions(
    client_options: ClientOptions,
    path: PathBuf,
) -> (
    WorkloadIdentityCredentialOptions,
    AzurePipelinesCredentialOptions,
) {
    let credential_options = ClientAssertionCredentialOptions { client_options };
    let ClientAssertionCredentialOptions { client_options } = credential_options;
    let workload = WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions {
            client_options: client_options.clone(),
        },
        client_id: Some("client".into()),
        tenant_id: Some("contoso.example".into()),
        token_file_path: Some(path),
    };
    let pipelines = AzurePipelinesCredentialOptions {
        credential_options: ClientAssertionCredentialOptions { client_options },
    };
    (workload, pipelines)
}

/// Takes them apart again.
pub fn workload_parts(
    options: WorkloadIdentityCredentialOptions,
) -> (Option<String>, Option<String>, Option<PathBuf>) {
    let WorkloadIdentityCredentialOptions {
        credential_options: _,
        client_id,
        tenant_id,
        token_file_path,
    } = options;
    (client_id, tenant_id, token_file_path)
}

/// The types of a constructor's parameters follow from the constructor alone: with generic ones these `into` and `None`
/// would be ambiguous.
pub fn credentials() -> azure_core::Result<Vec<Arc<dyn TokenCredential>>> {
    Ok(vec![
        ClientSecretCredential::new(
            "contoso.onmicrosoft.com",
            "1ab5f8d1-2a36-4d7e-9ab8-3b5a0d1f77c2".into(),
            "not a secret".into(),
            None,
        )?,
        ManagedIdentityCredential::new(None)?,
    ])
}

/// All fields are public and have been named: the literals and the patterns need no `..`.
pub fn options(
    client_options: ClientOptions,
    id: UserAssignedId,
) -> (
    ClientSecretCredentialOptions,
    ManagedIdentityCredentialOptions,
) {
    let secret = ClientSecretCredentialOptions { client_options };
    let ClientSecretCredentialOptions { client_options } = secret;
    let managed = ManagedIdentityCredentialOptions {
        user_assigned_id: Some(id),
        client_options,
    };
    let ManagedIdentityCredentialOptions {
        user_assigned_id,
        client_options,
    } = managed.clone();
    (
        ClientSecretCredentialOptions { client_options },
        ManagedIdentityCredentialOptions {
            user_assigned_id,
            client_options: managed.client_options,
        },
    )
}

/// One of each variant.
pub fn user_assigned_ids() -> [UserAssignedId; 3] {
    let variants: [fn(String) -> UserAssignedId; 3] = [
        UserAssignedId::ClientId,
        UserAssignedId::ObjectId,
        UserAssignedId::ResourceId,
    ];
    variants.map(|variant| variant("name".into()))
}

/// There may be more variants one day: the last arm has to be there, and is not called superfluous.
#[deny(unreachable_patterns)]
pub fn kind_and_value(id: UserAssignedId) -> (&'static str, String) {
    match id {
        UserAssignedId::ClientId(id) => ("client", id),
        UserAssignedId::ObjectId(id) => ("object", id),
        UserAssignedId::ResourceId(id) => ("resource", id),
        _ => ("unknown", String::new()),
    }
}

/// A program's own executor.
#[derive(Debug)]
pub struct Echo;

#[async_trait]
impl Executor for Echo {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut stdout = program.as_encoded_bytes().to_vec();
        for arg in args {
            stdout.push(b' ');
            stdout.extend_from_slice(arg.as_encoded_bytes());
        }
        Ok(Output {
            status: std::process::ExitStatus::default(),
            stdout,
            stderr: Vec::new(),
        })
    }
}

/// The crate's own executor and a program's.
pub fn executors() -> [Arc<dyn Executor>; 2] {
    [new_executor(), Arc::new(Echo)]
}

/// Runs a program: the future can be sent to other threads and borrows what it was given.
pub fn run<'a>(executor: &'a dyn Executor, program: &'a OsStr, args: &'a [&'a OsStr]) -> Run<'a> {
    executor.run(program, args)
}

/// The traits that the types have.
pub fn traits() {
    fn credential<T: TokenCredential + Debug + Send + Sync + Unpin + 'static>() {}
    fn options<T: Default + Debug + Send + Sync + Unpin + 'static>() {}
    fn clone<T: Clone>() {}
    fn executor<T: Debug + Send + Sync + ?Sized + 'static>() {}
    fn plain<T: Debug + Clone + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}

    credential::<ClientSecretCredential>();
    credential::<ManagedIdentityCredential>();
    credential::<ClientAssertionCredential<Supplier>>();
    credential::<WorkloadIdentityCredential>();
    credential::<AzurePipelinesCredential>();
    options::<ClientSecretCredentialOptions>();
    options::<ManagedIdentityCredentialOptions>();
    options::<ClientAssertionCredentialOptions>();
    options::<WorkloadIdentityCredentialOptions>();
    options::<AzurePipelinesCredentialOptions>();
    clone::<ManagedIdentityCredentialOptions>();
    plain::<UserAssignedId>();
    executor::<dyn Executor>();
}
