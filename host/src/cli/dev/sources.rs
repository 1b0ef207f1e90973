//! The sources of a project, looked at again and again. What a build writes is no change of a source,
//! unless it differs: files are told apart by what is in them.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};

/// Folders that hold what is made, or installed.
const LEFT_OUT: [&str; 9] = [
    "build",
    "target",
    "node_modules",
    "dist",
    "venv",
    "__pycache__",
    "zig-cache",
    "zig-out",
    "vendor",
];

/// Most files that are followed.
const MOST_FILES: usize = 20_000;

/// The files of a project, as they were seen last.
#[derive(Debug)]
pub(super) struct SourceFiles {
    root: PathBuf,
    seen: BTreeMap<PathBuf, Seen>,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    modified: Option<SystemTime>,
    bytes: u64,
    content: u64,
}

impl SourceFiles {
    /// None of them has been seen yet.
    pub(super) fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), seen: BTreeMap::new() }
    }

    /// Whether one was added, removed, or has another content than when they were looked at last.
    ///
    /// # Errors
    /// The folder cannot be read, or there are too many files.
    pub(super) fn look(&mut self) -> anyhow::Result<bool> {
        let mut now = BTreeMap::new();
        let root = self.root.clone();
        self.collect(&root, &mut now).with_context(|| root.display().to_string())?;
        if now.len() > MOST_FILES {
            let root = root.display();
            bail!("{root}: more than {MOST_FILES} files, too many to follow; is this a project?");
        }
        let contents = |files: &BTreeMap<PathBuf, Seen>| {
            files.iter().map(|(path, seen)| (path.clone(), seen.content)).collect::<Vec<_>>()
        };
        let changed = contents(&now) != contents(&self.seen);
        self.seen = now;
        Ok(changed)
    }

    fn collect(&self, folder: &Path, now: &mut BTreeMap<PathBuf, Seen>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let hidden = name.starts_with('.') || name.ends_with('~');
            if hidden || LEFT_OUT.contains(&name.as_str()) || now.len() > MOST_FILES {
                continue;
            }
            // A file may be gone by now, as editors do it.
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_dir() {
                self.collect(&path, now)?;
            } else if metadata.is_file()
                && let Some(seen) = self.see(&path, &metadata)
            {
                now.insert(path, seen);
            }
        }
        Ok(())
    }

    /// Read only if it looks different from outside.
    fn see(&self, path: &Path, metadata: &Metadata) -> Option<Seen> {
        let (modified, bytes) = (metadata.modified().ok(), metadata.len());
        if let Some(seen) = self.seen.get(path)
            && seen.modified == modified
            && seen.bytes == bytes
        {
            return Some(seen.clone());
        }
        let mut hasher = DefaultHasher::new();
        fs::read(path).ok()?.hash(&mut hasher);
        Some(Seen { modified, bytes, content: hasher.finish() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_another_content_and_not_another_time() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("src")).unwrap();
        fs::create_dir_all(at("build")).unwrap();
        fs::write(at("src/a"), "one").unwrap();
        let mut sources = SourceFiles::of(folder.path());
        assert!(sources.look().unwrap());
        assert!(!sources.look().unwrap());
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        fs::File::options().write(true).open(at("src/a")).unwrap().set_modified(later).unwrap();
        fs::write(at("build/made"), "x").unwrap();
        fs::write(at(".hidden"), "x").unwrap();
        assert!(!sources.look().unwrap());
        fs::write(at("src/a"), "two").unwrap();
        assert!(sources.look().unwrap());
        fs::write(at("src/b"), "").unwrap();
        assert!(sources.look().unwrap());
        fs::remove_file(at("src/b")).unwrap();
        assert!(sources.look().unwrap());
        assert!(!sources.look().unwrap());
    }
}
