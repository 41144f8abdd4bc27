//! Where there is no runtime, whoever waits does the work.

use std::{sync::Arc, time::Duration};

use azidentity::{ClientSecretCredential, Environment, ManualClock};
use azure_core::credentials::TokenCredential;

use crate::support::{CLIENT, SCOPE, SECRET, START, TENANT, Wire, token_json};

const REFUSED: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired"}"#;

#[test]
fn without_a_runtime_the_caller_renews_and_falls_back() {
    let mut wire = Wire::new();
    let clock = Arc::new(ManualClock::new(START));
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, SECRET)
        .client_options(wire.client_options())
        .environment(Environment::builder().clock(clock.clone()).build())
        .build()
        .expect("a valid configuration");
    let mut call = |answer: Option<(u16, String)>| {
        futures::executor::block_on(async {
            let (token, ()) = futures::join!(credential.get_token(&[SCOPE], None), async {
                if let Some((status, body)) = answer {
                    wire.next().await.answer(status, body);
                }
            });
            assert!(wire.try_next().is_none());
            token.expect("a token").token.secret().to_owned()
        })
    };
    assert_eq!(call(Some((200, token_json("AT-1", 3600, None)))), "AT-1");
    clock.advance(Duration::from_secs(3300));
    assert_eq!(call(Some((401, REFUSED.into()))), "AT-1");
    assert_eq!(call(None), "AT-1", "in the pause");
    clock.advance(Duration::from_secs(30));
    assert_eq!(call(Some((200, token_json("AT-2", 3600, None)))), "AT-2");
    assert_eq!(call(None), "AT-2");
}
