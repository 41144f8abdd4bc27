//! Worlds described in TOML.

use std::time::{Duration, UNIX_EPOCH};

use azidentity_emulator::{Config, ServicePrincipal, Tenant, TokenVersion, World};

use crate::client::{DAEMON, EXPIRED_SECRET, OTHER_TENANT, PUBLIC, SECRET, SYSTEM, TENANT, WORLD};

#[test]
fn everything_described_is_there() {
    let config = Config::from_toml(WORLD).unwrap();
    let world = &config.world;
    assert_eq!(
        world.tenants().iter().map(Tenant::id).collect::<Vec<_>>(),
        [TENANT, OTHER_TENANT]
    );
    assert_eq!(world.find_tenant("SHOP.example").unwrap().id(), TENANT);
    assert_eq!(world.tenant().domains(), ["shop.example"]);
    assert!(!world.accept_any_resource());
    let daemon = world.application(&DAEMON.to_uppercase()).unwrap();
    assert_eq!((daemon.name(), daemon.is_public()), ("Daemon", false));
    assert_eq!(world.client_secret(DAEMON), Some(SECRET));
    let expired = &daemon.secrets()[1];
    assert_eq!(expired.value(), EXPIRED_SECRET);
    assert_eq!(
        expired.expires(),
        Some(UNIX_EPOCH + Duration::from_secs(1_577_836_800))
    );
    let public = world.application(PUBLIC).unwrap();
    assert_eq!((public.name(), public.is_public()), (PUBLIC, true));
    assert_eq!(world.client_secret(PUBLIC), None);
    let orders = &world.resources()[0];
    assert_eq!(orders.identifiers(), ["api://orders"]);
    assert_eq!(
        (orders.token_version(), orders.app_roles().len()),
        (TokenVersion::V2, 1)
    );
    assert!(
        world
            .resources()
            .iter()
            .any(|r| r.identifiers().iter().any(|i| i.contains("vault")))
    );
    let machine = &world.identities()[0];
    assert_eq!(
        (machine.client_id(), machine.is_system_assigned()),
        (SYSTEM, true)
    );
    assert_eq!(machine.resource_id(), "/subscriptions/s/vm");
}

#[test]
fn ids_that_are_not_given_stay_the_same() {
    let id = |world: &World| {
        world.application(PUBLIC).unwrap().service_principals()[0]
            .object_id()
            .to_owned()
    };
    let one = Config::from_toml(WORLD).unwrap().world;
    let two = Config::from_toml(WORLD).unwrap().world;
    assert_eq!(id(&one), id(&two));
    assert_eq!(id(&one).len(), 36);
}

#[test]
fn a_file_without_tenants_adds_to_the_built_in_world() {
    let config = Config::from_toml(
        "http_port = 0\n\
         [[application]]\n\
         client_id = \"22222222-aaaa-4000-8000-000000000009\"\n\
         tenant = \"fabrikam.example\"\n\
         [[application.installed_in]]\n\
         tenant = \"contoso.example\"\n",
    )
    .unwrap();
    let world = config.world;
    assert!(world.application(World::CLIENT_ID).is_some());
    assert!(world.accept_any_resource());
    let added = world
        .application("22222222-aaaa-4000-8000-000000000009")
        .unwrap();
    let tenants: Vec<_> = added
        .service_principals()
        .iter()
        .map(ServicePrincipal::tenant_id)
        .collect();
    assert_eq!(tenants, [World::OTHER_TENANT_ID, World::TENANT_ID]);
    assert_eq!(Config::from_toml("").unwrap().https_port, None);
}

