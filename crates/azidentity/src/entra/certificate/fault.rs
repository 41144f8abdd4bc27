//! What can be wrong with a certificate, and the way out. Nothing here quotes a file's content or a password.

use azure_core::time::OffsetDateTime;

use crate::IdentityError;

/// Makes what is missing where a certificate or a key can't be used.
const MAKE_NEW: &str = "openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=NAME -keyout key.pem -out certificate.pem";

/// Protects a key again, in today's form. What old versions wrote, OpenSSL 3 reads with its legacy provider only.
const REWRITE_KEY: &str = "openssl pkcs8 -topk8 -provider default -provider legacy -in OLD.pem -out key.pem, then cat certificate.pem key.pem";

/// Writes a PFX file again, in today's form.
const REWRITE_PFX: &str =
    "openssl pkcs12 -legacy -in OLD.pfx -nodes -out NEW.pem (NEW.pem can be used as it is)";

fn configuration(message: impl Into<String>) -> IdentityError {
    IdentityError::configuration(message)
}

pub(super) fn too_large() -> IdentityError {
    configuration(format!(
        "the certificate is larger than {} KiB, and no file with a certificate and its key is; check what the file is",
        super::LARGEST / 1024
    ))
}

pub(super) fn too_many() -> IdentityError {
    configuration(format!(
        "there are more than {} certificates; give the application's own and those above it only",
        super::MOST_CERTIFICATES
    ))
}

pub(super) fn empty() -> IdentityError {
    configuration(
        "the certificate is empty; give a PEM or PFX file with a certificate and its private key",
    )
}

// Which form it is

pub(super) fn neither_pem_nor_pfx() -> IdentityError {
    configuration(
        "the certificate is neither PEM text nor a PFX (PKCS#12) file; give one of these, with the private key in it",
    )
}

pub(super) fn cut_pfx(says: usize, is: usize) -> IdentityError {
    configuration(format!(
        "the PFX file is incomplete: it should have {says} bytes and has {is}; copy it again, in binary mode"
    ))
}

pub(super) fn damaged_pfx() -> IdentityError {
    configuration("the PFX file is damaged: its structure does not follow PKCS#12; export it again")
}

pub(super) fn bare_certificate() -> IdentityError {
    configuration(
        "the file is a lone certificate in DER form, without a private key; join both in one file: \
         openssl x509 -inform der -in FILE -out certificate.pem, then cat certificate.pem key.pem",
    )
}

pub(super) fn bare_key() -> IdentityError {
    configuration(
        "the file is a lone private key in DER form, without a certificate; join both in one PEM file: \
         openssl pkey -inform der -in FILE -out key.pem, then cat certificate.pem key.pem",
    )
}

pub(super) fn base64_of_pfx() -> IdentityError {
    configuration(
        "the certificate is the base64 text of a file, not the file itself; decode it first: base64 -d FILE",
    )
}

pub(super) fn utf16() -> IdentityError {
    configuration("the file is UTF-16 text; save it as UTF-8, without changing anything else")
}

pub(super) fn unfinished_block() -> IdentityError {
    configuration(
        "the PEM file is incomplete: a BEGIN line has no END line that fits; copy the file again, whole",
    )
}

pub(super) fn damaged_block(what: &str) -> IdentityError {
    configuration(format!(
        "the PEM file is damaged: what stands between BEGIN and END of {what} is not base64; copy the file again"
    ))
}

// What is missing

pub(super) fn no_key() -> IdentityError {
    configuration(
        "there is no private key with the certificate; put both in one file: cat certificate.pem key.pem, or export \
         the PFX file with its key",
    )
}

pub(super) fn only_public_key() -> IdentityError {
    configuration(
        "there is a public key only, and no private key; give the file with the private key that belongs to the \
         certificate, and the certificate",
    )
}

pub(super) fn no_certificate() -> IdentityError {
    configuration(
        "there is a private key and no certificate; put both in one file: cat certificate.pem key.pem",
    )
}

pub(super) fn only_request() -> IdentityError {
    configuration(
        "there is a certificate request and no certificate; use the certificate that the authority has issued for it",
    )
}

// What does not fit

pub(super) fn malformed_certificate() -> IdentityError {
    configuration("a certificate is damaged: it is no X.509 certificate in DER; export it again")
}

pub(super) fn another_key(certificates: usize) -> IdentityError {
    let whose = if certificates == 1 {
        "the certificate and the private key do not belong together: the key is that of another certificate".to_owned()
    } else {
        format!(
            "the private key belongs to another certificate: to none of the {certificates} in the file"
        )
    };
    configuration(format!(
        "{whose}; compare openssl x509 -in certificate.pem -noout -pubkey with openssl pkey -in key.pem -pubout"
    ))
}

pub(super) fn expired(not_after: i64, now: OffsetDateTime) -> IdentityError {
    configuration(format!(
        "the certificate expired on {} (today is {}); make a new one and register it with the application",
        date(not_after),
        now.date()
    ))
}

pub(super) fn not_yet_valid(not_before: i64, now: OffsetDateTime) -> IdentityError {
    configuration(format!(
        "the certificate is not valid before {} (today is {}); wait until then, or check the clock of this machine",
        date(not_before),
        now.date()
    ))
}

fn date(unix_seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_seconds).map_or_else(
        |_| "a date that is out of range".to_owned(),
        |time| time.date().to_string(),
    )
}

// Which key it is

pub(super) fn not_rsa(algorithm: &str) -> IdentityError {
    configuration(format!(
        "the private key is {algorithm}, and Microsoft Entra takes plain RSA keys only; make one with a certificate: \
         {MAKE_NEW}"
    ))
}

pub(super) fn openssh_key() -> IdentityError {
    configuration(format!(
        "the private key has the form of OpenSSH, which comes without a certificate; make a key with a certificate: \
         {MAKE_NEW}"
    ))
}

pub(super) fn key_size(bits: usize) -> IdentityError {
    let why = if bits < 2048 {
        "which is too small to be safe"
    } else if bits > 4096 {
        "which is too large to be used here"
    } else {
        "which is no usual size"
    };
    configuration(format!(
        "the RSA key has {bits} bits, {why}; use one of 2048, 3072 or 4096 bits: {MAKE_NEW}"
    ))
}

pub(super) fn damaged_key() -> IdentityError {
    configuration(
        "the private key is damaged, or its numbers do not fit together; check it: openssl pkey -in FILE -check -noout",
    )
}

// How it is protected

pub(super) fn password_missing(what: &str) -> IdentityError {
    configuration(format!(
        "the {what} is encrypted, and no password was given; give the certificate's password"
    ))
}

pub(super) fn wrong_password(what: &str) -> IdentityError {
    configuration(format!(
        "wrong password: the {what} can't be decrypted with it; check the password, also for spaces and line breaks \
         around it"
    ))
}

pub(super) fn unsupported_key_encryption(algorithm: &str) -> IdentityError {
    configuration(format!(
        "the private key is encrypted with {algorithm}, which is not supported; encrypt it again: {REWRITE_KEY}"
    ))
}

pub(super) fn unsupported_pfx(algorithm: &str) -> IdentityError {
    configuration(format!(
        "the PFX file is protected with {algorithm}, which is not supported; write it again: {REWRITE_PFX}"
    ))
}

pub(super) fn too_costly(what: &str) -> IdentityError {
    configuration(format!(
        "the {what} is protected in a way that costs too much time or memory to undo (more than two million rounds, or \
         256 MiB); encrypt it again: {REWRITE_KEY}"
    ))
}
