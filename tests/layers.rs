//! The rules of the sources, held against the sources: who may know whom, which library is known
//! where, and what every file looks like. The layers are read from the table in `host/src/lib.rs`,
//! so that it cannot say anything else than what is so.

pub mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Source, sources};

/// Libraries that only some parts may name, each with the parts.
const LIBRARIES: [(&str, &[&str]); 7] = [
    ("wasmtime", &["sandbox"]),
    ("jsonwebtoken", &["auth"]),
    // In auth only its header types: see below.
    ("hyper", &["server", "gate", "auth", "outbound", "sandbox/http"]),
    ("rustls", &["outbound"]),
    ("tungstenite", &["connection", "gate", "conversation", "cli/connect"]),
    ("prometheus", &["metrics"]),
    ("rusqlite", &["store"]),
];

/// What no part of the lowest layer may name.
const NOT_IN_WORDS: [&str; 5] = ["tokio", "hyper", "tungstenite", "wasmtime", "jsonwebtoken"];

const MAX_LINES: usize = 400;

#[test]
fn every_part_of_the_library_has_its_place_in_the_table_of_layers() {
    let lib = source::read("host/src/lib.rs");
    let declared: BTreeSet<&str> = lib
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let layers = layers(&lib);
    let placed: BTreeSet<&str> = layers.iter().flatten().map(String::as_str).collect();
    assert!(layers.len() >= 5 && declared.len() >= 10, "{layers:?}, {declared:?}");
    assert_eq!(placed, declared);
}

#[test]
fn a_part_knows_only_parts_below_it_and_beside_it_and_never_in_a_circle() {
    let layers = layers(&source::read("host/src/lib.rs"));
    let height = |part: &str| layers.iter().position(|layer| layer.iter().any(|p| p == part));
    let mut beside: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut uses = 0;
    for source in host_sources() {
        let Some(own) = height(source.part()) else { continue };
        for used in source.crate_uses() {
            let other = height(&used)
                .unwrap_or_else(|| panic!("{}: crate::{used} is no part", source.path));
            assert!(own <= other, "{}: {} is below {used}", source.path, source.part());
            uses += 1;
            if own == other && used != source.part() {
                beside.entry(source.part().to_owned()).or_default().insert(used);
            }
        }
    }
    assert!(uses > 50, "only {uses} uses found: does this test still read the sources?");
    while let Some(last) = beside.keys().find(|part| !knows_any(&beside, part)).cloned() {
        beside.remove(&last);
        for known in beside.values_mut() {
            known.remove(&last);
        }
    }
    assert!(beside.is_empty(), "parts of one layer that know each other: {beside:?}");
}

/// Whether a part still knows a part that is still there.
fn knows_any(beside: &BTreeMap<String, BTreeSet<String>>, part: &str) -> bool {
    beside[part].iter().any(|known| beside.contains_key(known))
}

#[test]
fn each_library_is_known_only_where_it_belongs() {
    for (library, parts) in LIBRARIES {
        let mut sources = host_sources();
        sources.retain(|source| source.names_library(library));
        assert!(!sources.is_empty(), "{library} is not found: does this test still read?");
        for source in sources {
            let allowed = parts.iter().any(|part| source.is_part_of(part));
            assert!(allowed, "{} names {library}", source.path);
        }
    }
}

#[test]
fn of_http_auth_knows_the_headers_only() {
    for source in host_sources().iter().filter(|source| source.part() == "auth") {
        for line in source.code().filter(|line| line.contains("hyper::")) {
            assert!(line.contains("hyper::header::"), "{}: {line}", source.path);
        }
    }
}

#[test]
fn the_words_know_no_runtime_and_no_wire() {
    let layers = layers(&source::read("host/src/lib.rs"));
    let words = layers.last().unwrap();
    for source in host_sources().iter().filter(|s| words.iter().any(|word| word == s.part())) {
        for library in NOT_IN_WORDS {
            assert!(!source.names_library(library), "{} names {library}", source.path);
        }
    }
}

#[test]
fn only_the_loader_of_compiled_code_is_unsafe() {
    let mut sources = host_sources();
    sources.retain(|source| source.code().any(|line| line.contains("unsafe")));
    let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["host/src/sandbox/artifact.rs"]);
}

#[test]
fn the_router_is_pure() {
    for source in host_sources().iter().filter(|source| source.part() == "router") {
        for library in ["tokio", "hyper", "wasmtime", "tracing"] {
            assert!(!source.names_library(library), "{} names {library}", source.path);
        }
    }
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    for source in sources(&["host", "guest-sdk", "examples", "tests"]) {
        assert!(source.text.starts_with("//! "), "{}: no module doc", source.path);
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for source in sources(&["host", "guest-sdk", "examples", "tests"]) {
        let lines = source.text.lines().count();
        assert!(lines <= MAX_LINES, "{}: {lines} lines", source.path);
    }
}

/// The sources of the gateway that are in force when it serves: no tests.
fn host_sources() -> Vec<Source> {
    let mut sources = sources(&["host/src"]);
    sources.retain(|source| !source.is_test());
    assert!(sources.len() > 50, "{} sources", sources.len());
    sources
}

/// The table of `lib.rs`: the highest layer first, each with its parts.
fn layers(lib: &Source) -> Vec<Vec<String>> {
    let rows = lib.text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.skip_while(|row| !row.starts_with("layer")).skip(1);
    rows.map(|row| row.split("[`").skip(1).filter_map(|part| part.split('`').next()))
        .map(|parts| parts.map(str::to_owned).collect::<Vec<_>>())
        .collect()
}
