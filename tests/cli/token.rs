//! `sporegate token`: its tokens open the gateway that they were made for.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::program::{Ended, Program};
use crate::support::{Client, TestGateway};

async fn token(directory: &Path, args: &[&str]) -> Ended {
    Program::new(["token"].iter().chain(args)).within(directory).run("").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_gateways_secret_is_accepted_with_its_roles() {
    let setup = TestGateway::with().module("echo", "echo");
    let gateway = setup.set("restrict_to_roles = [\"Editor\"]").start().await;
    let secret = gateway.directory().join("secret").display().to_string();
    let make = async |more: &[&str]| {
        let args = [&["--user", "alice", "--secret-file", &secret], more].concat();
        token(gateway.directory(), &args).await.ok().trim().to_owned()
    };
    let editor = make(&["--role", "Reader", "--role", "Editor"]).await;
    assert!(gateway.connect("/echo", Some(&editor)).await.is_ok());
    let reader = make(&["--role", "Reader"]).await;
    assert_eq!(gateway.connect("/echo", Some(&reader)).await.err().unwrap().status, 403);
    let late = make(&["--role", "Editor", "--ttl", "0s"]).await;
    assert_eq!(gateway.connect("/echo", Some(&late)).await.err().unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_for_its_owner_only_and_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let made = token(directory.path(), &["--user", "alice", "--new-secret", "s"]).await;
    assert_eq!(made.ok().trim().split('.').count(), 3);
    let file = directory.path().join("s");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&file).unwrap();
    let again = token(directory.path(), &["--user", "alice", "--new-secret", "s"]).await;
    again.failed(1, &["s: there is a file already", "--secret-file"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_token_opens_a_gateway_with_its_entry() {
    let directory = tempfile::tempdir().unwrap();
    let args = ["--user", "robot", "--role", "Machine", "--static"];
    let made = token(directory.path(), &args).await;
    std::fs::write(directory.path().join("tokens.toml"), made.ok()).unwrap();
    assert!(!made.out.contains(made.err.trim()), "the file would hold the token itself");
    let setup = TestGateway::with().module("echo", "echo");
    let modules = setup.modules().display().to_string();
    let args = ["serve", "-l", "127.0.0.1:0", "-m", &modules, "--token-file", "tokens.toml"];
    let mut serving = Program::new(args).within(directory.path()).start();
    let url = format!("{}/echo", serving.url().await);
    let mut robot = Client::connect(&url, Some(made.err.trim())).await.unwrap();
    robot.greeting().await;
    robot.echo("beep").await;
    assert_eq!(Client::connect(&url, Some("sporegate_guess")).await.err().unwrap().status, 401);
    serving.signal("TERM");
    serving.ended().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_token_is_told() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("short"), "secret").unwrap();
    for (args, code, parts) in [
        (&["--user", "a"][..], 2, &["--secret-file", "--new-secret", "--static"][..]),
        (&["--user", "a", "--static", "--new-secret", "x"], 2, &["cannot be used with"]),
        (&["--static"], 2, &["--user"]),
        (&["--user", "", "--static"], 1, &["user name"]),
        (&["--user", "a", "--secret-file", "none"], 1, &["none: cannot be read", "--new-secret"]),
        (&["--user", "a", "--secret-file", "short"], 1, &["has 6 bytes", "at least 32"]),
        (&["--user", "a", "--static", "--ttl", "1"], 2, &["--ttl", "write `1s` for seconds"]),
    ] {
        let ended = token(directory.path(), args).await;
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
        let error = ended.error();
        assert!(parts.iter().all(|part| error.contains(part)), "{args:?}: {error}");
    }
}
