//! Small files that other programs write and replace: tokens and certificates. Read whole and anew each time.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

/// Why a file gave nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    Missing,
    Folder,
    /// A pipe, a socket or a device: it could keep us waiting, or never end.
    Special,
    Unreadable(io::Error),
    TooLong(usize),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("does not exist"),
            Self::Folder => f.write_str("is a folder, not a file"),
            Self::Special => f.write_str("is no regular file, but a pipe, a socket or a device"),
            Self::Unreadable(error) => write!(f, "cannot be read ({error})"),
            Self::TooLong(longest) => write!(f, "is longer than {longest} bytes"),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}

/// The content of a regular file, or of one that a symbolic link leads to: Kubernetes replaces its files by links.
pub(crate) fn read(path: &Path, longest: usize) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    // Before opening: to open a pipe is to wait for somebody who writes into it.
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(Trouble::Folder);
    }
    if !found.is_file() {
        return Err(Trouble::Special);
    }
    // All that can come at once, so that no copy of a secret is left behind by a buffer that grows.
    let mut content = Zeroizing::new(Vec::with_capacity(longest + 1));
    let limit = u64::try_from(longest).unwrap_or(u64::MAX);
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    if content.len() > longest {
        return Err(Trouble::TooLong(longest));
    }
    Ok(content)
}
