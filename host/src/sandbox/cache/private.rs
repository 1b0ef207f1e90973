//! A directory that nobody but this user can read or write, and the key in it. Whoever can write
//! there could try to run native code in this process: a directory or a key that others reach is
//! not used.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

const KEY_FILE: &str = "key";

/// As long as the output of the hash.
pub(super) const KEY_BYTES: usize = 32;

/// What others may do, of a file's mode.
const OTHERS: u32 = 0o077;

/// Why a directory is not private.
const FOREIGN: &str = "it belongs to another user";
const OPEN: &str = "other users can reach it: `chmod 700` it if all that is in it is yours";
const NO_DIRECTORY: &str = "it is not a directory";

/// Makes the directory if there is none, and refuses one that others can reach.
pub(super) fn directory(path: &Path) -> io::Result<PathBuf> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let path = path.canonicalize()?;
    let metadata = path.symlink_metadata()?;
    let refusal = match () {
        () if !metadata.is_dir() => NO_DIRECTORY,
        () if metadata.uid() != geteuid().as_raw() => FOREIGN,
        () if metadata.mode() & OTHERS != 0 => OPEN,
        () => return Ok(path),
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal))
}

/// The key of the directory; a new one where there is none, or none that can be used. With a new
/// key nothing that is there counts any more.
pub(super) fn key(directory: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let path = directory.join(KEY_FILE);
    match read_key(&path) {
        Ok(key) => return Ok(key),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(directory = %directory.display(), %error, "the key of the compile cache is not used: a new one is made, and all modules are compiled anew");
            fs::remove_file(&path)?;
        }
    }
    make_key(directory, &path)?;
    // Perhaps that of another process, which was faster.
    read_key(&path)
}

fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if metadata.uid() != geteuid().as_raw() || metadata.mode() & OTHERS != 0 {
        return Err(io::Error::other("other users can reach it"));
    }
    let mut key = [0; KEY_BYTES];
    if metadata.len() != KEY_BYTES as u64 {
        return Err(io::Error::other("it has another length"));
    }
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Never a half-written one: it gets its name when it is whole, unless the name is taken.
fn make_key(directory: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = new_file(directory)?;
    file.write_all(&key)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

/// How the names of files begin that are not whole yet.
pub(super) const NEW: &str = ".new-";

/// A file without a name that counts, removed if it is not given one.
pub(super) fn new_file(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(NEW)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)
}

/// Opens a regular file, and no link.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}
