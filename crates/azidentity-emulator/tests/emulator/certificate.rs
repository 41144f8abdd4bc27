//! Client assertions that are signed with a certificate.

use std::time::{Duration, UNIX_EPOCH};

use azidentity_emulator::{Emulator, World};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rcgen::{BasicConstraints, IsCa};
use serde_json::{Value, json};

use crate::client::{Answer, Client, built_in, start};
use crate::signer::{Authority, Signer, encode, hs256, sha1, sha256, unsigned};

const TENANT: &str = "11111111-bbbb-4000-8000-000000000001";
const DAEMON: &str = "22222222-bbbb-4000-8000-000000000001";
const OTHER: &str = "22222222-bbbb-4000-8000-000000000002";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// 2026-11-30, at which the clock stands.
const NOW: u64 = 1_796_071_711;

/// A world in which each application has a certificate, and an expired one.
struct Setting {
    emulator: Emulator,
    authority: Authority,
    certificate: rcgen::Certificate,
    expired: rcgen::Certificate,
    others: rcgen::Certificate,
}

impl Setting {
    fn new() -> Self {
        let (own, other) = (Signer::number(0), Signer::number(1));
        let authority = Authority::new();
        let certificate = own.certificate("daemon", [2020, 2030]);
        let expired = own.certificate("daemon", [2010, 2020]);
        let others = other.certificate("other", [2020, 2030]);
        let pem = |certificate: &rcgen::Certificate| format!("pem = '''{}'''", certificate.pem());
        let emulator = start(&format!(
            "[[tenant]]\nid = \"{TENANT}\"\ndomains = [\"shop.example\"]\n\
             [[application]]\nclient_id = \"{DAEMON}\"\n\
             [[application.certificate]]\n{}\n[[application.certificate]]\n{}\n\
             [[application.trusted_subject]]\ncommon_name = \"daemon\"\n{}\n\
             [[application]]\nclient_id = \"{OTHER}\"\n[[application.certificate]]\n{}\n",
            pem(&certificate),
            pem(&expired),
            pem(&authority.certificate),
            pem(&others),
        ));
        emulator.set_time(UNIX_EPOCH + Duration::from_secs(NOW));
        Self {
            emulator,
            authority,
            certificate,
            expired,
            others,
        }
    }

    fn claims(&self) -> Value {
        let endpoint = format!(
            "{}/{TENANT}/oauth2/v2.0/token",
            self.emulator.authority_host()
        );
        json!({
            "aud": endpoint, "iss": DAEMON, "sub": DAEMON, "jti": unique(),
            "nbf": NOW, "exp": NOW + 600,
        })
    }

    fn header(&self) -> Value {
        json!({ "alg": "RS256", "typ": "JWT", "x5t": encode(sha1(self.certificate.der())) })
    }

    async fn present(&self, assertion: &str) -> Answer {
        present(&self.emulator, TENANT, DAEMON, assertion).await
    }

    async fn sign(&self, header: &Value, claims: &Value) -> Answer {
        self.present(&Signer::number(0).jwt(header, claims)).await
    }
}

async fn present(emulator: &Emulator, tenant: &str, id: &str, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
        ("scope", "https://vault.azure.net/.default"),
    ];
    let answer = Client::of(emulator).token(tenant, &form).await;
    assert!(!answer.text.contains(assertion), "{}", answer.text);
    answer
}

fn unique() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The value with some of its fields replaced; null stands for left out.
pub(crate) fn but(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name.as_str()] = change.clone();
        }
    }
    value
}

