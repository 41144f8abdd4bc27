//! Do other TLS implementations accept the certificates?

use std::io::Write as _;
use std::process::{Command, Stdio};

use azidentity_emulator::Emulator;
use tempfile::NamedTempFile;

use crate::client::{Client, built_in};

fn ca_file(emulator: &Emulator) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(emulator.ca_certificate_pem().as_bytes())
        .unwrap();
    file
}

fn port(emulator: &Emulator) -> &str {
    emulator.authority_host().rsplit_once(':').unwrap().1
}

#[tokio::test]
async fn one_emulator_does_not_vouch_for_another() {
    let (one, two) = (built_in(), built_in());
    assert_ne!(one.ca_certificate_pem(), two.ca_certificate_pem());
    let url = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        two.authority_host()
    );
    let error = Client::of(&one)
        .request(reqwest::Method::GET, &url)
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}

#[test]
#[ignore = "needs python3 and openssl"]
fn openssl_accepts_the_chain() {
    let emulator = built_in();
    let file = ca_file(&emulator);
    for (host, check) in [
        ("localhost", ["-verify_hostname", "localhost"]),
        ("127.0.0.1", ["-verify_ip", "127.0.0.1"]),
    ] {
        let output = Command::new("openssl")
            .args([
                "s_client",
                "-x509_strict",
                "-verify_return_error",
                "-CAfile",
            ])
            .arg(file.path())
            .arg("-connect")
            .arg(format!("{host}:{}", port(&emulator)))
            .args(check)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("Verify return code: 0 (ok)"),
            "{host}: {text}"
        );
    }
    let output = Command::new("openssl")
        .args(["verify", "-x509_strict", "-CAfile"])
        .args([file.path(); 2])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
#[ignore = "needs python3 and openssl"]
fn python_accepts_the_chain() {
    const SCRIPT: &str = "
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
# The default from Python 3.13 on.
context.verify_flags |= ssl.VERIFY_X509_STRICT
for host in sys.argv[3:]:
    with socket.create_connection((host, int(sys.argv[2]))) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            assert secure.getpeercert()['subjectAltName'][0] == ('DNS', 'localhost')
";
    let emulator = built_in();
    let file = ca_file(&emulator);
    let output = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(file.path())
        .args([port(&emulator), "localhost", "127.0.0.1"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
