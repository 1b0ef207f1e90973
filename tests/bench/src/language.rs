//! The echo listener of every language that there is: its source, its component, what made it.
//!
//! Invariant: languages are found, not listed; one whose component is not there is told with the
//! command that makes it.

mod lines;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::bench::Bench;
use crate::sporegate;

/// Where the SDKs are: each language with a `build-examples`.
const SDKS: &str = "guest-sdk";
/// Where the examples are: those in Rust at the top, others in a folder of their language.
const EXAMPLES: &str = "examples";
/// The one whose components come with the sources.
const RUST: &str = "rust";
const LISTENER: &str = "echo";
/// Beside components: what made them, in a line.
const TOOL: &str = "TOOL";

/// A language with its echo listener.
#[derive(Clone, Debug)]
pub(crate) struct Language {
    /// Name of its folder.
    pub(crate) name: String,
    /// What made the component, with version, if that was written down.
    pub(crate) tool: Option<String>,
    /// Lines of the source that are neither blank nor comments.
    pub(crate) lines: Option<usize>,
    /// The component; without one, what makes it.
    pub(crate) component: Result<Component, String>,
}

/// A component that is there.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// What lies beside it, if anything.
    pub(crate) sidecar: Option<String>,
}

/// Rust, each language with an SDK, and whatever else was built; by name.
///
/// # Errors
/// A file that is there cannot be read.
pub(crate) fn all(bench: &Bench) -> Result<Vec<Language>> {
    let mut names: BTreeSet<String> = folders(Path::new(SDKS), "build-examples");
    names.extend(folders(&bench.languages, &format!("{LISTENER}.wasm")));
    names.insert(RUST.to_owned());
    names.into_iter().filter(|name| bench.is_wanted(name)).map(|name| one(bench, name)).collect()
}

fn one(bench: &Bench, name: String) -> Result<Language> {
    let (file, source, build) = if name == RUST {
        let prebuilt = sporegate::prebuilt(bench, LISTENER).ok();
        let source = Path::new(EXAMPLES).join(LISTENER).join("src");
        (prebuilt, source, "tests/guests/build --update".to_owned())
    } else {
        let file = bench.languages.join(&name).join(format!("{LISTENER}.wasm"));
        let source = Path::new(EXAMPLES).join(&name).join(LISTENER);
        (Some(file).filter(|file| file.is_file()), source, format!("tests/languages/build {name}"))
    };
    let tool = file.as_deref().and_then(Path::parent).and_then(tool);
    let component = match file {
        None => Err(format!("not built: `{build}`")),
        Some(file) => Ok(Component {
            sidecar: fs::read_to_string(file.with_extension("toml")).ok(),
            bytes: fs::read(file)?,
        }),
    };
    Ok(Language { tool, lines: lines::of_folder(&source), component, name })
}

/// Names of the folders that have this file.
fn folders(within: &Path, file: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(within).into_iter().flatten().flatten();
    let with_file = entries.filter(|entry| entry.path().join(file).is_file());
    with_file.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// What made the components in a folder, as was written down when they were made.
fn tool(folder: &Path) -> Option<String> {
    if let Ok(text) = fs::read_to_string(folder.join(TOOL)) {
        return text.lines().next().map(str::to_owned);
    }
    // `# Made by tests/guests/build from the sources in .., with rustc 1.95.0 (59807616e 2026-04-14).`
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).ok()?;
    let (_, compiler) = sums.lines().next()?.split_once(", with ")?;
    Some(compiler.split(" (").next()?.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_made_components_is_read_where_it_was_written_down() {
        let folder = std::env::temp_dir().join(format!("sporegate-tool-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(tool(&folder), None);
        let sums = "# Made by a from b, with rustc 1.95.0 (59807616e 2026-04-14).\n00  echo.wasm\n";
        fs::write(folder.join("SHA256SUMS"), sums).unwrap();
        assert_eq!(tool(&folder).as_deref(), Some("rustc 1.95.0"));
        fs::write(folder.join(TOOL), "zig cc 0.16.0\n").unwrap();
        assert_eq!(tool(&folder).as_deref(), Some("zig cc 0.16.0"));
        fs::remove_dir_all(folder).unwrap();
    }
}
