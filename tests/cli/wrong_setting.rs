//! Settings, files and addresses that cannot be used: `serve` and `check` say the same, with the
//! place and what to do.

use std::path::Path;

use super::program::{Ended, Program};

/// `serve` and `check` with a configuration of this text, in a directory with these files.
async fn both(files: &[(&str, &str)], text: &str) -> [Ended; 2] {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("modules")).unwrap();
    std::fs::write(directory.path().join("s.toml"), text).unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    [
        in_directory(directory.path(), &["serve", "-c", "s.toml", "-l", "127.0.0.1:0"]).await,
        in_directory(directory.path(), &["check", "-c", "s.toml"]).await,
    ]
}

async fn in_directory(directory: &Path, args: &[&str]) -> Ended {
    Program::new(args).within(directory).run("").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_a_file_is_told_with_its_line_and_the_nearest_name() {
    let text = "lisen = \"127.0.0.1:1\"\nrestrictToRole = []\n\n[limits]\nmessage_sise = \"4KiB\"\n\
                ping_interval = \"3\"\npong_timeout = 10\n";
    for ended in both(&[], text).await {
        ended.failed(
            1,
            &[
                "error: s.toml:1:1: unknown key `lisen`; did you mean `listen`?",
                "s.toml:2:1: unknown key `restrictToRole`; did you mean `restrictToRoles`?",
                "s.toml:5:1: unknown key `message_sise` in [limits]; did you mean `message_size`?",
                "s.toml:6:17: `limits.ping_interval` cannot be `3`: it has no unit",
                "s.toml:7:16: `limits.pong_timeout` must be ",
            ],
        );
    }
    for ended in both(&[], "listen = \"127.0.0.1:1\n").await {
        ended.failed(1, &["error: s.toml:1:", "not valid TOML"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_told_with_where_it_was_named() {
    let directory = tempfile::tempdir().unwrap();
    let none = in_directory(directory.path(), &["check", "-c", "none.toml"]).await;
    none.failed(1, &["none.toml: cannot be read: there is no such file", "--config"]);
    for command in ["serve", "check"] {
        let ended = in_directory(directory.path(), &[command, "-m", "none"]).await;
        ended.failed(1, &["module directory none: ", "create it", "--modules"]);
        assert_eq!(ended.error().matches("No such file").count(), 1, "{ended:?}");
    }
    std::fs::write(directory.path().join("file"), "").unwrap();
    let ended = in_directory(directory.path(), &["check", "-m", "file"]).await;
    ended.failed(1, &["module directory file: ", "--modules"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_used_is_told_without_its_content() {
    let issuer = "[[auth.jwt]]\nname = \"main\"\n";
    let canary = "canary-which-must-not-be-told";
    for (setting, parts) in [
        ("public_key = \"none.pem\"", &["`main`", "none.pem cannot be read", "may read"][..]),
        ("public_key = \"note\"", &["`main`", "note is not a public key in PEM form"]),
        ("secret_file = \"none\"", &["`main`", "none cannot be read"]),
        ("secret_file = \"note\"", &["29 bytes", "at least 32", "openssl rand"]),
        ("jwks = \"note\"", &["note is not a JSON Web Key set"]),
        ("secret_env = \"NOT_THERE\"", &["NOT_THERE", "is not set", "secret_file"]),
    ] {
        for ended in both(&[("note", canary)], &format!("{issuer}{setting}")).await {
            ended.failed(1, parts);
            assert!(!ended.err.contains(canary), "{ended:?}");
        }
    }
    for (tokens, parts) in [
        (None, &["token file ", "tokens.toml: cannot be read"][..]),
        (Some("[[token]]\nuser = \"a\"\n"), &["tokens.toml, line 1", "`hash`"]),
        (Some("[[token]]\nuser = \"a\"\nhash = \"x\"\n"), &["line 3", "sporegate token --static"]),
    ] {
        let files: Vec<_> = tokens.iter().map(|text| ("tokens.toml", *text)).collect();
        for ended in both(&files, "[auth]\ntoken_file = \"tokens.toml\"").await {
            ended.failed(1, parts);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_to_close_clients_that_leaves_none_for_them_to_go_is_refused() {
    for (text, place) in [
        ("[shutdown]\nwindow = \"30s\"", "s.toml:2:10: "),
        ("[shutdown]\nwindow = \"1m\"\n", "`shutdown.window` (1m)"),
        ("[shutdown]\ntimeout = \"5s\"\nwindow = \"5s\"\n", "s.toml:3:10: "),
        ("[shutdown]\ndelay = \"25s\"\nwindow = \"5s\"\n", "`shutdown.delay` (25s)"),
        ("[shutdown]\ntimeout = \"5s\"\ndelay = \"5s\"\n", "`shutdown.timeout` (5s)"),
    ] {
        for ended in both(&[], text).await {
            ended.failed(1, &[place, "together must be less than `shutdown.timeout`"]);
        }
    }
    for ended in both(&[], "[shutdown]\ncode = 1000\n").await {
        ended.failed(1, &["s.toml:2:8: `shutdown.code` cannot be `1000`", "1001", "1012"]);
    }
    // A short time is enough: the window is shorter then.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("s.toml"), "[shutdown]\ntimeout = \"1s\"\n").unwrap();
    in_directory(directory.path(), &["check", "-c", "s.toml", "-m", "."]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_told_before_any_module_is_compiled() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let args = ["serve", "-m", ".", "-l", &address];
    let ended = in_directory(directory.path(), &args).await;
    ended.failed(1, &[&format!("cannot listen on {address}"), "in use", "--listen", "port 0"]);
    let nowhere = ["serve", "-m", ".", "-l", "192.0.2.1:80"];
    let ended = in_directory(directory.path(), &nowhere).await;
    ended.failed(1, &["cannot listen on 192.0.2.1:80", "no such address"]);
}
