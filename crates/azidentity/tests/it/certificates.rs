//! The forms in which certificates come.

use std::sync::Arc;

use azidentity::{
    ClientCertificate, ClientCertificateCredential, Environment, FailureKind, ManualClock,
};

use crate::support::{CLIENT, START, TENANT, expect_error};

/// Of those files that have one.
pub(crate) const PASSWORD: &str = "pl4nted-pässword";

pub(crate) fn path(name: &str) -> String {
    format!(
        "{}/tests/it/certificates/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A credential with that certificate, at the time at which manual clocks start.
pub(crate) fn load(
    certificate: impl Into<ClientCertificate>,
    password: Option<&str>,
) -> azure_core::Result<Arc<ClientCertificateCredential>> {
    let environment = Environment::builder()
        .clock(Arc::new(ManualClock::new(START)))
        .build();
    let mut builder =
        ClientCertificateCredential::builder(TENANT, CLIENT, certificate).environment(environment);
    if let Some(password) = password {
        builder = builder.password(password.to_owned());
    }
    builder.build()
}

pub(crate) fn bytes(content: impl Into<Vec<u8>>) -> ClientCertificate {
    ClientCertificate::from_bytes(content)
}

/// Does it load, and if it is protected, is a wrong password called one?
#[test]
fn every_form_loads() {
    for (file, protected) in [
        ("app.pem", false),
        ("reversed.pem", false),
        ("pkcs1.pem", false),
        ("other.pem", false),
        ("large.pem", false),
        ("aes256.pem", true),
        ("aes128-sha1.pem", true),
        ("des3.pem", true),
        ("scrypt.pem", true),
        ("pkcs12-des3.pem", true),
        ("traditional-aes128.pem", true),
        ("traditional-aes256.pem", true),
        ("traditional-des3.pem", true),
        ("modern.pfx", true),
        ("legacy.pfx", true),
        ("no-mac.pfx", true),
        ("empty-password.pfx", false),
        ("no-password.pfx", false),
        ("plain.pfx", false),
    ] {
        let password = protected.then_some(PASSWORD);
        load(bytes(fixture(file)), password).unwrap_or_else(|error| panic!("{file}: {error}"));
        load(ClientCertificate::from_path(path(file)), password).expect(file);
        if protected {
            for (wrong, says) in [
                (Some("pl4nted-wrong"), "wrong password"),
                (Some(PASSWORD.to_uppercase().as_str()), "wrong password"),
                (Some("\u{1F511}"), "wrong password"),
                (None, "no password was given"),
                (Some(""), "no password was given"),
            ] {
                expect_error(
                    load(bytes(fixture(file)), wrong),
                    FailureKind::Configuration,
                    &[says],
                );
            }
        } else {
            load(bytes(fixture(file)), Some("")).expect(file);
        }
    }
    for file in ["app.pem", "pkcs1.pem", "plain.pfx"] {
        load(bytes(fixture(file)), Some("pl4nted-unneeded")).expect(file);
    }
}

#[test]
fn pem_text_is_read_as_widely_as_it_is_written() {
    let app = String::from_utf8(fixture("app.pem")).unwrap();
    let key_end = app.find("-----BEGIN CERTIFICATE").unwrap();
    let (key, certificates) = app.split_at(key_end);
    for (what, text) in [
        ("certificates first", format!("{certificates}{key}")),
        (
            "key between certificates",
            format!("{certificates}{key}{certificates}"),
        ),
        ("CRLF", app.replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{app}")),
        ("no last line end", app.trim_end().to_owned()),
        (
            "text around the blocks",
            format!(
                "Bag Attributes\n    friendlyName: käse: 1\nKey Attributes: <No Attributes>\n{key}\nsubject=CN = app\n\n{certificates}\nbye"
            ),
        ),
        ("indented", app.replace('\n', "\n    ")),
        ("in one line", app.replace('\n', " ")),
        (
            "other blocks",
            format!(
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{app}"
            ),
        ),
        (
            "another label",
            app.replace(" CERTIFICATE-", " X509 CERTIFICATE-"),
        ),
    ] {
        load(bytes(text.clone()), None).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    // What is not UTF-8 may stand between the blocks.
    let mut latin1 = b"caf\xe9\n".to_vec();
    latin1.extend(app.bytes());
    load(bytes(latin1), None).expect("Latin-1");
}