#[tokio::test]
async fn every_spelling_of_clients_is_taken() {
    let setting = Setting::new();
    let der = setting.certificate.der();
    let (short, long) = (sha1(der), sha256(der));
    for header in [
        json!({ "alg": "RS256", "x5t": encode(short) }),
        json!({ "alg": "RS256", "x5t": URL_SAFE.encode(short) }),
        json!({ "alg": "RS256", "x5t": STANDARD.encode(short) }),
        json!({ "alg": "PS256", "x5t#S256": encode(long) }),
        json!({ "alg": "PS256", "x5t#S256": URL_SAFE.encode(long) }),
        json!({ "alg": "PS256", "x5t": STANDARD.encode(short), "x5t#S256": STANDARD.encode(long) }),
        json!({ "alg": "RS256", "x5t": encode(short), "x5c": [STANDARD.encode(der)] }),
    ] {
        let answer = setting.sign(&header, &setting.claims()).await;
        assert_eq!(answer.status, 200, "{header}: {}", answer.text);
    }
    let host = setting.emulator.authority_host();
    for changes in [
        json!({ "iat": 1_796_071_711.55, "exp": 1_796_072_311.55, "nbf": null }),
        json!({ "nbf": NOW + 299 }),
        json!({ "exp": NOW - 299 }),
        json!({ "jti": null }),
        json!({ "aud": format!("{host}/{TENANT}/v2.0") }),
        json!({ "aud": format!("{host}/shop.example/v2.0") }),
        json!({ "aud": format!("{host}/Shop.Example/oauth2/v2.0/token") }),
        json!({ "aud": format!("{host}/{}/oauth2/v2.0/token", TENANT.to_uppercase()) }),
        json!({ "iss": DAEMON.to_uppercase(), "sub": DAEMON.to_uppercase() }),
    ] {
        let claims = but(setting.claims(), &changes);
        let answer = setting.sign(&setting.header(), &claims).await;
        assert_eq!(answer.status, 200, "{changes}: {}", answer.text);
        let token = Client::of(&setting.emulator)
            .verified(&answer.token())
            .await;
        assert_eq!(token["appidacr"], "2");
    }
}

#[tokio::test]
async fn claims_and_headers_that_are_wrong_are_refused() {
    let setting = Setting::new();
    let host = setting.emulator.authority_host();
    let none = json!({});
    for (header, claims, number) in [
        (json!({ "x5t": null }), none.clone(), 700_027),
        (json!({ "x5t": encode([7; 20]) }), none.clone(), 700_027),
        (json!({ "x5t": 7 }), none.clone(), 700_027),
        (
            json!({ "x5t": encode(sha1(setting.others.der())) }),
            none.clone(),
            700_027,
        ),
        (
            json!({ "x5t": encode(sha1(setting.expired.der())) }),
            none.clone(),
            700_027,
        ),
        // One thumbprint right, the other wrong.
        (
            json!({ "x5t#S256": encode([7; 32]) }),
            none.clone(),
            700_027,
        ),
        (json!({ "alg": "none" }), none.clone(), 5_002_730),
        (json!({ "alg": "RS512" }), none.clone(), 5_002_730),
        (json!({ "alg": null }), none.clone(), 5_002_730),
        (json!({ "x5c": "AAAA" }), none.clone(), 50027),
        (json!({ "x5c": [] }), none.clone(), 50027),
        (json!({ "x5c": vec!["AAAA"; 9] }), none.clone(), 50027),
        (none.clone(), json!({ "exp": NOW - 301 }), 700_024),
        (none.clone(), json!({ "nbf": NOW + 301 }), 700_024),
        (none.clone(), json!({ "exp": NOW + 86_401 }), 700_024),
        (none.clone(), json!({ "exp": 1e300 }), 700_024),
        (none.clone(), json!({ "exp": null }), 50027),
        (none.clone(), json!({ "exp": "never" }), 50027),
        (none.clone(), json!({ "nbf": "now" }), 50027),
        (
            none.clone(),
            json!({ "aud": "https://vault.azure.net" }),
            700_023,
        ),
        (
            none.clone(),
            json!({ "aud": format!("{host}/{OTHER}/v2.0") }),
            700_023,
        ),
        (
            none.clone(),
            json!({ "aud": format!("{host}/common/v2.0") }),
            700_023,
        ),
        (
            none.clone(),
            json!({ "aud": format!("{host}1/{TENANT}/v2.0") }),
            700_023,
        ),
        (
            none.clone(),
            json!({ "aud": host.replace("https", "http") }),
            700_023,
        ),
        (
            none.clone(),
            json!({ "aud": [format!("{host}/{TENANT}/v2.0")] }),
            50027,
        ),
        (none.clone(), json!({ "iss": OTHER }), 700_021),
        (none.clone(), json!({ "sub": OTHER }), 700_021),
        (none.clone(), json!({ "sub": null }), 700_021),
        (none.clone(), json!({ "iss": null }), 50027),
        (none.clone(), json!({ "iss": OTHER, "sub": OTHER }), 700_021),
    ] {
        let (header, claims) = (
            but(setting.header(), &header),
            but(setting.claims(), &claims),
        );
        let answer = setting.sign(&header, &claims).await;
        let body = answer.json();
        assert_eq!(
            body["error_codes"],
            json!([number]),
            "{header} {claims} {body}"
        );
        let expected = match number {
            50027 | 5_002_730 => (400, "invalid_request"),
            _ => (401, "invalid_client"),
        };
        assert_eq!(
            (answer.status.as_u16(), body["error"].as_str().unwrap()),
            expected
        );
        assert!(!answer.text.contains('\\'), "{body}");
    }
}

