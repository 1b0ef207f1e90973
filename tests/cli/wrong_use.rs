//! Command lines that make no sense: exit code 2, and what would.

use super::program::{Program, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_word_is_told_with_the_right_one() {
    for (args, parts) in [
        (&["serv"][..], &["'serv'", "similar", "'serve'"][..]),
        (&["serve", "--module", "x"], &["'--module'", "similar", "'--modules'"]),
        (&["serve", "modules"], &["unexpected argument 'modules'", "Usage: sporegate serve"]),
        (&["serve", "--listen"], &["value is required for '--listen <ADDR>'"]),
        (&["serve", "--max-connections", "many"], &["'many'", "write a whole number"]),
        (&["inspect"], &["<MODULE>"]),
        (&["connect"], &["<URL>"]),
        (&["completions", "tcsh"], &["'tcsh'", "bash", "zsh"]),
    ] {
        let ended = run(args).await;
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        let error = ended.error();
        assert!(parts.iter().all(|part| error.contains(part)), "{args:?}: {error}");
        assert!(error.contains("try '--help'"), "{args:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_of_a_flag_is_told_as_that_of_a_setting() {
    for (flag, value, parts) in [
        ("--listen", "localhost:80", &["cannot be `localhost:80`", "127.0.0.1:8080"][..]),
        ("--listen", "127.0.0.1:99999", &["cannot be `127.0.0.1:99999`"]),
        ("--max-connections", "0", &["is 0", "from 1 to 1000000"]),
        ("--path", "websocket", &["cannot be `websocket`"]),
        ("--log-level", "loud", &["cannot be `loud`", "debug"]),
        ("--log-format", "xml", &["cannot be `xml`", "text", "json"]),
    ] {
        let ended = run(["check", flag, value]).await;
        ended.failed(2, &[&format!("error: flag {flag}: ")]);
        ended.failed(2, parts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_variable_is_told_with_the_nearest_right_one() {
    for (name, value, parts) in [
        ("SPOREGATE_LISTN", "x", &["unknown variable", "`SPOREGATE_LISTEN`"][..]),
        ("SPOREGATE_MAX_CONNECTIONS", "many", &["`max_connections`", "many"]),
    ] {
        let ended = Program::new(["check"]).variable(name, value).run("").await;
        ended.failed(1, &[&format!("error: variable {name}: ")]);
        ended.failed(1, parts);
    }
}
