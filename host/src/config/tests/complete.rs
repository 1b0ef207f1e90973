//! The example file and the table of settings name everything there is, and nothing else.

use super::*;
use std::fmt::Write as _;

const TABLE: &str = include_str!("../../../CONFIG.md");

/// Makes settings of the lines that begin with `#` and no space.
fn uncommented(text: &str) -> String {
    let mut usable = String::new();
    for line in text.lines() {
        let line = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line);
        writeln!(usable, "{line}").unwrap();
    }
    usable
}

fn all_settings() -> Vec<SettingRow> {
    let sidecar = ModuleConfig::settings().into_iter();
    let sidecar = sidecar.map(|row| SettingRow { key: format!("sidecar: {}", row.key), ..row });
    Config::settings().into_iter().chain(sidecar).collect()
}

/// The columns of the table that follow from the code; the last one is prose.
fn columns(row: &SettingRow) -> String {
    let code = |text: &Option<String>| text.as_ref().map_or(String::new(), |t| format!("`{t}`"));
    let SettingRow { key, variable, default, range } = row;
    let default = match default.chars().next() {
        Some('"' | '[' | '0'..='9') => format!("`{default}`"),
        _ if matches!(default.as_str(), "true" | "false") => format!("`{default}`"),
        _ => default.clone(),
    };
    let range = range.as_ref().map_or(String::new(), |range| range.replace('"', ""));
    format!("| `{}` | {} | {default} | {range} |", key.replace("sidecar: ", ""), code(variable))
}

#[test]
fn the_example_says_what_holds_anyway() {
    let example = load(example()).unwrap();
    assert_same(&example, &load("").unwrap());
    assert_eq!(example.warnings, [Warning::NobodyCanConnect]);
}

#[test]
fn what_the_example_comments_out_is_usable() {
    let config = load(&uncommented(example())).unwrap();
    assert_eq!((config.auth.jwt.len(), config.paths.len()), (4, 2));
    assert_eq!(config.warnings, []);
}

#[test]
fn the_example_has_every_key() {
    let usable = uncommented(example());
    let mut section = String::new();
    let mut found = std::collections::BTreeSet::new();
    for line in usable.lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = format!("{}.", header.trim_matches(['[', ']']));
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            found.insert(format!("{section}{key}"));
        }
    }
    let all: std::collections::BTreeSet<_> =
        Config::settings().into_iter().map(|r| r.key).collect();
    assert_eq!(found, all);
}

#[test]
fn the_table_has_every_setting_with_its_variable_default_and_range() {
    let rows: Vec<String> = TABLE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let mut cells = line.splitn(6, '|');
            let derived: Vec<_> = cells.by_ref().take(5).collect();
            let prose = cells.next().unwrap_or_default().trim_matches([' ', '|']);
            assert!(!prose.is_empty(), "nothing is said about {line}");
            format!("{}|", derived.join("|"))
        })
        .collect();
    let expected: Vec<String> = all_settings().iter().map(columns).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_original_names_are_in_the_table() {
    for name in [
        "restrictToRoles",
        "enableKeepAlive",
        "keepAliveIntervalSec",
        "maxConnections",
        "reconnectMessageBufferFolder",
        "tmpFileStorePath",
        "reconnectTimeoutSec",
    ] {
        assert!(TABLE.contains(&format!("`{name}`")), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_is_refused_with_places_and_never_with_a_panic(
        from in 0..example().len(),
        length in 0..40_usize,
        instead in "([a-z_]{1,9}|[=.\"'\\[\\]{}, \n0-9]|\\PC){0,6}",
    ) {
        let usable: Vec<char> = uncommented(example()).chars().collect();
        let (from, to) = (from.min(usable.len()), (from + length).min(usable.len()));
        let before: String = usable[..from].iter().collect();
        let after: String = usable[to..].iter().collect();
        let text = format!("{before}{instead}{after}");
        if let Err(error) = load(&text) {
            let lines = text.lines().count() + 1;
            for problem in error.problems() {
                let placed = match &problem.place {
                    Place::Line { line, .. } => (1..=lines).contains(line),
                    _ => false,
                };
                proptest::prop_assert!(placed, "{error}");
            }
        }
    }
}
