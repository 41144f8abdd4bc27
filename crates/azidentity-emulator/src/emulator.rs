//! The emulator as its user sees it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use crate::certificates::Certificates;
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::managed_identity::APP_SERVICE_PATH;
use crate::record::{RecordedRequest, Recorder, Server};
use crate::script::{Running, Script};
use crate::secret::Secret;
use crate::server::{self, Port, Service};
use crate::state::State;
use crate::world::World;
use crate::{authority, managed_identity, signing};

pub(crate) mod users;
mod workloads;

/// A running server that behaves like Microsoft Entra and like the managed
/// identity endpoints of Azure.
///
/// It runs on a thread and a runtime of its own, so it serves synchronous
/// tests as well as any async runtime. Dropping it closes its ports.
///
/// ```
/// use azidentity_emulator::{Config, Emulator, World};
///
/// let emulator = Emulator::start(Config::default())?;
/// let token_endpoint =
///     format!("{}/{}/oauth2/v2.0/token", emulator.authority_host(), World::TENANT_ID);
/// // Trust emulator.ca_certificate_pem(), post a form to token_endpoint, then:
/// assert_eq!(emulator.token_request_count(), 0);
/// # Ok::<(), azidentity_emulator::StartError>(())
/// ```
pub struct Emulator {
    state: Arc<State>,
    http_endpoint: String,
    ca_der: Vec<u8>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator and returns when its ports are open, which takes
    /// milliseconds. The key that signs tokens is made meanwhile; the first
    /// token waits for it (see [`Emulator::wait_until_ready`]).
    ///
    /// # Errors
    /// A port is taken, or the system refuses randomness or a thread.
    pub fn start(config: Config) -> Result<Self, StartError> {
        signing::TOKENS.prepare();
        let certificates = Certificates::issue(config.world.region())
            .map_err(|error| StartError::certificate(&error))?;
        let https = bind(config.https_port)?;
        let http = bind(config.http_port)?;
        let http_endpoint = format!("http://127.0.0.1:{}", http.number);
        let ca_der = certificates.ca_der.to_vec();
        let mut world = config.world;
        // A new one: the world may be a copy of another emulator's.
        world.clock = match config.start_time {
            Some(moment) => Clock::starting_at(moment),
            None => Clock::default(),
        };
        let script = Running::default();
        script.replace(config.script);
        let state = Arc::new(State {
            world,
            authority: format!("https://localhost:{}", https.number),
            identity_header: random()?,
            pipelines_token: random()?,
            github_token: random()?,
            ledger: Ledger::default(),
            ca_pem: certificates.ca_pem.clone(),
            recorder: Recorder::default(),
            script,
            http_port: http.number,
        });
        let tls = server::tls(certificates).map_err(|error| StartError::certificate(&error))?;
        let entra = Service {
            server: Server::Authority,
            router: authority::router(Arc::clone(&state)),
            state: Arc::clone(&state),
            tls: Some(tls),
        };
        let machine = Service {
            server: Server::ManagedIdentity,
            router: managed_identity::router(Arc::clone(&state)),
            state: Arc::clone(&state),
            tls: None,
        };
        let (stop, stopped) = oneshot::channel();
        let (report, reported) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("azidentity-emulator".to_owned())
            .spawn(move || run([(https, entra), (http, machine)], stopped, &report))
            .map_err(StartError::Thread)?;
        match reported.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(StartError::Thread(error)),
            Err(_) => {
                return Err(StartError::Thread(io::Error::other(
                    "the thread ended at once",
                )));
            }
        }
        Ok(Self {
            state,
            http_endpoint,
            ca_der,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address of the authority, `https://localhost:PORT`: the value for
    /// `AZURE_AUTHORITY_HOST`. Clients have to trust
    /// [`Emulator::ca_certificate_pem`], and to be told not to ask
    /// login.microsoftonline.com about this host.
    pub fn authority_host(&self) -> &str {
        &self.state.authority
    }

    /// The address of the managed identity endpoints, `http://127.0.0.1:PORT`.
    pub fn http_endpoint(&self) -> &str {
        &self.http_endpoint
    }

    /// The value for `AZURE_POD_IDENTITY_AUTHORITY_HOST`, which leads clients
    /// to this machine's metadata service instead of 169.254.169.254.
    pub fn imds_host(&self) -> &str {
        &self.http_endpoint
    }

    /// The value for `IDENTITY_ENDPOINT`, which together with
    /// [`Emulator::identity_header`] makes clients believe they run in App
    /// Service.
    pub fn app_service_endpoint(&self) -> String {
        format!("{}{APP_SERVICE_PATH}", self.http_endpoint)
    }

    /// The value for `IDENTITY_HEADER`, a secret that is new at every start.
    pub fn identity_header(&self) -> &str {
        self.state.identity_header.expose()
    }

    /// The certificate to trust, in PEM. It is new at every start, can vouch
    /// for nothing but loopback names, and its key no longer exists.
    pub fn ca_certificate_pem(&self) -> &str {
        &self.state.ca_pem
    }

    /// The certificate to trust, in DER.
    pub fn ca_certificate_der(&self) -> &[u8] {
        &self.ca_der
    }

    /// Who exists: tenants, applications, managed identities.
    pub fn world(&self) -> &World {
        &self.state.world
    }

    /// The requests so far, in the order in which they arrived: the last
    /// 10,000 of them.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.recorder.all()
    }

    /// How many requests arrived since the start or the last
    /// [`Emulator::clear_requests`].
    pub fn request_count(&self) -> usize {
        self.state.recorder.count()
    }

    /// How many of them asked for a token, from the authority or a managed
    /// identity endpoint, with or without success.
    pub fn token_request_count(&self) -> usize {
        self.state.recorder.token_count()
    }

    /// Forgets all requests so far.
    pub fn clear_requests(&self) {
        self.state.recorder.clear();
    }

    /// Commits these faults from now on, from the beginning of the script, in
    /// place of those before. Requests that are already being answered go on
    /// as they began.
    ///
    /// ```
    /// use azidentity_emulator::{Config, Emulator, Fault};
    ///
    /// let emulator = Emulator::start(Config::default())?;
    /// emulator.script(Fault::token().status(429).retry_after(1));
    /// // Let a client ask for a token, then look at what it made of it:
    /// let hit = emulator.requests().iter().filter(|request| request.fault()).count();
    /// # assert_eq!(hit, 0);
    /// # Ok::<(), azidentity_emulator::StartError>(())
    /// ```
    pub fn script(&self, script: impl Into<Script>) {
        self.state.script.replace(script.into());
    }

    /// Commits no more faults.
    pub fn clear_script(&self) {
        self.script(Script::default());
    }

    /// The time by the emulator's clock. Tokens are issued by it, secrets
    /// expire by it, and errors tell it.
    pub fn time(&self) -> SystemTime {
        self.state.now()
    }

    /// Sets the clock to a moment, at which it stands still until it is set or
    /// advanced again. Tokens that were issued before keep their times, and
    /// so do the certificates, which clients check by their own clocks.
    ///
    /// Moments before 1970 and after the year 9999 become the nearest one
    /// between.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// use azidentity_emulator::{Config, Emulator};
    ///
    /// let emulator = Emulator::start(Config::default())?;
    /// let noon = UNIX_EPOCH + Duration::from_secs(1_893_499_200);
    /// emulator.set_time(noon);
    /// emulator.advance(Duration::from_secs(3600));
    /// assert_eq!(emulator.time(), noon + Duration::from_secs(3600));
    /// # Ok::<(), azidentity_emulator::StartError>(())
    /// ```
    pub fn set_time(&self, time: SystemTime) {
        self.state.world.clock.stand_at(time);
    }

    /// Moves the clock on. One that stands then stands there; one that runs
    /// runs on from there.
    pub fn advance(&self, by: Duration) {
        self.state.world.clock.advance(by);
    }

    /// Lets the clock show the system's time again, and run.
    pub fn use_system_time(&self) {
        self.state.world.clock.run_ahead(0);
    }

    /// Waits until the key that signs tokens exists, so that what is timed
    /// afterwards is not the making of an RSA key. That takes a few hundred
    /// milliseconds, once per process.
    ///
    /// Blocks the thread; in async code it belongs on a thread of its own, or
    /// before the runtime's work.
    pub fn wait_until_ready(&self) {
        // A failure is reported by the token endpoints, where it matters.
        let _ = signing::TOKENS.wait();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("authority_host", &self.state.authority)
            .field("http_endpoint", &self.http_endpoint)
            .finish_non_exhaustive()
    }
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A port cannot be listened at, most often because another program does.
    #[error("cannot listen at {address}: {source}")]
    #[non_exhaustive]
    Bind {
        /// The address that was wanted.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificates or the secrets could not be made.
    #[error("cannot make the certificates: {0}")]
    Certificate(String),
    /// The thread or its runtime could not be started.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] io::Error),
}

impl StartError {
    fn certificate(error: &dyn fmt::Display) -> Self {
        Self::Certificate(error.to_string())
    }
}

fn random() -> Result<Secret, StartError> {
    Secret::random(32).map_err(|error| StartError::certificate(&error))
}

fn bind(port: Option<u16>) -> Result<Port, StartError> {
    Port::bind(port.unwrap_or(0)).map_err(|(address, source)| StartError::Bind { address, source })
}

fn run(
    ports: [(Port, Service); 2],
    stopped: oneshot::Receiver<()>,
    report: &mpsc::SyncSender<io::Result<()>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        let serving = ports
            .into_iter()
            .try_for_each(|(port, service)| server::serve(port, &service));
        let failed = serving.is_err();
        let _ = report.send(serving);
        if !failed {
            // Ends when the sender is dropped, and with it all connections.
            let _ = stopped.await;
        }
    });
}
