//! `tests/languages/first-answer` fails where an answer is wrong, and says what is missing: with a
//! gateway that is made up. `tests/cli/project/real.rs` runs it with the real one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::support::PATIENCE;

/// Stands for the command; `build` and `connect` do what the variables say.
const SPOREGATE: &str = r#"#!/bin/sh
case $1 in
  new) mkdir "$2" ;;
  build) if [ -n "$MADE_UP_BUILD" ]; then echo "$MADE_UP_BUILD" >&2; exit 1; fi ;;
  test) exit "${MADE_UP_TEST:-0}" ;;
  dev)
    trap 'exit 0' TERM
    echo "  sporegate connect ws://127.0.0.1:9/websocket/tea --token of-bob"
    echo "serving (loaded)"
    while :; do sleep 0.05; done ;;
  connect)
    [ "$*" = "connect ws://127.0.0.1:9/websocket/tea --token of-bob" ] || exit 2
    echo '{"type":"setClientId","payload":"x"}'
    read -r said
    [ "$said" != '{"type":"say","text":"hello"}' ] || echo "$MADE_UP_ANSWER" ;;
esac
"#;

const RIGHT: (&str, &str) =
    ("MADE_UP_ANSWER", r#"{"who": "bob", "type": "said", "text": "hello"}"#);

/// Exit code of the script, and all that it says.
async fn first_answer(languages: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let sporegate = folder.path().join("sporegate");
    std::fs::write(&sporegate, SPOREGATE).unwrap();
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&sporegate, runs).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(root.join("tests/languages/first-answer"));
    command.args(languages).env("SPOREGATE", sporegate).envs(variables.iter().copied());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it does not end").unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_language_that_answers_has_its_row() {
    let (code, text) = first_answer(&["c", "rust"], &[RIGHT]).await;
    assert_eq!(code, Some(0), "{text}");
    let rows: Vec<_> = text.lines().filter(|line| line.contains("| nothing |")).collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows[0].starts_with("| c | ") && rows[1].starts_with("| rust | "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_or_none_is_a_failure() {
    for answer in [r#"{"type":"said","who":"bob","text":"bye"}"#, "hello", ""] {
        let (code, text) = first_answer(&["c"], &[("MADE_UP_ANSWER", answer)]).await;
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("c: wrong answer: sent "), "{text}");
    }
    let (code, text) = first_answer(&["c"], &[RIGHT, ("MADE_UP_TEST", "1")]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("c: `sporegate test` fails"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_tool_is_told_and_what_fails_otherwise_is_a_failure() {
    let why = "`cargo` is missing; install Rust: https://rustup.rs";
    let (code, text) = first_answer(&["rust"], &[RIGHT, ("MADE_UP_BUILD", why)]).await;
    assert_eq!(code, Some(3), "{text}");
    assert!(text.ends_with(&format!("missing: rust: {why}\n")), "{text}");
    let failed = [RIGHT, ("MADE_UP_BUILD", "listener.c:1: no such thing")];
    let (code, text) = first_answer(&["c"], &failed).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no such thing") && text.contains("`sporegate build` fails"), "{text}");
    let (code, text) = first_answer(&["cobol"], &[]).await;
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("unknown language cobol; there is: "), "{text}");
}
