//! What the documents say is so: their examples are configurations, their links lead somewhere,
//! their codes are those of the gateway. The Rust in the README is compiled by the SDK's doc tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sporegate::config::{Config, Conversation, ModuleConfig, ModuleDefaults, ModuleName, Sources};

const DOCUMENTS: [&str; 18] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "host/CONFIG.md",
    "examples/README.md",
    "examples/c/README.md",
    "examples/client/README.md",
    "examples/go/README.md",
    "examples/js/README.md",
    "examples/zig/README.md",
    "guest-sdk/c/README.md",
    "guest-sdk/go/README.md",
    "guest-sdk/js/README.md",
    "guest-sdk/rust/README.md",
    "guest-sdk/zig/README.md",
    "tests/bench/README.md",
    "tests/guests/README.md",
    "tests/languages/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_configuration_in_the_readme_is_one() {
    let readme = read("README.md");
    let blocks = blocks(&readme, "toml");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sporegate.toml");
    let main = blocks.iter().find(|block| block.contains("[[auth.jwt]]")).unwrap();
    std::fs::write(&file, main).unwrap();
    let config = Config::load(&Sources { file: Some(file), ..Sources::default() });
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((config.paths.len(), config.auth.jwt.len(), config.warnings.len()), (2, 1, 0));

    let sidecar = blocks.iter().find(|block| block.contains("affinity")).unwrap();
    let name = ModuleName::parse("chat").unwrap();
    let defaults = ModuleDefaults::default();
    let module = ModuleConfig::parse(&name, sidecar, Path::new("chat.toml"), &defaults);
    assert_eq!(module.unwrap_or_else(|error| panic!("{error}")).run.instances, 4);
}

#[test]
fn the_conversation_in_the_readme_is_one() {
    let readme = read("README.md");
    let blocks = blocks(&readme, "toml");
    let block = blocks.iter().find(|block| block.contains("[[step]]")).unwrap();
    let conversation = Conversation::parse(block, Path::new("conversation.toml"));
    assert_eq!(conversation.unwrap_or_else(|error| panic!("{error}")).steps.len(), 7);
}

#[test]
fn the_readme_names_every_close_code_that_is_sent_and_no_other() {
    // Told to listeners where no close frame came; never sent.
    const NOT_SENT: [u16; 2] = [1005, 1006];
    let source = read("host/src/close.rs");
    let constant = |line: &str| line.trim().split_once(" = ")?.1.split(',').next()?.parse().ok();
    let reasons = source.split("reasons! {").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let mut sent: BTreeSet<u16> = reasons.lines().filter_map(constant).collect();
    assert!(sent.len() >= 8, "{sent:?}");
    sent.retain(|code| !NOT_SENT.contains(code));

    let readme = read("README.md");
    let table = readme.split("| Close code |").nth(1).unwrap().split("\n\n").next().unwrap();
    let first = |row: &str| row.strip_prefix("| ")?.split(' ').next()?.parse().ok();
    let told: BTreeSet<u16> = table.lines().filter_map(first).collect();
    assert_eq!(told, sent);

    let page = read("host/src/server/page/reasons.js");
    let unknown: Vec<_> =
        sent.iter().filter(|code| !page.contains(&format!("\n  {code}: ["))).collect();
    assert!(unknown.is_empty(), "the test page does not explain {unknown:?}");
}

#[test]
fn the_readme_names_every_status_of_a_rejection() {
    let source = read("host/src/gate/rejection.rs");
    let named = |name: &str| match name {
        "UPGRADE_REQUIRED" => "426",
        "BAD_REQUEST" => "400",
        "URI_TOO_LONG" => "414",
        "NOT_FOUND" => "404",
        "UNAUTHORIZED" => "401",
        "FORBIDDEN" => "403",
        "MISDIRECTED_REQUEST" => "421",
        "TOO_MANY_REQUESTS" => "429",
        "SERVICE_UNAVAILABLE" => "503",
        other => panic!("{other} is not known here"),
    };
    let end = |rest: &str| rest.find(|c: char| c != '_' && !c.is_ascii_uppercase()).unwrap();
    let statuses = source.split("StatusCode::").skip(1).map(|rest| named(&rest[..end(rest)]));
    let statuses: BTreeSet<&str> = statuses.collect();
    assert!(statuses.len() >= 5, "{statuses:?}");
    let readme = read("README.md");
    for status in statuses {
        assert!(readme.contains(&format!("\n| {status} |")), "{status} is not in the README");
    }
}

#[test]
fn every_command_and_flag_in_the_readme_exists() {
    let readme = read("README.md");
    let lines = blocks(&readme, "sh").concat();
    let uses = lines.split("sporegate ").skip(1);
    for (command, rest) in uses.filter_map(|rest| rest.split('\n').next()?.split_once(' ')) {
        let help = crate::support::sporegate().args([command, "--help"]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        assert!(!help.is_empty(), "`sporegate {command}` does not exist");
        for flag in rest.split(' ').filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "`sporegate {command}` has no {flag}");
        }
    }
}

#[test]
fn every_link_leads_to_a_file() {
    for document in DOCUMENTS {
        let folder = root().join(document).parent().unwrap().to_owned();
        let text = read(document);
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = folder.join(link.split('#').next().unwrap());
            assert!(file.exists(), "{document}: {link} leads nowhere");
        }
    }
}
