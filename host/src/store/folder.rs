//! The folder and the files of a store, before the library sees them: private, plain files.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Name of the database; those of its log begin alike.
const FILE: &str = "sessions.sqlite3";

/// What the library puts beside it.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Who may write to a folder can put other files in the place of the store's.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Why a folder is not right.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be made, or the file in it not be written.
    #[error("reconnect_folder {}: {source}; make it a folder that only the gateway's user may use", .path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Other users of the machine may write to it.
    #[error(
        "reconnect_folder {}: others may write to it; name a folder below it, which is made, or take that from them", .0.display()
    )]
    Shared(PathBuf),
    /// There is something else in the place of the file.
    #[error("{}: is no regular file; remove it", .0.display())]
    NotAFile(PathBuf),
}

/// The database in a folder.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The database and what is beside it, which comes first: without the database it is worth nothing.
fn all_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let path = file(folder);
    BESIDE.map(|beside| with(&path, beside)).into_iter().chain([path])
}

/// Makes folder and file where they are not there, and sees to it that nobody else reads the file.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, FolderError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Io { path, source }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))?;
    // One that was there may be for others, too: it is left as it is.
    let mode = std::fs::metadata(folder).map_err(io(folder))?.permissions().mode();
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(FolderError::Shared(folder.to_owned()));
    }
    // Before any of them is opened: to open a pipe waits for whoever writes it.
    for path in all_files(folder) {
        match std::fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => return Err(FolderError::NotAFile(path)),
            Ok(_) | Err(_) => {}
        }
    }
    let path = file(folder);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let opened = options.open(&path).map_err(io(&path))?;
    opened.set_permissions(Permissions::from_mode(0o600)).map_err(io(&path))?;
    Ok(path)
}

/// Removes the files; whether they are gone.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    for path in all_files(folder) {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Puts the files where somebody may look at them.
pub(super) fn put_aside(folder: &Path) -> io::Result<PathBuf> {
    let path = file(folder);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let aside = with(&path, &format!(".damaged-{seconds}"));
    for beside in BESIDE {
        match std::fs::rename(with(&path, beside), with(&aside, beside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    std::fs::rename(&path, &aside)?;
    Ok(aside)
}

/// Size of the files, in bytes.
pub(super) fn bytes(folder: &Path) -> u64 {
    let found = all_files(folder).filter_map(|path| std::fs::metadata(path).ok());
    found.map(|found| found.len()).sum()
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
