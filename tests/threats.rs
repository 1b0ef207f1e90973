//! The table in `threats.md` has every row, and every test that it names exists.

use std::collections::BTreeSet;

use crate::layers::source::{Source, read, sources};

/// Sections and how many rows each has.
const SECTIONS: [(char, u32); 8] =
    [('A', 15), ('B', 12), ('C', 15), ('D', 9), ('E', 10), ('F', 20), ('G', 10), ('H', 15)];

/// Of parts that the gateway does not have.
const NOT_OURS: [&str; 12] =
    ["A13", "A14", "B6", "B7", "C8", "C9", "C10", "G10", "H10", "H11", "H12", "H14"];

/// A row: its number, what comes of the attack, and the tests that show it.
struct Row {
    number: String,
    result: String,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/threats.md"));
    let text = text.unwrap();
    let lines = text.lines().filter(|line| {
        let number = line.strip_prefix("| ").unwrap_or_default();
        number.starts_with(SECTIONS.map(|(section, _)| section))
            && number[1..].starts_with(|c: char| c.is_ascii_digit())
    });
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, number, _, result, tests, _] = cells[..] else { panic!("{line}") };
            let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Row { number: number.to_owned(), result: result.to_owned(), tests }
        })
        .collect()
}

/// The file that a test is in, and the name of its function.
fn place(test: &str) -> (Vec<String>, String) {
    let (path, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("{test} has no path"));
    let files = match path.strip_prefix("sporegate::") {
        // Unit tests have a file of their own or the end of the file that they test.
        Some(path) => {
            let path = path.replace("::", "/");
            let around = path.trim_end_matches("/tests").to_owned();
            vec![format!("host/src/{path}.rs"), format!("host/src/{around}.rs")]
        }
        None => vec![format!("tests/{}.rs", path.replace("::", "/"))],
    };
    (files, name.to_owned())
}

/// Whether a file has a test of this name: a function that is marked as one.
fn has_test(source: &Source, name: &str) -> bool {
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let is_it = |line: &str| {
        let signature = line.trim_start_matches("async ");
        signature.strip_prefix("fn ").is_some_and(|rest| rest.split('(').next() == Some(name))
    };
    let marked = |line: &&str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    lines.windows(2).any(|two| is_it(two[1]) && marked(&two[0]))
}

#[test]
fn every_row_is_in_the_table_once() {
    let rows = rows();
    let told: BTreeSet<&str> = rows.iter().map(|row| row.number.as_str()).collect();
    assert_eq!(told.len(), rows.len(), "a row is there twice");
    let all = SECTIONS.iter().flat_map(|(section, count)| (1..=*count).map(move |n| (section, n)));
    let numbers: Vec<String> = all.map(|(section, number)| format!("{section}{number}")).collect();
    let expected: BTreeSet<&str> =
        numbers.iter().map(String::as_str).filter(|number| !NOT_OURS.contains(number)).collect();
    let missing: Vec<_> = expected.difference(&told).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    let unknown: Vec<_> = told.difference(&expected).collect();
    assert!(unknown.is_empty(), "no such rows: {unknown:?}");
}

#[test]
fn every_row_names_tests_that_exist_or_says_why_there_are_none() {
    let sources = sources(&["tests", "host/src"]);
    for Row { number, result, tests } in rows() {
        assert!(!result.is_empty(), "{number} does not say what comes of it");
        assert!(
            !tests.is_empty() || result.starts_with("not applicable: "),
            "{number} has no test, and does not say why"
        );
        for test in tests {
            let (files, name) = place(&test);
            let found = sources
                .iter()
                .any(|source| files.contains(&source.path) && has_test(source, &name));
            assert!(found, "{number}: there is no test {test} in {files:?}");
        }
    }
    // It would find that one is missing.
    assert!(!has_test(&read("tests/threats.rs"), "rows"));
}
