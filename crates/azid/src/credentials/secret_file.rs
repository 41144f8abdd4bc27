//! Files that hold a secret and nothing else.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{cli::TokenArgs, failure::Failure};

/// The longest file that can be a secret, in bytes: whatever is longer was named by mistake.
const LONGEST: u64 = 64 * 1024;

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Standard input can be read once.
pub(super) fn check(args: &TokenArgs) -> Result<(), Failure> {
    let files = [
        ("--client-secret-file", &args.proof.client_secret_file),
        (
            "--certificate-password-file",
            &args.proof.certificate_password_file,
        ),
        ("--user-assertion-file", &args.user.user_assertion_file),
    ];
    let reading: Vec<&str> = files
        .into_iter()
        .filter(|(_, path)| path.as_deref() == Some(Path::new(STANDARD_INPUT)))
        .map(|(option, _)| option)
        .collect();
    if reading.len() > 1 {
        return Err(Failure::Configuration(format!(
            "{} are to read standard input, which can be read once; name a file for all but one of them",
            reading.join(" and ")
        )));
    }
    Ok(())
}

/// The secret in a file, or on standard input for `-`, without the line break that editors and `echo` put at its end.
///
/// The name is not repeated in messages: it may be the secret, given where its file should be.
pub(super) fn read(path: &Path, option: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    let from_stdin = path == Path::new(STANDARD_INPUT);
    let whence = if from_stdin {
        format!("standard input, from which {option} - reads,")
    } else {
        format!("the file that {option} names")
    };
    let wrong = |fault: &str| {
        Failure::Configuration(format!(
            "{whence} {fault}; it has to hold {what} and nothing else"
        ))
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if from_stdin {
        read_to_limit(&mut io::stdin().lock(), &mut bytes)
    } else {
        File::open(path).and_then(|mut file| read_to_limit(&mut file, &mut bytes))
    };
    read.map_err(|error| wrong(&format!("cannot be read ({error})")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(wrong("is too long for a secret"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is no text in UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn read_to_limit(input: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<usize> {
    input.take(LONGEST + 1).read_to_end(bytes)
}
