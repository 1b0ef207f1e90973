//! A new project in each language is built with its real tools, passes its conversation, is served, and
//! answers: `tests/languages/first-answer` does it all. A language whose tools are not here is listed as
//! skipped.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sporegate::config::Language;
use tokio::process::Command;

use crate::support::sporegate;

/// Tools may have to be fetched, and libraries to be compiled.
const LONGEST: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_in_rust_is_built_and_passes_its_conversation() {
    build_and_test(Language::Rust).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_in_javascript_is_built_and_passes_its_conversation() {
    build_and_test(Language::JavaScript).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_in_typescript_is_built_and_passes_its_conversation() {
    build_and_test(Language::TypeScript).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_in_python_is_built_and_passes_its_conversation() {
    build_and_test(Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_in_c_is_built_and_passes_its_conversation() {
    build_and_test(Language::C).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_in_go_is_built_and_passes_its_conversation() {
    build_and_test(Language::Go).await;
}

async fn build_and_test(language: Language) {
    // With this command, and the caches of the tests.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(root.join("tests/languages/first-answer"));
    command.args(["--warm", language.name()]).kill_on_drop(true);
    let sporegate = std::fs::canonicalize(sporegate().get_program()).unwrap();
    command.env("SPOREGATE", sporegate).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    // Libraries are compiled once for all runs of the tests.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-project");
    command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_RETRY", "1");
    // What cargo tells the tests is not meant for the project.
    for (name, _) in std::env::vars() {
        let of_tests = name.starts_with("CARGO_PKG") || name.starts_with("CARGO_MANIFEST");
        if of_tests || name == "RUSTC" || name == "RUSTUP_TOOLCHAIN" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tokio::time::timeout(LONGEST, command.output()).await;
    let output = output.expect("it takes too long").unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    match output.status.code() {
        Some(0) => assert!(text.contains("answered after "), "{language:?}: {text}"),
        Some(3) => {
            let missing = text.lines().find_map(|line| line.strip_prefix("missing: "));
            let missing = missing.unwrap_or_else(|| panic!("{language:?}: {text}"));
            // Past what the test harness keeps to itself.
            let mut out = std::io::stderr().lock();
            writeln!(out, "skipped: new project in {missing}").unwrap();
        }
        code => panic!("{language:?}: exit code {code:?}: {text}"),
    }
}
