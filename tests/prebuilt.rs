//! The components that come with the repository are made from the sources beside them: what each
//! set was made from is recorded when it is made, and compared here. `tests/run --rebuilt` makes
//! them again, and compares the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// What every component is made from and with.
const SHARED: [&str; 5] = [
    "wit",
    "guest-sdk/rust/src",
    "guest-sdk/rust/Cargo.toml",
    "tests/guests/build",
    "tests/guests/componentize",
];

#[test]
fn the_examples_as_components_are_made_from_their_sources() {
    let examples = examples();
    assert!(examples.len() > 3, "{examples:?}");
    assert_unchanged("examples/prebuilt", &examples.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn the_guests_of_the_tests_are_made_from_their_sources() {
    assert_unchanged("tests/guests/prebuilt", &["tests/guests", "examples/echo"]);
}

/// The examples that are crates; what is for clients is not made into components.
fn examples() -> Vec<String> {
    let folders = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap());
    let crates = folders.filter(|folder| folder.path().join("Cargo.toml").exists());
    crates.map(|folder| format!("examples/{}", folder.file_name().display())).collect()
}

fn assert_unchanged(folder: &str, sources: &[&str]) {
    let recorded = read(&format!("{folder}/SOURCES"));
    let mut changes = Vec::new();
    compare_files(&recorded, sources, &mut changes);
    compare_settings(section(&recorded, "Cargo.toml"), &mut changes);
    compare_libraries(section(&recorded, "Cargo.lock"), &mut changes);
    assert!(
        changes.is_empty(),
        "{folder} is older than what it is made from; tests/guests/build --update makes it again.\n{}",
        changes.join("\n")
    );
}

fn compare_files(recorded: &str, sources: &[&str], changes: &mut Vec<String>) {
    let lines = recorded.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once("  ").unwrap());
    let recorded: BTreeMap<String, String> =
        pairs.map(|(hash, path)| (path.to_owned(), hash.to_owned())).collect();
    let mut now = BTreeMap::new();
    for path in SHARED.iter().chain(sources) {
        hash_files(path, &mut now);
    }
    assert!(now.len() > 10, "{now:?}");
    let paths: BTreeSet<&String> = recorded.keys().chain(now.keys()).collect();
    for path in paths {
        match (recorded.get(path), now.get(path)) {
            (Some(then), Some(now)) if then == now => {}
            (Some(_), Some(_)) => changes.push(format!("{path} has changed")),
            (Some(_), None) => changes.push(format!("{path} has gone")),
            (None, _) => changes.push(format!("{path} is new")),
        }
    }
}

/// The hashes of a file, or of all below a folder but documents and what is prebuilt.
fn hash_files(path: &str, hashes: &mut BTreeMap<String, String>) {
    let full = root().join(path);
    if !full.is_dir() {
        let hash = Sha256::digest(fs::read(full).unwrap());
        hashes.insert(path.to_owned(), format!("{hash:x}"));
        return;
    }
    for entry in fs::read_dir(full).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "prebuilt" && !name.ends_with(".md") {
            hash_files(&format!("{path}/{name}"), hashes);
        }
    }
}

fn compare_settings(recorded: Vec<&str>, changes: &mut Vec<String>) {
    let manifest = read("Cargo.toml");
    let now: BTreeSet<&str> = manifest.lines().collect();
    for line in recorded.iter().filter(|line| !now.contains(**line)) {
        changes.push(format!("Cargo.toml no longer has: {line}"));
    }
    let profile = manifest.lines().skip_while(|line| !line.starts_with("[profile.guest"));
    for line in profile.filter(|line| !line.is_empty() && !recorded.contains(line)) {
        changes.push(format!("Cargo.toml now has: {line}"));
    }
}

/// A new library comes with a manifest or a version that has changed.
fn compare_libraries(recorded: Vec<&str>, changes: &mut Vec<String>) {
    let lock = read("Cargo.lock");
    for line in recorded {
        let (name, version) = line.split_once(' ').unwrap();
        if !lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")) {
            changes.push(format!("Cargo.lock no longer has {name} {version}"));
        }
    }
}

/// The lines that were recorded of a file; there are some.
fn section<'a>(recorded: &'a str, file: &str) -> Vec<&'a str> {
    let heading = format!("# In {file}:");
    let lines = recorded.lines().skip_while(|line| *line != heading).skip(1);
    let lines: Vec<&str> = lines.map_while(|line| line.strip_prefix("#  ")).collect();
    assert!(lines.len() > 3, "{lines:?}");
    lines
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
