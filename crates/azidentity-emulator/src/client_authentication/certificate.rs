//! Assertions that a client signs with the key of its certificate.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use serde_json::Value;
use url::{Host, Url};

use super::assertion::{bad_signature, check_life, malformed, not_the_client};
use crate::clock;
use crate::entra_error::EntraError;
use crate::grants::{Authority, TokenRequest};
use crate::jwt::Jwt;
use crate::state::State;
use crate::world::Application;
use crate::x509::{self, Certificate};

/// The longest life of an assertion, in seconds. Microsoft's libraries give
/// theirs 5 to 30 minutes; one for days would be a password.
const LONGEST: f64 = 24.0 * 60.0 * 60.0;

/// Certificates that are looked at between the client's and the authority's.
const LONGEST_CHAIN: usize = 8;

pub(super) fn check(
    request: &TokenRequest<'_>,
    application: &Application,
    jwt: &Jwt<'_>,
    assertion: &str,
) -> Result<(), EntraError> {
    let own = |claim: &str| {
        jwt.text(claim)
            .is_some_and(|name| name.eq_ignore_ascii_case(application.client_id()))
    };
    if !own("iss") || !own("sub") {
        return Err(not_the_client(application));
    }
    let now = clock::unix(request.trace.at);
    let certificate = find(application, jwt, now)?;
    if !certificate.is_valid_at(now) {
        return Err(bad_signature(
            "the certificate has expired, or is not valid yet",
        ));
    }
    let Some(key) = certificate.key() else {
        return Err(bad_signature(
            "the key of the certificate is not an RSA key",
        ));
    };
    if !jwt.is_signed_by(&key) {
        return Err(bad_signature(
            "it does not fit the certificate that the header names; key and certificate may not belong together",
        ));
    }
    if !is_ours(request, jwt.text("aud").unwrap_or_default()) {
        return Err(EntraError::new(
            700_023,
            "The audience (aud) of the client assertion is not this token endpoint.",
        ));
    }
    let life = check_life(request, jwt)?;
    if life.expires - life.now > LONGEST {
        return Err(EntraError::new(
            700_024,
            "The client assertion is not within its valid time range: it would be valid for more than a day.",
        ));
    }
    let assertions = &request.state.ledger.assertions;
    let fresh = jwt.text("jti").is_none_or(|id| {
        let client_id = application.client_id();
        assertions.note(client_id, id, assertion, life.expires + 300.0, life.now)
    });
    if fresh {
        return Ok(());
    }
    Err(malformed(
        "another one with the same id (jti) was presented before",
    ))
}

/// The certificate that the header names, if the application may use it.
fn find(application: &Application, jwt: &Jwt<'_>, now: u64) -> Result<Certificate, EntraError> {
    let chain = chain(jwt)?;
    let (sha1, sha256) = (jwt.header_text("x5t"), jwt.header_text("x5t#S256"));
    let named = |certificate: &Certificate| {
        let fits = |name: Option<&str>, has: fn(&Certificate, &str) -> bool| {
            name.is_none_or(|name| has(certificate, name))
        };
        fits(sha1, Certificate::has_sha1) && fits(sha256, Certificate::has_sha256)
    };
    if sha1.is_none() && sha256.is_none() && chain.is_empty() {
        return Err(bad_signature(
            "its header names no certificate: it needs x5t#S256, x5t or x5c",
        ));
    }
    let leaf = chain.first();
    let registered = application
        .certificates()
        .iter()
        .filter_map(|known| known.certificate())
        .find(|known| named(known) && leaf.is_none_or(|leaf| leaf == *known));
    if let Some(certificate) = registered {
        return Ok(certificate.clone());
    }
    let unknown = "the certificate that its header names is not registered for the application";
    let Some(leaf) = leaf else {
        return Err(bad_signature(unknown));
    };
    if !named(leaf) {
        return Err(bad_signature(
            "the thumbprint in its header is not that of the first certificate in x5c",
        ));
    }
    if application.trusted_subjects.is_empty() {
        return Err(bad_signature(&format!(
            "{unknown}, and the application does not take certificates by subject name and issuer"
        )));
    }
    if is_trusted(application, &chain, now) {
        return Ok(leaf.clone());
    }
    Err(bad_signature(
        "the certificate in x5c is not registered, nor was it issued by a trusted authority for a trusted subject",
    ))
}

/// The certificates in `x5c`.
fn chain(jwt: &Jwt<'_>) -> Result<Vec<Certificate>, EntraError> {
    let Some(entries) = jwt.header.get("x5c") else {
        return Ok(Vec::new());
    };
    // The standard wants an array; some clients send one certificate alone.
    let one = std::slice::from_ref(entries);
    let entries = entries.as_array().map_or(one, Vec::as_slice);
    if entries.is_empty() || entries.len() > LONGEST_CHAIN {
        return Err(malformed("x5c has no certificates, or more than eight"));
    }
    let read = |entry: &Value| x509::from_x5c(entry.as_str().unwrap_or_default());
    let chain: Result<_, _> = entries.iter().map(read).collect();
    chain.map_err(malformed)
}

/// Whether one of the trusted authorities issued the first certificate, itself
/// or through the others.
fn is_trusted(application: &Application, chain: &[Certificate], now: u64) -> bool {
    let Some((leaf, others)) = chain.split_first() else {
        return false;
    };
    let Some(name) = leaf.common_name() else {
        return false;
    };
    application
        .trusted_subjects
        .iter()
        .filter(|trusted| trusted.common_name.eq_ignore_ascii_case(&name))
        .filter_map(|trusted| trusted.authority())
        .any(|authority| leads_to(leaf, others, authority, now))
}

fn leads_to(leaf: &Certificate, others: &[Certificate], authority: &Certificate, now: u64) -> bool {
    let mut current = leaf;
    for _ in 0..=LONGEST_CHAIN {
        if !current.is_valid_at(now) {
            return false;
        }
        if current.is_issued_by(authority) {
            return authority.is_valid_at(now);
        }
        match others
            .iter()
            .find(|other| *other != current && current.is_issued_by(other))
        {
            Some(issuer) => current = issuer,
            None => return false,
        }
    }
    false
}

/// Whether the audience is the token endpoint or the issuer of this tenant,
/// under any of the emulator's names.
fn is_ours(request: &TokenRequest<'_>, audience: &str) -> bool {
    let Some(path) = path_here(request.state, audience) else {
        return false;
    };
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let Some(tenant) = segments.next() else {
        return false;
    };
    let right_tenant = match request.tenant {
        Authority::Tenant(own) => own.is(tenant),
        Authority::AnyTenant(name) => name.eq_ignore_ascii_case(tenant),
    };
    let rest: Vec<_> = segments.map(str::to_ascii_lowercase).collect();
    let rest: Vec<_> = rest.iter().map(String::as_str).collect();
    let endpoint = matches!(
        rest[..],
        ["oauth2", "v2.0", "token"] | ["oauth2", "token"] | ["v2.0"] | []
    );
    right_tenant && endpoint
}

/// The path of an address of this authority.
fn path_here(state: &State, address: &str) -> Option<String> {
    let own = Url::parse(&state.authority).ok()?;
    let url = Url::parse(address).ok()?;
    let same_host = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let here = same_host && url.scheme() == "https" && url.port() == own.port();
    here.then(|| url.path().to_owned())
}
