//! The other end of the socket: one question, one answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::{Reply, Request, VERSION};

/// Longest answer that is read, in bytes.
const MAX_REPLY_BYTES: u64 = 64 << 20;

/// Why there is no answer, and how to get one.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is nothing.
    #[error(
        "no gateway answers at {}: there is no such socket; start one with `sporegate serve --control`, or name the socket of one that runs", .0.display()
    )]
    Missing(PathBuf),
    /// There is a socket, and nobody behind it.
    #[error(
        "no gateway answers at {}: the one that has made it has ended; start it again, it takes the socket over", .0.display()
    )]
    LeftBehind(PathBuf),
    /// There is something else.
    #[error(
        "{} is no socket; name the one that `sporegate serve --control` was given", .0.display()
    )]
    NoSocket(PathBuf),
    /// This user may not speak to it.
    #[error(
        "{}: permission denied; only the user that the gateway runs as{}, and root, are answered: run this as one of them", .path.display(), user(*owner)
    )]
    Denied {
        /// The socket.
        path: PathBuf,
        /// The id of its user, if this user may know it.
        owner: Option<u32>,
    },
    /// No socket can be there.
    #[error(
        "{}: {TOO_LONG}", .0.display()
    )]
    TooLong(PathBuf),
    /// It ended before it had answered.
    #[error(
        "the gateway at {} has hung up without an answer: it has ended or is stopping; look into its log", .0.display()
    )]
    HungUp(PathBuf),
    /// The answer is of another version.
    #[error(
        "what answers at {} does not speak as sporegate {VERSION} does ({source}); use the `sporegate` that the gateway runs", .path.display()
    )]
    Words {
        /// The socket.
        path: PathBuf,
        /// What is not known.
        source: serde_json::Error,
    },
    /// The system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

/// What a path must not be.
pub(super) const TOO_LONG: &str =
    "the path of a socket has at most 107 bytes; name a shorter one, relative paths are short";

fn user(id: Option<u32>) -> String {
    id.map(|id| format!(" (user id {id})")).unwrap_or_default()
}

/// Asks a gateway.
///
/// # Errors
/// Nobody answers there, or not in the words of this version.
pub fn ask(path: &Path, request: &Request) -> Result<Reply, AskError> {
    let failed = |error| AskError::of(path, error);
    let mut text = serde_json::to_vec(request).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    let mut stream = UnixStream::connect(path).map_err(failed)?;
    let mut line = String::new();
    let heard = stream
        .write_all(&text)
        .and_then(|()| BufReader::new(stream.take(MAX_REPLY_BYTES)).read_line(&mut line));
    heard.map_err(failed)?;
    if line.is_empty() {
        return Err(AskError::HungUp(path.to_owned()));
    }
    serde_json::from_str(&line).map_err(|source| AskError::Words { path: path.to_owned(), source })
}

impl AskError {
    fn of(path: &Path, source: io::Error) -> Self {
        let metadata = path.symlink_metadata();
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::ConnectionRefused => match metadata {
                Ok(there) if !there.file_type().is_socket() => Self::NoSocket(path),
                Ok(_) | Err(_) => Self::LeftBehind(path),
            },
            io::ErrorKind::PermissionDenied => {
                Self::Denied { path, owner: metadata.ok().map(|there| there.uid()) }
            }
            io::ErrorKind::InvalidInput => Self::TooLong(path),
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::HungUp(path),
            _ => Self::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_speak_to_it_is_told_who_may() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let own = file.path().metadata().unwrap().uid();
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let told = AskError::of(file.path(), denied()).to_string();
        assert!(told.contains(&format!("(user id {own}), and root, are answered")), "{told}");
        // Also where the directory hides it.
        let told = AskError::of(Path::new("/nonexistent/socket"), denied()).to_string();
        assert!(told.contains("the user that the gateway runs as, and root"), "{told}");
    }
}
