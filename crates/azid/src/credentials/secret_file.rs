//! Files that hold a secret and nothing else.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use zeroize::Zeroizing;

use crate::{cli::TokenArgs, failure::Failure};

/// The longest file that can be a secret, in bytes: whatever is longer was named by mistake.
const LONGEST: usize = 64 * 1024;

/// What stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// How long a program that a shell runs for `<(…)` may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Where shells put the pipes of such programs.
const PIPES_OF_SHELLS: [&str; 3] = ["/dev/fd", "/proc/self/fd", "/dev/stdin"];

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
    let read = if from_stdin {
        // A person may be typing, so this takes as long as it takes.
        to_limit(&mut io::stdin().lock()).map_err(unreadable)
    } else {
        file(path)
    };
    let bytes = read.map_err(|fault| wrong(&fault))?;
    if bytes.len() > LONGEST {
        return Err(wrong("is too long for a secret"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is no text in UTF-8"))?;
    // Editors of Windows mark UTF-8 at its beginning.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// The content of a file that can keep nobody waiting, or what is wrong with it.
fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    // Before opening: to open a named pipe is to wait for somebody who writes into it.
    let found = fs::metadata(path).map_err(unreadable)?;
    if found.is_dir() {
        return Err("is a folder".into());
    }
    if found.is_file() {
        return content(path).map_err(unreadable);
    }
    if PIPES_OF_SHELLS.iter().any(|pipes| path.starts_with(pipes)) {
        return within(LIMIT, path);
    }
    Err("is no regular file, but a pipe, a socket or a device (for what a program prints, give - and pipe it in)".into())
}

/// The same for a pipe that a shell has made: what writes into it may never end.
fn within(limit: Duration, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    // Left alone when the time is up: the program ends soon after, and the thread with it.
    let reader = thread::Builder::new().spawn(move || sender.send(content(&path)));
    reader.map_err(unreadable)?;
    match receiver.recv_timeout(limit) {
        Ok(read) => read.map_err(unreadable),
        Err(RecvTimeoutError::Timeout) => Err(format!(
            "is a pipe whose other end was not closed within {} seconds",
            limit.as_secs()
        )),
        Err(RecvTimeoutError::Disconnected) => Err("could not be read to its end".into()),
    }
}

fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    to_limit(&mut File::open(path)?)
}

/// A byte beyond the limit at most, so that it shows that there is more.
fn to_limit(input: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // All that can come at once, so that no copy of a secret is left behind by a buffer that grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    input.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "as errors are handed to map_err"
)]
fn unreadable(error: io::Error) -> String {
    format!("cannot be read ({error})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, secret) in [
            ("a b", "a b"),
            ("a b\n", "a b"),
            ("a\r\n", "a"),
            ("a\nb\n\n", "a\nb\n"),
            (" a ", " a "),
        ] {
            fs::write(&path, content).unwrap();
            let read = read(&path, "--option", "a secret").unwrap();
            assert_eq!(*read, secret, "{content:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_that_stays_open_is_given_up() {
        use std::{io::Write, os::fd::AsRawFd};

        let (reader, mut writer) = io::pipe().unwrap();
        let path = Path::new("/dev/fd").join(reader.as_raw_fd().to_string());
        writer.write_all(b"pl4nted").unwrap();
        let fault = within(Duration::from_millis(50), &path).unwrap_err();
        assert!(fault.contains("not closed within"), "{fault}");
    }
}
