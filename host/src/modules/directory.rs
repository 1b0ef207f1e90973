//! The module directory: regular files named `<module>.wasm`, directly in it. Links, special files
//! and precompiled code are never opened, and the bytes that are checked are the bytes that are
//! compiled.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::ModuleName;
use crate::printable::printable;

pub(super) const EXTENSION: &str = "wasm";
pub(super) const SIDECAR_EXTENSION: &str = "toml";

/// What engines call their machine code. Loading it would be running it.
const PRECOMPILED: &str = "cwasm";

/// How long files must have kept still before they are read.
pub(super) const SETTLE: Duration = Duration::from_millis(250);

/// A file that may be a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundModule {
    /// Name of the module: the stem of the file.
    pub name: ModuleName,
    /// The file.
    pub path: PathBuf,
    /// What it and its sidecar look like from outside.
    pub mark: Option<Mark>,
}

/// What a module's file and its sidecar look like from outside; another one means that somebody has
/// changed them. Cheap to take, so that a directory can be looked at several times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    module: FileMark,
    sidecar: Option<FileMark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileMark {
    bytes: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    /// Of a module's file and the sidecar beside it; none where there is no such file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let sidecar = FileMark::of(&path.with_extension(SIDECAR_EXTENSION));
        Some(Self { module: FileMark::of(path)?, sidecar })
    }

    /// Which file makes the difference, by its extension.
    pub(super) fn difference(&self, other: &Self) -> &'static str {
        if self.module == other.module { SIDECAR_EXTENSION } else { EXTENSION }
    }
}

impl FileMark {
    fn of(path: &Path) -> Option<Self> {
        path.symlink_metadata().ok().map(|metadata| Self::new(&metadata))
    }

    fn new(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file that does not become a module, and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {reason}", self.file())]
pub struct Refused {
    /// The file.
    pub path: PathBuf,
    /// What it and its sidecar look like from outside.
    pub mark: Option<Mark>,
    /// What is wrong and how to mend it.
    pub reason: String,
}

impl Refused {
    /// Whether only its content or kind keeps it from being a module.
    pub fn is_named_as_module(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == EXTENSION)
    }

    /// The name that it would have.
    pub fn module_name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The file as a line can show it: its name may be anything.
    pub fn file(&self) -> String {
        printable(&self.path.to_string_lossy()).into_owned()
    }
}

/// What is in a module directory.
#[derive(Debug, Default)]
pub struct Scan {
    /// Candidates, by name.
    pub found: Vec<FoundModule>,
    /// Files with the name of a module, or of a precompiled one, that cannot be candidates.
    pub refused: Vec<Refused>,
}

/// Lists a module directory. Fails only if the directory itself cannot be read.
pub fn scan(directory: &Path) -> io::Result<Scan> {
    let mut scan = Scan::default();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let candidate = match path.extension().and_then(|extension| extension.to_str()) {
            Some(EXTENSION) => candidate(&path),
            Some(PRECOMPILED) => {
                Err("precompiled code, which is never loaded; give the .wasm file of it".into())
            }
            _ => continue,
        };
        let mark = Mark::of(&path);
        match candidate {
            Ok(name) => scan.found.push(FoundModule { name, path, mark }),
            Err(reason) => scan.refused.push(Refused { path, mark, reason }),
        }
    }
    scan.found.sort_by(|a, b| a.path.cmp(&b.path));
    scan.refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(scan)
}

/// The name that a file would have as a module.
pub(super) fn candidate(path: &Path) -> Result<ModuleName, String> {
    let kind = path.symlink_metadata().map_err(|error| error.to_string())?.file_type();
    if kind.is_symlink() {
        return Err("a symbolic link; put the file itself into the directory".into());
    }
    if !kind.is_file() {
        return Err("not a regular file; put the file itself into the directory".into());
    }
    ModuleName::of_file(path).map_err(|error| error.to_string())
}

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// Somebody writes it.
    Changing,
    /// It cannot be a module: why, and how to mend it.
    Refused(String),
}

impl From<String> for Unread {
    fn from(reason: String) -> Self {
        Self::Refused(reason)
    }
}

/// Reads a whole file of at most `limit` bytes, never through a link. Another file that takes its
/// place meanwhile does not matter: what is read is the one that was opened.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
    let open =
        OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    let file: File = open.map_err(|error| format!("cannot be opened: {error}"))?;
    let look = || file.metadata().map_err(|error| error.to_string());
    let before = look()?;
    if !before.is_file() {
        let reason = "not a regular file; put the file itself into the directory";
        return Err(Unread::Refused(reason.to_owned()));
    }
    let mut bytes = Vec::new();
    let read = (&file).take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        let reason =
            format!("larger than {limit} bytes; strip it, or raise sandbox.max_module_size");
        return Err(Unread::Refused(reason));
    }
    if FileMark::new(&look()?) != FileMark::new(&before) {
        return Err(Unread::Changing);
    }
    Ok(bytes)
}