#[tokio::test]
async fn forged_signatures_are_refused() {
    let setting = Setting::new();
    let (own, other) = (Signer::number(0), Signer::number(1));
    let (header, claims) = (setting.header(), setting.claims());
    let good = own.jwt(&header, &claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let tampered = encode(but(claims.clone(), &json!({ "exp": NOW + 700 })).to_string());
    let others = json!({ "alg": "RS256", "x5t": encode(sha1(setting.others.der())) });
    let ps = json!({ "alg": "PS256", "x5t": encode(sha1(setting.certificate.der())) });
    for (what, assertion, number) in [
        ("another key", other.jwt(&header, &claims), 700_027),
        (
            "another application's",
            other.jwt(&others, &claims),
            700_027,
        ),
        (
            "tampered",
            format!("{head}.{tampered}.{signature}"),
            700_027,
        ),
        ("no signature", format!("{signed}."), 700_027),
        (
            "another algorithm",
            format!("{}.{signature}", unsigned(&ps, &claims)),
            700_027,
        ),
        (
            "none",
            format!("{}.", unsigned(&json!({ "alg": "none" }), &claims)),
            5_002_730,
        ),
        ("symmetric", hs256(&claims, own.public()), 5_002_730),
        ("not a token", "x".to_owned(), 50027),
        ("two parts", signed.to_owned(), 50027),
        ("no base64", format!("{signed}.!!"), 50027),
        ("too long", "a".repeat(64 * 1024 + 1), 50027),
        (
            "deep",
            format!("{}.e30.AA", encode("[".repeat(30_000))),
            50027,
        ),
    ] {
        let answer = setting.present(&assertion).await;
        let codes = answer.json()["error_codes"].clone();
        assert_eq!(codes, json!([number]), "{what}: {}", answer.text);
    }
    assert_eq!(setting.present(&good).await.status, 200);
}

#[tokio::test]
async fn the_same_assertion_counts_again_but_not_another_with_its_id() {
    let setting = Setting::new();
    let claims = setting.claims();
    let assertion = Signer::number(0).jwt(&setting.header(), &claims);
    for _ in 0..3 {
        assert_eq!(setting.present(&assertion).await.status, 200);
    }
    let other = but(claims, &json!({ "exp": NOW + 500 }));
    let answer = setting.sign(&setting.header(), &other).await;
    assert_eq!(answer.json()["error_codes"], json!([50027]));
    assert!(answer.text.contains("jti"), "{}", answer.text);
    // Its life over, the first one has expired.
    setting.emulator.advance(Duration::from_secs(901));
    let answer = setting.present(&assertion).await;
    assert_eq!(answer.json()["error_codes"], json!([700_024]));
}

#[tokio::test]
async fn a_trusted_authority_vouches_for_certificates_that_nobody_registered() {
    let setting = Setting::new();
    let own = Signer::number(0);
    let middle = setting
        .authority
        .below(IsCa::Ca(BasicConstraints::Unconstrained));
    let x5c = |chain: &[&rcgen::Certificate]| {
        let chain = chain.iter().map(|one| STANDARD.encode(one.der()));
        let leaf = sha1(one_of(&chain.clone().next().unwrap()).as_slice());
        json!({ "alg": "RS256", "x5t": encode(leaf), "x5c": chain.collect::<Vec<_>>() })
    };
    let leaf = setting.authority.issue("daemon", own, [2020, 2030]);
    let below = middle.issue("daemon", own, [2020, 2030]);
    for chain in [
        &[&leaf][..],
        &[&leaf, &setting.authority.certificate],
        &[&below, &middle.certificate],
        &[&below, &setting.authority.certificate, &middle.certificate],
    ] {
        let answer = setting.sign(&x5c(chain), &setting.claims()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let stranger = setting.authority.issue("stranger", own, [2020, 2030]);
    let expired = setting.authority.issue("daemon", own, [2020, 2021]);
    let own_make = own.certificate("daemon", [2021, 2030]);
    let usurper = setting.authority.below(IsCa::ExplicitNoCa);
    let usurped = usurper.issue("daemon", own, [2020, 2030]);
    let forged = Authority::new().issue("daemon", own, [2020, 2030]);
    for chain in [
        &[&stranger][..],
        &[&expired],
        &[&own_make],
        &[&forged, &setting.authority.certificate],
        &[&below],
        &[&below, &leaf],
        &[&usurped, &usurper.certificate],
    ] {
        let answer = setting.sign(&x5c(chain), &setting.claims()).await;
        assert_eq!(
            answer.json()["error_codes"],
            json!([700_027]),
            "{}",
            answer.text
        );
    }
    // What one certificate says does not help another.
    let header = but(x5c(&[&leaf]), &json!({ "x5t": encode([7; 20]) }));
    let answer = setting.sign(&header, &setting.claims()).await;
    assert_eq!(answer.json()["error_codes"], json!([700_027]));
    // An application without such trust.
    let claims = but(setting.claims(), &json!({ "iss": OTHER, "sub": OTHER }));
    let assertion = own.jwt(&x5c(&[&leaf]), &claims);
    let answer = present(&setting.emulator, TENANT, OTHER, &assertion).await;
    assert_eq!(answer.json()["error_codes"], json!([700_027]));
    // A slip of a client: the base64 of the text and not of the certificate.
    let header = but(
        x5c(&[&leaf]),
        &json!({ "x5c": [STANDARD.encode(leaf.pem())] }),
    );
    let answer = setting.sign(&header, &setting.claims()).await;
    assert!(answer.text.contains("PEM"), "{}", answer.text);
}

fn one_of(entry: &str) -> Vec<u8> {
    STANDARD.decode(entry).unwrap()
}

#[tokio::test]
async fn what_is_around_an_assertion_is_checked() {
    let setting = Setting::new();
    let assertion = Signer::number(0).jwt(&setting.header(), &setting.claims());
    let form = |kind: &'static str, secret: &'static str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", DAEMON),
            ("client_assertion_type", kind),
            ("client_assertion", assertion.as_str()),
            ("client_secret", secret),
            ("scope", "https://vault.azure.net/.default"),
        ];
        form.map(|(name, value)| (name, value.to_owned()))
    };
    let client = Client::of(&setting.emulator);
    for (kind, secret, number) in [
        ("", "", 900_144),
        ("jwt", "", 9_002_313),
        (TYPE, "secret", 9_002_313),
    ] {
        let form = form(kind, secret);
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = client.token(TENANT, &form).await;
        assert_eq!(
            answer.json()["error_codes"],
            json!([number]),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn the_built_in_world_has_a_certificate_and_its_successor() {
    let emulator = built_in();
    let certificate = emulator.client_certificate().unwrap();
    let renewed = emulator.renewed_client_certificate().unwrap();
    assert_ne!(certificate.certificate_pem(), renewed.certificate_pem());
    assert_eq!(certificate.private_key_pem(), renewed.private_key_pem());
    let daemon = emulator.world().application(World::CLIENT_ID).unwrap();
    assert_eq!(
        daemon.certificates()[0].der(),
        Some(certificate.certificate_der())
    );
    for shown in [
        format!("{certificate:?}"),
        format!("{emulator:?} {daemon:?}"),
    ] {
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }
    let text = Client::of(&emulator)
        .get(&format!(
            "{}/_emulator/client-certificate.pem",
            emulator.http_endpoint()
        ))
        .await
        .text;
    assert_eq!(text, certificate.pem());
}
