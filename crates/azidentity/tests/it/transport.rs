//! Ways to a server that the caller chooses.

use std::{sync::Arc, time::Duration};

use azidentity::{ClientSecretCredential, Environment, FailureKind, ManualClock, TransportOptions};
use azidentity_emulator::World;
use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, FixedRetryOptions, RetryOptions, Transport, UserAgentOptions},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::support::{CLIENT, SCOPE, SECRET, START, TENANT, TestWorld, Wire, expect_error};

fn through(world: &TestWorld, transport: Transport) -> Arc<ClientSecretCredential> {
    ClientSecretCredential::builder(World::TENANT_ID, World::CLIENT_ID, world.secret())
        .authority_host(world.emulator.authority_host())
        .disable_instance_discovery(true)
        .client_options(ClientOptions {
            transport: Some(transport),
            ..Default::default()
        })
        .environment(
            Environment::builder()
                .clock(Arc::new(ManualClock::skipping(START)))
                .build(),
        )
        .build()
        .expect("a valid configuration")
}

fn options(world: &TestWorld) -> TransportOptions {
    TransportOptions::new()
        .root_certificates_pem(world.emulator.ca_certificate_pem())
        .connect_timeout(Duration::from_secs(5))
        .request_timeout(Duration::from_secs(20))
}

#[tokio::test]
async fn an_authority_of_the_callers_is_trusted() {
    let world = TestWorld::start();
    let transport = options(&world).no_proxy().build().expect("valid options");
    through(&world, transport)
        .get_token(&[SCOPE], None)
        .await
        .expect("a token");
}

/// A proxy that wants a password: tunnels what brings it, refuses the rest.
async fn proxy(tunnels: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        for _ in 0..tunnels {
            let (mut client, _) = listener.accept().await.expect("a client");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.expect("a request's head"));
            }
            let head = String::from_utf8(head).expect("text");
            // user:pl4nted
            if !head
                .to_lowercase()
                .contains("proxy-authorization: basic dxnlcjpwbdrudgvk")
            {
                let refusal =
                    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                client.write_all(refusal).await.expect("a listening client");
                continue;
            }
            let target = head
                .split_whitespace()
                .nth(1)
                .expect("CONNECT host:port")
                .to_owned();
            let mut server = TcpStream::connect(target).await.expect("the emulator");
            client
                .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
                .await
                .expect("a listening client");
            tokio::spawn(async move {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_proxy_with_a_password_is_used() {
    let world = TestWorld::start();
    let address = proxy(1).await;
    let transport = options(&world)
        .proxy(format!("http://user:pl4nted@{address}"))
        .build()
        .expect("valid options");
    through(&world, transport)
        .get_token(&[SCOPE], None)
        .await
        .expect("a token");
    assert_eq!(world.emulator.token_request_count(), 1);
}

#[tokio::test]
async fn a_refused_proxy_sign_in_is_final() {
    let world = TestWorld::start();
    // One tunnel only: a second try would find nobody.
    let address = proxy(1).await;
    let transport = options(&world)
        .proxy(format!("http://{address}"))
        .build()
        .expect("valid options");
    let result = through(&world, transport).get_token(&[SCOPE], None).await;
    expect_error(
        result,
        FailureKind::Transport,
        &["proxy", "refuses the sign-in"],
    );
}

#[test]
fn malformed_settings_are_named_and_shown_nowhere() {
    for (options, says) in [
        (TransportOptions::new().proxy("pl4nted"), "proxy"),
        (
            TransportOptions::new().proxy("ftp://user:pl4nted@proxy"),
            "proxy",
        ),
        (
            TransportOptions::new().root_certificates_pem("pl4nted"),
            "root certificates",
        ),
        (
            TransportOptions::new().client_certificate_pem("pl4nted"),
            "client certificate",
        ),
    ] {
        assert!(!format!("{options:?}").contains("pl4nted"));
        expect_error(options.build(), FailureKind::Configuration, &[says]);
    }
}

#[tokio::test]
async fn the_user_agent_says_who_asks() {
    let mut wire = Wire::new();
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(ClientOptions {
            user_agent: UserAgentOptions {
                application_id: Some("my-app".into()),
            },
            ..wire.client_options()
        })
        .environment(
            Environment::builder()
                .variable("AZURE_HTTP_USER_AGENT", "from-variable/1")
                .build(),
        )
        .build()
        .expect("a valid configuration");
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let request = wire.next().await;
        let agent = request.headers.get("user-agent").expect("a user agent");
        assert!(
            agent.starts_with("my-app azsdk-rust-azidentity/"),
            "{agent}"
        );
        assert!(agent.ends_with(" from-variable/1"), "{agent}");
        request.answer_token("AT", 3600);
    });
    token.expect("a token");
}

#[tokio::test]
async fn retries_of_the_callers_replace_ours() {
    let retries = FixedRetryOptions {
        delay: azure_core::time::Duration::ZERO,
        max_retries: 1,
        ..Default::default()
    };
    for (retry, tries) in [
        (RetryOptions::none(), 1),
        (RetryOptions::fixed(retries), 2),
        (RetryOptions::default(), 4),
    ] {
        let mut wire = Wire::new();
        let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
            .client_options(ClientOptions {
                retry,
                ..wire.client_options()
            })
            .environment(
                Environment::builder()
                    .clock(Arc::new(ManualClock::skipping(START)))
                    .build(),
            )
            .build()
            .expect("a valid configuration");
        let (result, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
            for _ in 0..tries {
                wire.next().await.answer(503, "{}");
            }
        });
        expect_error(result, FailureKind::AuthenticationFailed, &["HTTP 503"]);
        assert!(wire.try_next().is_none());
    }
}

#[tokio::test]
async fn a_policy_of_the_callers_sees_the_callers_context() {
    use azure_core::{
        credentials::TokenRequestOptions,
        http::{
            ClientMethodOptions, Context, Request,
            policies::{Policy, PolicyResult},
        },
    };

    #[derive(Debug)]
    struct Marks;

    struct Mark(&'static str);

    #[allow(elided_lifetimes_in_paths, reason = "as in the trait")]
    #[async_trait::async_trait]
    impl Policy for Marks {
        async fn send(
            &self,
            context: &Context,
            request: &mut Request,
            next: &[Arc<dyn Policy>],
        ) -> PolicyResult {
            let mark = context.value::<Mark>().map_or("none", |mark| mark.0);
            request.insert_header("x-mark", mark);
            next[0].send(context, request, &next[1..]).await
        }
    }

    let mut wire = Wire::new();
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(ClientOptions {
            per_call_policies: vec![Arc::new(Marks)],
            ..wire.client_options()
        })
        .build()
        .expect("a valid configuration");
    let options = TokenRequestOptions {
        method_options: ClientMethodOptions {
            context: Context::new().with_value(Mark("the caller's")),
        },
    };
    let (token, ()) = futures::join!(credential.get_token(&[SCOPE], Some(options)), async {
        let request = wire.next().await;
        assert_eq!(
            request.headers.get("x-mark").map(String::as_str),
            Some("the caller's")
        );
        request.answer_token("AT", 3600);
    });
    token.expect("a token");
}
