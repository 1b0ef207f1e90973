//! A new project in each language is built with its real tools, and its conversation is played. A
//! language whose tools are not here is listed as skipped.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sporegate::config::Language;
use tokio::process::Command;

use super::Project;
use crate::support::sporegate;

/// Tools may have to be fetched, and libraries to be compiled.
const LONGEST_BUILD: Duration = Duration::from_secs(600);

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
    let project = Project::new("tea-room", language).await;
    let component = "build/tea-room.wasm";
    let built = command(&project.root(), &["build"]).await;
    if !built.0 {
        // Only what is missing is no failure.
        let missing = [
            "is missing; install",
            "a tool is missing",
            "no Rust standard library",
            // No registry is reached from here.
            "`npm` failed",
            "bin/pip` failed",
            // Python without venv.
            "`python3` failed",
        ];
        let skipped = missing.iter().any(|text| built.1.contains(text));
        assert!(skipped, "{language:?}: {}", built.1);
        let last = built.1.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
        // Past what the test harness keeps to itself.
        let mut out = std::io::stderr().lock();
        writeln!(out, "skipped: new project in {}: {last}", language.title()).unwrap();
        return;
    }
    let tested = command(&project.root(), &["test", component, "conversations"]).await;
    assert!(tested.0 && tested.1.contains("1 ok, 0 failed"), "{language:?}: {}", tested.1);
}

/// Whether it succeeds, and all that it says.
async fn command(within: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::from(sporegate());
    command.args(args).current_dir(within).kill_on_drop(true);
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
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
    let output = tokio::time::timeout(LONGEST_BUILD, command.output()).await;
    let output = output.expect("the build takes too long").unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
