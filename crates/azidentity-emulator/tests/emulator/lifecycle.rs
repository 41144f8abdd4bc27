//! Starting, stopping, and living beside others.

use std::collections::HashSet;
use std::io::{ErrorKind, Read as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use azidentity_emulator::{Config, Emulator, RecordedRequest, StartError, World};

use crate::client::{Client, built_in};

const VAULT: &str = "https://vault.azure.net/.default";

fn port(emulator: &Emulator) -> u16 {
    emulator
        .authority_host()
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap()
}

#[test]
fn fifty_live_side_by_side() {
    let started: Vec<_> = (0..50).map(|_| thread::spawn(built_in)).collect();
    let emulators: Vec<_> = started
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let addresses: HashSet<_> = emulators
        .iter()
        .flat_map(|e| [e.authority_host().to_owned(), e.http_endpoint().to_owned()])
        .collect();
    // An authority and an http endpoint may share a number, not an address.
    assert_eq!(addresses.len(), 100);
    let secrets: HashSet<_> = emulators
        .iter()
        .filter_map(|e| e.world().client_secret(World::CLIENT_ID))
        .collect();
    assert_eq!(secrets.len(), 50);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for emulator in &emulators {
            let client = Client::of(emulator);
            client.built_in_token(emulator.world(), VAULT).await.token();
            assert_eq!(emulator.request_count(), 1);
        }
    });
}

#[test]
fn works_without_any_runtime_of_the_caller() {
    let emulator = built_in();
    emulator.wait_until_ready();
    emulator.wait_until_ready();
    assert!(TcpStream::connect(("127.0.0.1", port(&emulator))).is_ok());
}

#[tokio::test]
async fn lives_and_dies_inside_a_current_thread_runtime() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    assert_eq!(
        client.built_in_token(emulator.world(), VAULT).await.status,
        200
    );
    drop(emulator);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lives_and_dies_inside_a_multi_thread_runtime() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let requests = (0..20).map(|_| client.built_in_token(emulator.world(), VAULT));
    for request in requests {
        assert_eq!(request.await.status, 200);
    }
    drop(emulator);
}

#[test]
fn survives_the_runtime_it_was_started_in() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let emulator = first.block_on(async { built_in() });
    drop(first);
    let status = runtime().block_on(async {
        Client::of(&emulator)
            .built_in_token(emulator.world(), VAULT)
            .await
            .status
    });
    assert_eq!(status, 200);
}

#[test]
fn dropping_closes_ports_and_connections() {
    let closes = || {
        let emulator = built_in();
        let address = SocketAddr::from(([127, 0, 0, 1], port(&emulator)));
        let mut open = TcpStream::connect(address).unwrap();
        drop(emulator);
        // The read ends at once instead of waiting.
        let read = open.read(&mut [0]);
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        TcpStream::connect(address).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused)
    };
    // An emulator of another test may get the port that has just become free,
    // but hardly each time.
    assert!((0..3).any(|_| closes()));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = |listener: &TcpListener, config: fn(u16) -> Config| {
        let port = listener.local_addr().unwrap().port();
        match Emulator::start(config(port)) {
            Err(StartError::Bind {
                address, source, ..
            }) => {
                assert_eq!(address.port(), port);
                assert_eq!(source.kind(), ErrorKind::AddrInUse);
            }
            other => panic!("{other:?}"),
        }
    };
    let https = |port| {
        let mut config = Config::default();
        config.https_port = Some(port);
        config
    };
    let http = |port| {
        let mut config = Config::default();
        config.http_port = Some(port);
        config
    };
    let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
    taken(&v4, https);
    taken(&v4, http);
    // Another program at [::1] would get the requests of clients that try
    // IPv6 first.
    if let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        taken(&v6, https);
    }
}

#[tokio::test]
async fn both_loopback_addresses_answer() {
    let emulator = built_in();
    let client = Client::of(&emulator);
    let port = port(&emulator);
    let mut hosts = vec!["localhost", "127.0.0.1"];
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        hosts.push("[::1]");
    }
    for host in hosts {
        let url = format!("https://{host}:{port}/common/v2.0/.well-known/openid-configuration");
        let issuer = client.get(&url).await.json()["issuer"].clone();
        assert_eq!(
            issuer,
            format!("{}/{{tenantid}}/v2.0", emulator.authority_host()),
            "{host}"
        );
    }
}

#[test]
fn the_handle_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Emulator>();
    shared::<Config>();
    shared::<StartError>();
    shared::<RecordedRequest>();
}