#[test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn errors_name_the_line_and_the_matter() {
    let tenant = "[[tenant]]\nid = \"11111111-aaaa-4000-8000-000000000001\"\n";
    let id = "client_id = \"22222222-aaaa-4000-8000-000000000001\"\n";
    let application = format!("{tenant}[[application]]\n{id}");
    let resource = "[[resource]]\napp_id = \"33333333-aaaa-4000-8000-000000000001\"\n";
    let identity =
        format!("[[managed_identity]]\nkind = \"system-assigned\"\nresource_id = \"/r\"\n{id}");
    for (text, line, matter) in [
        ("https_port = 70000".to_owned(), 1, "expected"),
        ("\nhtps_port = 1".to_owned(), 2, "`htps_port`"),
        ("https_port =".to_owned(), 1, ""),
        (
            "[[tenant]]\nid = \"contoso\"".to_owned(),
            2,
            "`contoso` is not a GUID",
        ),
        ("[[tenant]]\ndomains = []".to_owned(), 1, "`id`"),
        (
            format!("{tenant}domains = [\"ok.example\", \"common\"]"),
            3,
            "`common`",
        ),
        (format!("{tenant}{tenant}"), 4, "used twice"),
        (
            format!("{tenant}domains = [\"a.example\", \"A.example\"]"),
            3,
            "`A.example` is used twice",
        ),
        (
            format!("{application}[[application]]\n{id}"),
            6,
            "used twice",
        ),
        (
            format!("{application}tenant = \"nowhere.example\""),
            5,
            "`nowhere.example`",
        ),
        (format!("{application}reply_urls = []"), 5, "`reply_urls`"),
        (
            format!("{application}public = \"yes\""),
            5,
            "expected a boolean",
        ),
        (
            format!("{application}public = true\n[[application.secret]]\nvalue = \"v\""),
            4,
            "public client",
        ),
        (
            format!("{application}[[application.secret]]\nvalue = \"\""),
            6,
            "empty",
        ),
        (
            format!("{application}[[application.secret]]\nvalue = \"v\"\nexpires = 2020-01-01"),
            7,
            "2020-01-01",
        ),
        (
            format!("{application}[[application.installed_in]]\ntenant = \"{TENANT}\""),
            6,
            "already installed",
        ),
        (
            format!("{application}[[application.installed_in]]\ntenant = \"x.example\""),
            6,
            "`x.example`",
        ),
        (
            format!(
                "{resource}app_roles = [\"A\"]\nidentifiers = [\"api://a\"]\n{application}roles = {{ \"api://a\" = [\"B\"] }}"
            ),
            9,
            "no app role `B`",
        ),
        (
            format!(
                "accept_any_resource = false\n{application}roles = {{ \"api://a\" = [\"B\"] }}"
            ),
            6,
            "`api://a`",
        ),
        (
            format!("{application}redirect_uris = [\"localhost\"]"),
            5,
            "whole URL",
        ),
        (
            format!("{application}public = true\ncertificate = [{{ file = \"x\" }}]"),
            4,
            "cannot have a certificate",
        ),
        (
            format!("{application}certificate = [{{ file = \"/no/such/file\" }}]"),
            5,
            "/no/such/file",
        ),
        (
            format!("{application}certificate = [{{ pem = \"text\" }}]"),
            5,
            "no certificate in PEM",
        ),
        (
            format!("{application}certificate = [{{}}]"),
            5,
            "one of `pem` and `file`",
        ),
        (
            format!(
                "{application}[[application.federated_credential]]\nissuer = \"emulator:x\"\nsubject = \"s\""
            ),
            5,
            "github",
        ),
        (
            format!(
                "{application}[[application.federated_credential]]\nissuer = \"https://x\"\nsubject = \"s\""
            ),
            5,
            "keys_file",
        ),
        (
            format!(
                "{application}[[application.federated_credential]]\nissuer = \"https://x\"\nsubject = \"s\"\nkeys = \"{{}}\""
            ),
            5,
            "JSON Web Key Set",
        ),
        ("[[user]]\nusername = \"ada\"".to_owned(), 2, "`ada`"),
        (
            "[[user]]\nusername = \"Ada@contoso.example\"".to_owned(),
            2,
            "used twice",
        ),
        ("region = \"west europe\"".to_owned(), 1, "`west europe`"),
        (format!("{resource}token_version = 3"), 3, "`3`"),
        (format!("{resource}identifiers = [\"\"]"), 3, "URI"),
        (
            format!("{resource}identifiers = [\"api://a\", \"api://a/\"]"),
            3,
            "used twice",
        ),
        (format!("{tenant}{identity}{identity}"), 10, "used twice"),
        (identity.replace("system", "other"), 2, "unknown variant"),
        (identity, 2, "one system-assigned"),
    ] {
        let error = Config::from_toml(&text).unwrap_err();
        assert_eq!(error.line(), Some(line), "{error}\n{text}");
        assert!(error.message().contains(matter), "{error}\n{text}");
        assert_eq!(
            error.to_string(),
            format!("line {line}: {}", error.message())
        );
    }
}

#[test]
fn errors_show_no_secret() {
    let start = "[[tenant]]\nid = \"11111111-aaaa-4000-8000-000000000001\"\n[[application]]\n\
                 client_id = \"22222222-aaaa-4000-8000-000000000001\"\n";
    for rest in [
        "secret = \"hunter2\"",
        "secret = [\n\"hunter2\"\n]",
        "secret = [{ value = [\"hunter2\"] }]",
        "secret = [{ value = \"hunter2\", expires = \"hunter2\" }]",
        "secret = [{ value = \"hunter2 }]",
        "secret = [{ value = hunter2 }]",
        "[[application.secret]]\nvalue = \"hunter2\"\nexpired = 1",
        "[[application.secret]]\nvalue = 'hunter2",
        "public = \"hunter2\"",
    ] {
        let error = Config::from_toml(&format!("{start}{rest}")).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}\n{rest}");
        assert!(error.line().is_some(), "{shown}");
    }
    let config =
        Config::from_toml(&format!("{start}secret = [{{ value = \"hunter2\" }}]")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
