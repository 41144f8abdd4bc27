//! The official Blob Storage client with our credential, against Azurite, a storage server that nobody here wrote.
//!
//! The emulator issues the tokens; Azurite looks at their audience, issuer and lifetime as the real service does, though not
//! at their signature. Azurite comes from npm: `npm install --global azurite@3.35.0` (newer ones want Node 22), or anywhere
//! else with `AZURITE_BLOB` set to the path of its program `azurite-blob`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its world fails"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use azidentity::{DefaultAzureCredential, Environment};
use azidentity_emulator::{Config, Emulator, World};
use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, RequestContent, Transport, Url},
};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use futures::TryStreamExt;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

/// Names the program when it is not in `PATH`.
const PROGRAM_VARIABLE: &str = "AZURITE_BLOB";

/// The account that every Azurite has.
const ACCOUNT: &str = "devstoreaccount1";

/// Node may take seconds to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
#[ignore = "needs azurite"]
async fn a_blob_goes_up_and_comes_back() {
    let place = Place::new().await;
    let credential = place.credential();
    let service = BlobServiceClient::new(
        place.azurite.account_url(),
        Some(credential),
        Some(BlobServiceClientOptions {
            client_options: place.client_options(),
            ..Default::default()
        }),
    )
    .unwrap();

    let container = service.blob_container_client("letters");
    container.create(None).await.unwrap();
    // More than one TLS record and no text, so that neither a cut nor a conversion goes unnoticed.
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let blob = container.blob_client("to the archive/2026.bin");
    blob.upload(RequestContent::from(content.clone()), None)
        .await
        .unwrap();

    let containers: Vec<_> = service
        .list_containers(None)
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let names: Vec<_> = containers
        .iter()
        .filter_map(|c| c.name.as_deref())
        .collect();
    assert_eq!(names, ["letters"]);
    let downloaded = blob.download(None).await.unwrap().body.collect().await;
    assert!(downloaded.unwrap() == content, "the bytes differ");

    assert_eq!(
        place.emulator.token_request_count(),
        1,
        "one token serves all requests"
    );
}

#[tokio::test]
#[ignore = "needs azurite"]
async fn azurite_refuses_a_token_for_another_resource() {
    let place = Place::new().await;
    let credential = place.credential();
    let list_containers = async |scope: &str| {
        let token = credential.get_token(&[scope], None).await.unwrap();
        let response = place
            .client
            .get(format!("{}?comp=list", place.azurite.account_url()))
            .header("x-ms-version", "2025-11-05")
            .bearer_auth(token.token.secret())
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };

    // The same request with the right token first: nothing but the audience is to blame for the refusal.
    let (status, body) = list_containers("https://storage.azure.com/.default").await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = list_containers("https://vault.azure.net/.default").await;
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("Invalid token audience"), "{body}");
}

/// An emulator, an Azurite, and a client that trusts both.
struct Place {
    emulator: Emulator,
    azurite: Azurite,
    client: reqwest::Client,
}

impl Place {
    async fn new() -> Self {
        let emulator = Emulator::start(Config::default()).unwrap();
        let azurite = Azurite::start().await;
        let trusted = [emulator.ca_certificate_der(), &azurite.ca_der]
            .map(|der| reqwest::Certificate::from_der(der).unwrap());
        let client = reqwest::Client::builder()
            .tls_certs_only(trusted)
            .no_proxy()
            .build()
            .unwrap();
        Self {
            emulator,
            azurite,
            client,
        }
    }

    fn client_options(&self) -> ClientOptions {
        ClientOptions {
            transport: Some(Transport::new(Arc::new(self.client.clone()))),
            ..Default::default()
        }
    }

    fn credential(&self) -> Arc<DefaultAzureCredential> {
        let world = self.emulator.world();
        let environment = Environment::builder()
            .variables([
                ("AZURE_TENANT_ID", World::TENANT_ID),
                ("AZURE_CLIENT_ID", World::CLIENT_ID),
                (
                    "AZURE_CLIENT_SECRET",
                    world.client_secret(World::CLIENT_ID).unwrap(),
                ),
            ])
            .build();
        DefaultAzureCredential::builder()
            .environment(environment)
            .authority_host(self.emulator.authority_host())
            .disable_instance_discovery(true)
            .client_options(self.client_options())
            .build()
            .unwrap()
    }
}

/// A running Azurite blob server, which takes HTTPS with a certificate of its own and keeps everything in memory. Dropping it
/// ends the process.
struct Azurite {
    url: Url,
    ca_der: Vec<u8>,
    _process: Child,
    /// Reads on, for a full pipe would stop the server.
    _output: JoinHandle<()>,
    _folder: TempDir,
}

impl Azurite {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles::write(folder.path());
        let errors = folder.path().join("stderr");
        let program = env::var_os(PROGRAM_VARIABLE).unwrap_or_else(|| "azurite-blob".into());
        let mut process = Command::new(&program)
            // The system chooses a free port, and Azurite says which.
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--oauth", "basic", "--cert"])
            .arg(&files.certificate)
            .arg("--key")
            .arg(&files.key)
            // The client's API version may be newer than Azurite's newest.
            .args(["--inMemoryPersistence", "--skipApiVersionCheck"])
            .args(["--silent", "--disableTelemetry"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&errors).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot start {} ({error}). This test needs Azurite: `npm install --global azurite@3.35.0`, or set \
                     {PROGRAM_VARIABLE} to the path of its program azurite-blob",
                    program.display()
                )
            });

        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("successfully listens on ") {
                    return Some(address.trim().to_owned());
                }
            }
            None
        };
        let address = match timeout(START_LIMIT, address).await {
            Ok(Some(address)) => address,
            outcome => panic!(
                "Azurite {}; it wrote: {}",
                outcome.map_or("did not start in time", |_| "ended at once"),
                fs::read_to_string(&errors).unwrap()
            ),
        };
        Self {
            url: Url::parse(&address).unwrap(),
            ca_der: files.ca_der,
            _process: process,
            _output: tokio::spawn(
                async move { while let Ok(Some(_)) = lines.next_line().await {} },
            ),
            _folder: folder,
        }
    }

    fn account_url(&self) -> Url {
        self.url.join(ACCOUNT).unwrap()
    }
}

/// What Azurite needs for HTTPS, and the authority that signed it.
struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    ca_der: Vec<u8>,
}

impl TlsFiles {
    fn write(folder: &Path) -> Self {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let ca_key = KeyPair::generate().unwrap();
        let ca_der = ca.self_signed(&ca_key).unwrap().der().to_vec();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &Issuer::new(ca, ca_key))
            .unwrap();
        let files = Self {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            ca_der,
        };
        fs::write(&files.certificate, leaf.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}
