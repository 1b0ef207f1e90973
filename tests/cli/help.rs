//! Help, version and completions: what a newcomer reads first.

use std::path::Path;
use std::process::Stdio;

use super::program::{Program, run};

const COMMANDS: [&str; 11] = [
    "new",
    "build",
    "dev",
    "test",
    "serve",
    "demo",
    "check",
    "inspect",
    "token",
    "connect",
    "completions",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_help_names_every_command_and_where_to_begin() {
    let help = run(["--help"]).await;
    for command in COMMANDS {
        assert!(help.ok().contains(&format!("\n  {command} ")), "{command}: {}", help.out);
    }
    assert!(help.out.contains("First steps:"), "{}", help.out);
    assert!(help.out.contains("Exit codes: 0 success, 1 failure, 2 wrong use"), "{}", help.out);
    assert!(help.out.lines().all(|line| line.len() <= 100), "{}", help.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_explains_itself_and_each_of_its_flags() {
    for command in COMMANDS {
        let help = run([command, "--help"]).await;
        let text = help.ok();
        let (purpose, below) = text.split_once("Usage: sporegate ").unwrap();
        assert!(purpose.trim().len() > 20, "{command} does not say what it is for: {text}");
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        let (_, options) = below.split_once("Options:\n").unwrap();
        let options = options.split("\n\n").next().unwrap_or_default();
        // An entry is the line with the flag and the more indented ones after it.
        for entry in options.replace("\n          ", " ").lines() {
            assert!(entry.trim().starts_with('-'), "{command}: {entry:?}");
            let is_name = |word: &&str| word.starts_with(['-', '<']);
            let words = entry.split_whitespace().skip_while(is_name).count();
            assert!(words > 0, "{command}: nothing explains {entry:?}");
        }
        assert_eq!(run(["help", command]).await.ok(), text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_command_the_help_is_shown_and_the_use_is_wrong() {
    let bare = run([""; 0]).await;
    assert_eq!(bare.code, Some(2));
    assert!(bare.err.contains("Usage: sporegate <COMMAND>"), "{bare:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_names_the_engine_that_is_linked() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let version_of = |name: &str| {
        let entry = lock.split("[[package]]").find(|e| e.contains(&format!("name = \"{name}\"\n")));
        entry.unwrap().split("version = \"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let expected =
        format!("sporegate {} (wasmtime {})\n", version_of("sporegate"), version_of("wasmtime"));
    assert_eq!(run(["--version"]).await.ok(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]).await;
        for word in ["max-connections", "inspect"] {
            assert!(script.ok().contains(word), "{shell}: {word}");
        }
        // What is not for people.
        assert!(!script.out.contains("compile-module"), "{shell}");
    }
    let bash = run(["completions", "bash"]).await;
    let check = std::process::Command::new("bash").args(["-n", "-c", bash.ok()]).status();
    assert!(check.unwrap().success(), "bash does not take it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_on_is_nothing_to_complain_about() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Program::new(["completions", "bash"]).writing_to(Stdio::from(writer)).run("").await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""));
}
