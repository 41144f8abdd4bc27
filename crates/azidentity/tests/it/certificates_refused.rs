//! What can be wrong with certificates, and what is said about it.

use std::io::Write;

use azidentity::{ClientCertificate, FailureKind};

use crate::{
    certificates::{PASSWORD, bytes, fixture, load},
    support::expect_error,
};

/// A name for the test's output, the file, its password, and what the message has to hold.
type Case<'a> = (&'a str, Vec<u8>, &'a str, &'a [&'a str]);

fn expect_refusals(cases: Vec<Case<'_>>) {
    for (what, content, password, says) in cases {
        let loaded = load(bytes(content), Some(password));
        let loaded = loaded.inspect_err(|error| println!("{what}: {error}"));
        let error = expect_error(loaded, FailureKind::Configuration, says);
        assert_eq!(error.credential(), Some("certificate"), "{what}");
    }
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).expect("PEM")
}

#[test]
fn keys_of_no_use_are_told_by_their_kind() {
    let openssh = text("app.pem").replace("PRIVATE KEY", "OPENSSH PRIVATE KEY");
    let unknown = text("traditional-aes256.pem").replace("AES-256-CBC", "CAMELLIA-256-CBC");
    expect_refusals(vec![
        (
            "EC",
            fixture("ec.pem"),
            "",
            &["elliptic-curve", "RSA", "openssl req"],
        ),
        (
            "PSS",
            fixture("pss.pem"),
            "",
            &["RSASSA-PSS", "openssl req"],
        ),
        ("DSA", fixture("dsa.pem"), "", &["DSA", "openssl req"]),
        (
            "small",
            fixture("small.pem"),
            "",
            &["1024 bits", "too small", "2048"],
        ),
        ("OpenSSH", openssh.into(), "", &["OpenSSH", "openssl req"]),
        (
            "PBES1",
            fixture("pbes1.pem"),
            PASSWORD,
            &["PBES1 (PBE-MD5-DES)", "openssl pkcs8 -topk8"],
        ),
        (
            "unknown",
            unknown.into(),
            PASSWORD,
            &[
                "CAMELLIA-256-CBC in the traditional form",
                "openssl pkcs8 -topk8",
            ],
        ),
    ]);
}

#[test]
fn what_is_missing_or_does_not_fit_is_told() {
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    let request = text("no-certificate.pem") + request;
    let join = "cat certificate.pem key.pem";
    expect_refusals(vec![
        (
            "no key",
            fixture("no-key.pem"),
            "",
            &["no private key", join],
        ),
        (
            "no key in a PFX",
            fixture("no-key.pfx"),
            "",
            &["no private key"],
        ),
        (
            "public key",
            fixture("public-key.pem"),
            "",
            &["public key only", "private key"],
        ),
        (
            "no certificate",
            fixture("no-certificate.pem"),
            "",
            &["no certificate", join],
        ),
        ("a request", request.into(), "", &["certificate request"]),
        (
            "another key",
            fixture("another-key.pem"),
            "",
            &["do not belong together", "another certificate", "-pubkey"],
        ),
        (
            "expired",
            fixture("expired.pem"),
            "",
            &["expired on 2024-12-31", "2027-01-15", "register"],
        ),
        (
            "not yet valid",
            fixture("not-yet-valid.pem"),
            "",
            &["not valid before 2090-01-01", "2027-01-15", "clock"],
        ),
        (
            "a lone certificate",
            fixture("certificate.der"),
            "",
            &["lone certificate in DER", "openssl x509", "cat"],
        ),
        (
            "a lone key",
            fixture("key.der"),
            "",
            &["lone private key in DER", "openssl pkey", "cat"],
        ),
    ]);
}

#[test]
fn what_is_no_certificate_is_told_without_quoting_it() {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let half = |name| {
        let content = fixture(name);
        content[..content.len() / 2].to_vec()
    };
    let app = text("app.pem");
    let certificate = app.replace("CERTIFICATE-----\nMII", "CERTIFICATE-----\nMIJ");
    let utf16 = "\u{feff}-----BEGIN".encode_utf16();
    expect_refusals(vec![
        (
            "half a PFX",
            half("modern.pfx"),
            PASSWORD,
            &["PFX file is incomplete", "bytes and has"],
        ),
        (
            "half a PEM",
            half("app.pem"),
            "",
            &["PEM file is incomplete", "END"],
        ),
        (
            "another END",
            app.replace("END PRIVATE", "END CLEVER").into(),
            "",
            &["PEM file is incomplete"],
        ),
        (
            "no base64",
            app.replacen("MII", "M%I", 1).into(),
            "",
            &["PEM file is damaged", "private key", "base64"],
        ),
        (
            "no key",
            app.replacen("MII", "MIJ", 1).into(),
            "",
            &["private key is damaged"],
        ),
        (
            "no certificate",
            certificate.into(),
            "",
            &["certificate is damaged"],
        ),
        (
            "base64 of a PFX",
            STANDARD.encode(fixture("plain.pfx")).into(),
            "",
            &["base64 text of a file", "base64 -d"],
        ),
        (
            "UTF-16",
            utf16.flat_map(u16::to_le_bytes).collect(),
            "",
            &["UTF-16", "UTF-8"],
        ),
        ("nothing", vec![], "", &["empty"]),
        ("white space", b" \n".to_vec(), "", &["empty"]),
        (
            "garbage",
            b"pl4nted garbage".to_vec(),
            "",
            &["neither PEM text nor a PFX"],
        ),
        (
            "too large",
            vec![b'x'; 1024 * 1024 + 1],
            "",
            &["larger than 1024 KiB"],
        ),
    ]);
}

#[test]
fn files_that_are_none_are_refused_without_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let in_folder = |name: &str| folder.path().join(name);
    let big = in_folder("big.pem");
    let mut file = std::fs::File::create(&big).expect("a file");
    file.write_all(&vec![b'x'; 1024 * 1024 + 7]).expect("room");
    let mut cases = vec![
        (folder.path().to_owned(), "folder"),
        (in_folder("missing.pem"), "does not exist"),
        (big, "longer than 1048576 bytes"),
        ("".into(), "empty"),
        ("/a\0b".into(), "cannot be read"),
    ];
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let pipe = in_folder("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        let link = in_folder("link");
        symlink(&pipe, &link).expect("a link");
        cases.push((pipe, "no regular file"));
        cases.push((link, "no regular file"));
        cases.push(("/dev/zero".into(), "no regular file"));
    }
    for (path, says) in cases {
        let error = expect_error(
            load(ClientCertificate::from_path(path.clone()), None),
            FailureKind::Configuration,
            &[says],
        );
        assert!(
            error.message().contains(&*path.to_string_lossy()),
            "{error}"
        );
    }
}
