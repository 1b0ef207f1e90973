//! The components that there are to play with, and those that there should be.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What there is in every language.
pub const LISTENERS: [&str; 4] = ["echo", "chat", "counter", "enrich"];

/// Those that come with the sources, where they are not rebuilt.
const PREBUILT: &str = "examples/prebuilt";

/// Where the others are built.
const BUILT: &str = "target/languages";

/// A listener in a language.
#[derive(Clone, Debug)]
pub struct Component {
    pub language: String,
    pub name: String,
    pub file: PathBuf,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.language, self.name)
    }
}

/// Every component that was built.
pub fn components() -> Vec<Component> {
    let all = languages().into_iter().flat_map(|language| {
        LISTENERS.map(|name| {
            let file = file(&language, name);
            Component { language: language.clone(), name: name.to_owned(), file }
        })
    });
    all.filter(|component| component.file.is_file()).collect()
}

/// Every component that was not built, and what builds it.
pub fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    for language in languages() {
        for name in LISTENERS {
            let file = file(&language, name);
            if !file.is_file() {
                let build = match language.as_str() {
                    "rust" => "tests/guests/build --update".to_owned(),
                    _ => format!("tests/languages/build {language}"),
                };
                missing.push(format!("{language}/{name}: no {}; {build} makes it", file.display()));
            }
        }
    }
    missing
}

/// Says what is skipped where it is seen, also if the test passes. A failure, where it was asked for
/// all of them.
pub fn tell_skipped(missing: &[String]) {
    // Past what the test harness keeps to itself.
    let mut out = std::io::stderr().lock();
    for line in missing {
        writeln!(out, "skipped: {line}").unwrap();
    }
    let required = std::env::var_os("SPOREGATE_TEST_REQUIRE_LANGUAGES").is_some();
    assert!(!required || missing.is_empty(), "required, and missing: {missing:#?}");
}

/// The conversations for a listener: `NAME.toml`, and `NAME-SOMETHING.toml`.
pub fn conversations(listener: &str) -> Vec<PathBuf> {
    let mut all = all_conversations();
    all.retain(|file| {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        stem.split('-').next() == Some(listener)
    });
    all
}

/// All conversations, by name.
pub fn all_conversations() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/languages")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// Rust, each language with an SDK, and whatever else was built.
fn languages() -> BTreeSet<String> {
    let folders = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut languages: BTreeSet<String> = folders(root().join("guest-sdk"))
        .iter()
        .filter(|path| path.join("build-examples").is_file())
        .map(name)
        .collect();
    let has_components =
        |path: &PathBuf| LISTENERS.iter().any(|name| path.join(format!("{name}.wasm")).is_file());
    languages.extend(folders(built()).iter().filter(|path| has_components(path)).map(name));
    languages.insert("rust".to_owned());
    languages
}

fn file(language: &str, name: &str) -> PathBuf {
    let file = format!("{name}.wasm");
    if language != "rust" {
        return built().join(language).join(file);
    }
    match std::env::var_os("SPOREGATE_GUESTS") {
        Some(rebuilt) => root().join(rebuilt).join(file),
        None => root().join(PREBUILT).join(file),
    }
}

/// `SPOREGATE_LANGUAGES`, or where `tests/languages/build` puts them.
fn built() -> PathBuf {
    let named = std::env::var_os("SPOREGATE_LANGUAGES");
    root().join(named.map_or_else(|| BUILT.into(), PathBuf::from))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
