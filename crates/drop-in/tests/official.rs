//! What `api.rs` asks for is what the official crate has, and both crates do the same with it.

use std::{env, ffi::OsStr};

use azidentity_drop_in::api as ours;
use azure_core::http::ClientOptions;

/// `api.rs` once more, with the official crate under the name.
#[allow(unreachable_pub, reason = "it is public where it is no test")]
mod official {
    use azure_identity_official as azure_identity;

    include!("../src/api.rs");
}

/// The same tests for both.
macro_rules! tests {
    ($name:ident, $api:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn compiles() {
                $api::traits();
                let _ = $api::signatures();
                let _ = $api::signatures_with_assertions();
                // Whether a credential can be made depends on the variables of this process.
                let _ = $api::credentials;
            }

            #[test]
            fn a_user_assigned_identity_keeps_its_kind_and_value() {
                let found = $api::user_assigned_ids().map($api::kind_and_value);
                let kinds = ["client", "object", "resource"];
                assert_eq!(found, kinds.map(|kind| (kind, "name".to_owned())));
            }

            #[test]
            fn options_keep_what_was_set() {
                let [id, ..] = $api::user_assigned_ids();
                let (_, managed) = $api::options(ClientOptions::default(), id);
                let kept = managed.user_assigned_id.map($api::kind_and_value);
                assert_eq!(kept, Some(("client", "name".to_owned())));
            }

            #[tokio::test]
            async fn assertions_come_from_a_supplier() {
                let supplied = $api::supply(&$api::Supplier).await;
                assert_eq!(supplied.unwrap(), "not.an.assertion");
                let (workload, _) =
                    $api::options_with_assertions(ClientOptions::default(), "token".into());
                let (client, tenant, path) = $api::workload_parts(workload);
                assert_eq!(client.as_deref(), Some("client"));
                assert_eq!(tenant.as_deref(), Some("contoso.example"));
                assert_eq!(path, Some("token".into()));
            }

            #[tokio::test]
            async fn executors_run_programs() {
                let this = env::current_exe().unwrap();
                let [new, echo] = $api::executors();
                let args = ["--list"].map(OsStr::new);

                let output = $api::run(&*new, this.as_os_str(), &args).await.unwrap();
                assert!(output.status.success(), "{output:?}");
                let printed = String::from_utf8(output.stdout).unwrap();
                assert!(printed.contains("executors_run_programs: test"));

                let output = $api::run(&*echo, OsStr::new("az"), &args).await.unwrap();
                assert_eq!(output.stdout, b"az --list");
            }
        }
    };
}

tests!(with_ours, ours);
tests!(with_the_official_one, official);
