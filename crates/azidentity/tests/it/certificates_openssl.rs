//! Certificates as the openssl program writes them, and assertions as it and `PyJWT` check them.

use std::{path::PathBuf, process::Command};

use azidentity::{
    ClientCertificate, ClientCertificateCredential, ClientCertificateCredentialBuilder, FailureKind,
};
use azure_core::credentials::TokenCredential;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tempfile::TempDir;

use crate::support::{CLIENT, SCOPE, TENANT, Wire, expect_error};

const WORD: &str = "pl4nted-wörd";

/// A folder in which openssl works.
struct Workshop(TempDir);

impl Workshop {
    /// With a key and a certificate for it, and those of an authority.
    fn open() -> Self {
        let shop = Self(tempfile::tempdir().expect("a folder"));
        shop.openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt");
        shop.openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=app -CA ca.crt -CAkey ca.key -keyout app.key -out app.crt");
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs openssl with arguments that hold no spaces; `WORD` stands for the password.
    fn openssl(&self, arguments: &str) {
        let arguments = arguments.split_whitespace().map(|argument| {
            if argument == "pass:WORD" {
                format!("pass:{WORD}")
            } else {
                argument.to_owned()
            }
        });
        run(Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path()));
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn join(&self, to: &str, files: &[&str]) {
        let content: Vec<u8> = files.iter().flat_map(|name| self.read(name)).collect();
        std::fs::write(self.path(to), content).expect("room");
    }

    /// By the clock of this machine, as openssl dates its certificates.
    fn credential(&self, file: &str, password: &str) -> ClientCertificateCredentialBuilder {
        ClientCertificateCredential::builder(
            TENANT,
            CLIENT,
            ClientCertificate::from_path(self.path(file)),
        )
        .password(password.to_owned())
    }

    fn loads(&self, file: &str, password: &str) {
        if let Err(error) = self.credential(file, password).build() {
            panic!("{file}: {error}");
        }
    }
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs openssl"]
fn keys_of_every_form_load() {
    let shop = Workshop::open();
    shop.openssl("rsa -in app.key -traditional -out pkcs1.key");
    for key in ["app.key", "pkcs1.key"] {
        shop.join("key-first.pem", &[key, "app.crt", "ca.crt"]);
        shop.join("key-last.pem", &["ca.crt", "app.crt", key]);
        shop.loads("key-first.pem", "");
        shop.loads("key-last.pem", "");
    }

    let mut protected: Vec<(String, String)> = Vec::new();
    for options in [
        "",
        "-v2 aes-128-cbc",
        "-v2 aes-192-cbc",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512",
        "-v2 aes-256-cbc -v2prf hmacWithSHA1",
        "-v2 aes-256-cbc -iter 100000",
        "-v2 des3",
        "-scrypt",
        "-scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 4",
        "-v1 PBE-SHA1-3DES",
        "-provider default -provider legacy -v1 PBE-SHA1-RC2-40",
        "-provider default -provider legacy -v1 PBE-SHA1-RC2-128",
    ] {
        protected.push((
            options.to_owned(),
            format!("pkcs8 -topk8 -in app.key -passout pass:WORD -out safe.key {options}"),
        ));
    }
    for cipher in ["aes128", "aes192", "aes256", "des3"] {
        protected.push((
            cipher.to_owned(),
            format!("rsa -in app.key -{cipher} -traditional -passout pass:WORD -out safe.key"),
        ));
    }
    for (what, command) in protected {
        shop.openssl(&command);
        for files in [["safe.key", "app.crt"], ["app.crt", "safe.key"]] {
            shop.join("safe.pem", &files);
            shop.loads("safe.pem", WORD);
        }
        let wrong = shop.credential("safe.pem", "pl4nted-wrong").build();
        let error = expect_error(wrong, FailureKind::Configuration, &["wrong password"]);
        assert!(!error.message().contains("wrong-"), "{what}: {error}");
    }
}

#[test]
#[ignore = "needs openssl"]
fn pfx_files_of_every_form_load() {
    let shop = Workshop::open();
    for word in ["pass:WORD", "pass:"] {
        let password = if word == "pass:" { "" } else { WORD };
        for options in [
            "",
            "-certfile ca.crt",
            "-legacy",
            "-legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1",
            "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-128",
            "-certpbe AES-128-CBC -keypbe AES-192-CBC -macalg sha384",
            "-macalg sha512 -iter 50000",
            "-nomac",
            "-keypbe NONE -certpbe NONE",
            "-keypbe NONE -certpbe NONE -nomac",
            "-name käse -caname root",
        ] {
            shop.openssl(&format!(
                "pkcs12 -export -inkey app.key -in app.crt -passout {word} -out app.pfx {options}"
            ));
            shop.loads("app.pfx", password);
            let unprotected = options.contains("NONE") && options.contains("-nomac");
            if !password.is_empty() && !unprotected {
                expect_error(
                    shop.credential("app.pfx", "pl4nted-wrong").build(),
                    FailureKind::Configuration,
                    &["wrong password"],
                );
            }
        }
    }
    // As openssl takes a PFX file apart, with the attributes of its bags as text between the blocks.
    shop.openssl("pkcs12 -in app.pfx -nodes -passin pass: -out bag.pem");
    assert!(!shop.read("bag.pem").starts_with(b"-----BEGIN"));
    shop.loads("bag.pem", "");
}

#[test]
#[ignore = "needs openssl"]
fn files_of_no_use_are_told_by_their_fault() {
    let shop = Workshop::open();
    shop.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ec -keyout ec.key -out ec.crt");
    shop.openssl("ec -in ec.key -out sec1.key");
    shop.openssl(
        "req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=ed -keyout ed.key -out ed.crt",
    );
    shop.openssl("genrsa -out other.key 2048");
    shop.openssl("genrsa -out large.key 4608");
    shop.openssl("pkcs12 -export -nokeys -in app.crt -passout pass: -out no-key.pfx");
    shop.openssl("pkcs12 -export -nocerts -inkey app.key -passout pass: -out no-certificate.pfx");
    shop.openssl("pkcs12 -export -inkey ec.key -in ec.crt -passout pass: -out ec.pfx");
    shop.openssl(
        "pkcs12 -export -inkey app.key -in app.crt -macalg sha224 -passout pass: -out sha224.pfx",
    );
    shop.openssl("rsa -in app.key -des -provider default -provider legacy -traditional -passout pass:WORD -out des.key");
    // More rounds than anybody needs, which would keep every start of a program waiting.
    shop.openssl("pkcs8 -topk8 -in app.key -iter 2000001 -passout pass:WORD -out slow.key");
    shop.openssl(
        "pkcs12 -export -inkey app.key -in app.crt -iter 2000001 -passout pass: -out slow.pfx",
    );
    for (file, parts, says) in [
        ("ec.pem", &["ec.key", "ec.crt"][..], "elliptic-curve (EC)"),
        ("sec1.pem", &["ec.crt", "sec1.key"], "elliptic-curve (EC)"),
        ("ed.pem", &["ed.crt", "ed.key"], "Ed25519"),
        (
            "other.pem",
            &["other.key", "app.crt"],
            "another certificate",
        ),
        (
            "two.pem",
            &["other.key", "app.crt", "ca.crt"],
            "none of the 2",
        ),
        ("large.pem", &["large.key", "app.crt"], "4608 bits"),
        ("no-key.pfx", &[], "no private key"),
        ("no-certificate.pfx", &[], "no certificate"),
        ("ec.pfx", &[], "elliptic-curve (EC)"),
        ("sha224.pfx", &[], "MAC"),
        ("slow.pem", &["slow.key", "app.crt"], "two million rounds"),
        ("slow.pfx", &[], "two million rounds"),
        (
            "des.pem",
            &["des.key", "app.crt"],
            "DES-CBC in the traditional form",
        ),
    ] {
        if !parts.is_empty() {
            shop.join(file, parts);
        }
        let password = if file.ends_with("pem") { WORD } else { "" };
        expect_error(
            shop.credential(file, password).build(),
            FailureKind::Configuration,
            &[says, file],
        );
    }
}

/// An assertion made with the workshop's key.
async fn assertion(shop: &Workshop, tenant: &str, ad_fs: bool) -> String {
    let mut wire = Wire::new();
    let file = if ad_fs { "modern.pfx" } else { "key-first.pem" };
    let mut builder = ClientCertificateCredential::builder(
        tenant,
        CLIENT,
        ClientCertificate::from_path(shop.path(file)),
    )
    .client_options(wire.client_options())
    .send_certificate_chain(true);
    if ad_fs {
        builder = builder
            .authority_host("https://adfs.contoso.example")
            .disable_instance_discovery(true);
    }
    let credential = builder.build().expect("a valid configuration");
    let (token, assertion) = futures::join!(credential.get_token(&[SCOPE], None), async {
        let exchange = wire.next().await;
        let assertion = exchange.form["client_assertion"].clone();
        exchange.answer_token("AT-1", 3600);
        assertion
    });
    token.expect("a token");
    assertion
}

async fn assertions(shop: &Workshop) -> [String; 2] {
    shop.join("key-first.pem", &["app.key", "app.crt", "ca.crt"]);
    shop.openssl(
        "pkcs12 -export -inkey app.key -in app.crt -certfile ca.crt -passout pass: -out modern.pfx",
    );
    [
        assertion(shop, TENANT, false).await,
        assertion(shop, "adfs", true).await,
    ]
}

#[tokio::test]
#[ignore = "needs openssl"]
async fn openssl_verifies_the_signatures() {
    let shop = Workshop::open();
    shop.openssl("x509 -in app.crt -noout -pubkey -out app.pub");
    let [entra, ad_fs] = assertions(&shop).await;
    for (assertion, options) in [
        (
            entra,
            "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha256",
        ),
        (ad_fs, ""),
    ] {
        let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
        std::fs::write(shop.path("signed"), signed).expect("room");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        std::fs::write(shop.path("signature"), signature).expect("room");
        shop.openssl(&format!(
            "dgst -sha256 -verify app.pub -signature signature {options} signed"
        ));
    }
}

#[tokio::test]
#[ignore = "needs openssl and PyJWT"]
async fn pyjwt_verifies_the_assertions() {
    const SCRIPT: &str = "
import base64, hashlib, ssl, sys, time, jwt
certificate, assertion, algorithm, audience, client = sys.argv[1:]
pem = open(certificate).read()
der = ssl.PEM_cert_to_DER_cert(pem)
from cryptography import x509
key = x509.load_pem_x509_certificate(pem.encode()).public_key()
claims = jwt.decode(assertion, key, algorithms=[algorithm], audience=audience, issuer=client,
                    options={'require': ['exp', 'nbf', 'iat', 'jti', 'sub']})
assert claims['sub'] == client and claims['exp'] - claims['nbf'] == 600, claims
assert abs(claims['iat'] - time.time()) < 60, claims
header = jwt.get_unverified_header(assertion)
name, digest = {'PS256': ('x5t#S256', hashlib.sha256), 'RS256': ('x5t', hashlib.sha1)}[algorithm]
assert base64.urlsafe_b64decode(header[name] + '=' * (-len(header[name]) % 4)) == digest(der).digest(), header
chain = [x509.load_der_x509_certificate(base64.b64decode(item, validate=True)) for item in header['x5c']]
assert chain[0] == x509.load_pem_x509_certificate(pem.encode()) and len(chain) == 2, header
chain[0].verify_directly_issued_by(chain[1])
";
    let shop = Workshop::open();
    let [entra, ad_fs] = assertions(&shop).await;
    let python = std::env::var_os("AZIDENTITY_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    for (assertion, algorithm, audience) in [
        (
            entra,
            "PS256",
            format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
        ),
        (
            ad_fs,
            "RS256",
            "https://adfs.contoso.example/adfs/oauth2/token".to_owned(),
        ),
    ] {
        run(Command::new(&python)
            .args(["-c", SCRIPT])
            .arg(shop.path("app.crt"))
            .args([&*assertion, algorithm, &audience, CLIENT]));
    }
}
