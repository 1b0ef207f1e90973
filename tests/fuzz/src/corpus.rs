//! Every input that has been kept, seeds and what the fuzzer found, in ordinary tests.

use std::path::{Path, PathBuf};

/// The files of a target, of which there must be some.
fn kept(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{}: {}", folder.display(), files.len());
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// Says which file it was: the panic itself knows only what is wrong.
fn check_all(target: &str, check: fn(&[u8])) {
    for (file, data) in kept(target) {
        let checked = std::panic::catch_unwind(|| check(&data));
        assert!(checked.is_ok(), "{}", file.display());
    }
}

#[test]
fn messages_go_to_the_same_listeners_with_and_without_an_index() {
    check_all("router", super::router::check);
}

#[test]
fn paths_have_one_spelling_and_patterns_match_what_they_say() {
    check_all("paths", super::paths::check);
}

#[test]
fn requests_are_admitted_with_a_credential_that_exists_or_refused() {
    check_all("requests", super::requests::check);
}

#[test]
fn texts_are_configurations_or_refused_with_a_place() {
    check_all("config", super::config::check);
}

#[test]
fn files_become_modules_or_are_refused_in_one_line() {
    check_all("modules", super::modules::check);
}
