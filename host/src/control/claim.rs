//! The right to a place for a socket. What is at the place now, and what is put there, is looked at
//! and done by whoever holds the lock of a file beside it; the kernel takes it from one that is
//! killed.
//!
//! Invariant: no two processes hold the claim on one place, however many ask at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How often the file may go while it is being locked: each time somebody else has given up his
/// claim.
const TRIES: usize = 100;

/// A claim; it ends with this, and the file goes.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    /// Locked until it is closed.
    _file: File,
}

impl Claim {
    /// Claims the place of a socket, at once or not at all: then it is said why.
    pub(super) fn on(socket: &Path) -> Result<Self, String> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        for _ in 0..TRIES {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW)
                .open(&path)
                .map_err(|error| {
                    format!(
                        "{} cannot be made: {error}; the directory must exist and be writable",
                        path.display()
                    )
                })?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(super::TAKEN.to_owned()),
                Err(TryLockError::Error(error)) => {
                    return Err(format!("{} cannot be locked: {error}", path.display()));
                }
            }
            // Whoever had it before may have removed it since it was opened: then another one counts.
            if is_at(&file, &path) {
                return Ok(Self { path, _file: file });
            }
        }
        Err(super::TAKEN.to_owned())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While it is locked: it is nobody else's. It may be gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let there = path.symlink_metadata().map(|it| (it.dev(), it.ino()));
    let own = file.metadata().map(|it| (it.dev(), it.ino()));
    matches!((there, own), (Ok(there), Ok(own)) if there == own)
}
