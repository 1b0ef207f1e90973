//! The files that come with the command, by their paths in the repository. `build.rs` finds them.

use anyhow::Context;

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// Path from the root of the repository.
    pub(super) path: &'static str,
    /// What is in it.
    pub(super) bytes: &'static [u8],
    /// Whether it can be executed.
    pub(super) runs: bool,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

impl File {
    pub(super) fn text(&self) -> anyhow::Result<&'static str> {
        std::str::from_utf8(self.bytes).with_context(|| self.path.to_owned())
    }
}

/// The files below a folder, each with the rest of its path.
pub(super) fn below(folder: &str) -> impl Iterator<Item = (&'static File, &'static str)> {
    EMBEDDED.iter().filter_map(move |file| Some((file, file.path.strip_prefix(folder)?)))
}

/// One file.
pub(super) fn get(path: &str) -> anyhow::Result<&'static File> {
    EMBEDDED.iter().find(|file| file.path == path).with_context(|| format!("no {path} in here"))
}
