//! Files of any content: they are refused soon, and without a panic.

use std::time::{Duration, Instant};

use azidentity::{FailureKind, IdentityError};

use crate::{
    certificates::{PASSWORD, bytes, fixture, load},
    support::expect_error,
};

/// Whatever happens to a file, loading it ends soon and without a panic, and says nothing of its content.
#[test]
fn damaged_files_never_panic() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for (file, rounds) in [
        ("app.pem", 100),
        ("aes256.pem", 60),
        // Slow by design.
        ("scrypt.pem", 8),
        ("pkcs12-des3.pem", 60),
        ("traditional-des3.pem", 100),
        ("modern.pfx", 60),
        ("legacy.pfx", 60),
        ("no-mac.pfx", 60),
        ("plain.pfx", 100),
        ("key.der", 60),
        ("certificate.der", 60),
    ] {
        let whole = fixture(file);
        for round in 0..rounds {
            let mut content = whole.clone();
            match round % 4 {
                0 => content.truncate(random.below(whole.len())),
                1 => {
                    let start = random.below(whole.len());
                    let end = start + random.below(whole.len() - start);
                    content.drain(start..end);
                }
                2 => {
                    let at = random.below(whole.len());
                    content[at] ^= 1 << random.below(8);
                }
                // Where the algorithms and their parameters stand.
                _ => {
                    let at = random.below(whole.len().min(400));
                    content[at] = random.next().to_le_bytes()[0];
                }
            }
            let started = Instant::now();
            if let Err(error) = load(bytes(content), Some(PASSWORD)) {
                let kind = IdentityError::find(&error).map(IdentityError::kind);
                assert_eq!(kind, Some(FailureKind::Configuration), "{file}: {error}");
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("pl4nted"), "{shown}");
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{file} {round}"
            );
        }
    }
}

#[test]
fn a_mebibyte_of_anything_is_quick() {
    let repeat = |piece: &[u8]| {
        let mut content = piece.repeat(1024 * 1024 / piece.len());
        content.truncate(1024 * 1024);
        content
    };
    let app = fixture("app.pem");
    let certificate = fixture("no-key.pem");
    let mut pfx = fixture("plain.pfx");
    pfx.extend(repeat(&[0x30, 0x80]));
    pfx.truncate(1024 * 1024);
    for (what, content) in [
        ("begins", repeat(b"-----BEGIN A-----\n")),
        ("labels without an end", repeat(b"-----BEGIN ")),
        ("blocks", repeat(b"-----BEGIN A-----\n-----END A-----\n")),
        ("dashes", repeat(b"-")),
        ("certificates", repeat(&certificate)),
        ("keys", repeat(&app)),
        ("nested", repeat(&[0x30, 0x83, 0x0f, 0xff, 0xfb])),
        ("base64", repeat(b"MI")),
        ("behind a PFX", pfx),
    ] {
        let started = Instant::now();
        let loaded = load(bytes(content), Some(PASSWORD));
        let took = started.elapsed();
        assert!(took < Duration::from_secs(10), "{what}: {took:?}");
        if what != "behind a PFX" && what != "keys" {
            expect_error(loaded, FailureKind::Configuration, &[]);
        }
    }
}

/// Numbers without pattern, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("small");
        usize::try_from(self.next() % limit).expect("small")
    }
}
