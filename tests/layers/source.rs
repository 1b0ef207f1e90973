//! One source file, as text. It is not parsed: what looks like a comment line is left out, and
//! names are found with their `::`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file, its path counted from the root of the repository.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// All Rust files below some folders.
pub fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| collect(&root().join(folder), &mut paths));
    paths.sort();
    paths.iter().map(|path| read(path.strip_prefix(root()).unwrap().to_str().unwrap())).collect()
}

/// One file.
pub fn read(path: &str) -> Source {
    let text = std::fs::read_to_string(root().join(path));
    Source { path: path.to_owned(), text: text.unwrap_or_else(|error| panic!("{path}: {error}")) }
}

impl Source {
    /// The part of the library it belongs to: `sandbox` of `host/src/sandbox/call.rs`.
    pub fn part(&self) -> &str {
        let inside = self.path.trim_start_matches("host/src/");
        inside.split(['/', '.']).next().unwrap_or_default()
    }

    /// Whether it is this part, or below it: `cli/connect` is the file of that name.
    pub fn is_part_of(&self, part: &str) -> bool {
        let inside = self.path.trim_start_matches("host/src/").trim_end_matches(".rs");
        inside == part || inside.starts_with(&format!("{part}/"))
    }

    /// Whether it is compiled for tests only.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The parts that it names with `crate::`.
    pub fn crate_uses(&self) -> BTreeSet<String> {
        assert!(!self.code().any(|line| line.contains("crate::{")), "{}: crate::{{", self.path);
        let after = self.code().flat_map(|line| line.split("crate::").skip(1));
        let name = |rest: &str| rest.split(|c: char| !is_name(c)).next().map(str::to_owned);
        after.filter_map(name).filter(|name| name.starts_with(char::is_lowercase)).collect()
    }

    /// Whether it names a library, or one of its family: `hyper_util::` counts as `hyper`,
    /// `tokio_tungstenite::` as `tungstenite`.
    pub fn names_library(&self, library: &str) -> bool {
        self.code().any(|line| {
            line.match_indices("::").any(|(at, _)| {
                let name = line[..at].rsplit(|c: char| !is_name(c)).next().unwrap_or_default();
                let before = line[..at - name.len()].ends_with("::");
                let family = name.split('_').any(|word| word == library);
                !before && family && (library != "tokio" || name != "tokio_tungstenite")
            })
        })
    }

    /// Without comment lines, and without the unit tests at the bottom.
    pub fn code(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().take_while(|line| !line.starts_with("mod tests {"));
        lines.map(str::trim).filter(|line| !line.starts_with("//"))
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Crates with a workspace of their own may have been built where they are.
        let built = path.file_name().is_some_and(|name| name == "target");
        if path.is_dir() && !built {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
