//! Clients that share no code with the gateway: Node `ws`, Python `websockets`, Chromium on the
//! test page, and the client in JavaScript of `examples/client` with its own tests.
//! `tests/clients/setup` installs what they need; where that is missing a test
//! says so, and fails if `SPOREGATE_TEST_REQUIRE_CLIENTS` is set.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use crate::support::{Setup, TestGateway, sporegate};

/// Much longer than any of them takes.
const PATIENCE: Duration = Duration::from_secs(180);

/// Paths of the tests of `examples/client` on which a client is closed for what it does, or does not do.
const WAYS_TO_END: &str = r#"
[limits]
ping_interval = "1s"
pong_timeout = "3s"
[[paths]]
pattern = "/probe/idle"
idle_timeout = "1s"
[[paths]]
pattern = "/probe/lifetime"
lifetime = "1s"
[[paths]]
pattern = "/probe/rate"
message_rate = 1
[[paths]]
pattern = "/probe/full"
outbox_messages = 4
[[paths]]
pattern = "/probe/trap"
on_failure = "close"
[[paths]]
pattern = "/breaks/it"
on_failure = "close"
[[paths]]
pattern = "/probe/text"
messages = "text"
[[paths]]
pattern = "/probe/json"
messages = "json"
"#;

/// What a client needs, as `tests/clients/setup` names it.
struct Needs {
    setup: &'static [&'static str],
    program: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn node_ws_talks_to_echo_and_chat() {
    let needs = Needs { setup: &["node"], program: "node" };
    let gateway = TestGateway::serving(&["echo", "chat"]).await;
    run(needs, "node_ws.mjs", &[gateway.url(), gateway.token("alice", &["User"])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_websockets_talks_to_echo_and_chat() {
    let needs = Needs { setup: &["python"], program: "python" };
    let gateway = TestGateway::serving(&["echo", "chat"]).await;
    run(needs, "python_websockets.py", &[gateway.url(), gateway.token("bob", &["User"])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_talks_to_echo_and_chat_through_the_test_page() {
    let needs = Needs { setup: &["node", "browser"], program: "node" };
    let gateway = waiting().set("test_page = true");
    let gateway = gateway.table("[[paths]]\npattern = \"/echo/idle\"\nidle_timeout = \"1s\"");
    let gateway = gateway.start().await;
    // It knows the same tokens, and no session of the first.
    let other = waiting().start().await;
    let page = format!("http://{}/websocket/test", gateway.address());
    let screenshot = Path::new(env!("CARGO_TARGET_TMPDIR")).join("test-page.png");
    let screenshot = screenshot.display().to_string();
    let token = gateway.token("carol", &["User"]);
    let other = other.address().to_string();
    run(needs, "browser.mjs", &[page, token, screenshot, other]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_in_javascript_does_what_it_says_and_resumes_with_the_gateway() {
    let needs = Needs { setup: &["node"], program: "node" };
    let Some(mut node) = command(&needs).await else { return };
    let gateway = waiting().module("probe", "probe").module("breaks", "probe");
    let gateway = gateway.sidecar("breaks", "paths = [\"/breaks/*\"]\n[run]\nbreaker_failures = 1");
    let gateway = gateway.table(WAYS_TO_END).start().await;
    let other = waiting().start().await;
    node.env("GATEWAY", sporegate().get_program())
        .env("SECRET", gateway.directory().join("secret"));
    let bare = waiting().set("greeting = false").start().await;
    node.env("BARE", bare.url()).env("OTHER", other.address().to_string());
    node.env("URL", gateway.url()).env("TOKEN", gateway.token("dave", &["User"]));
    node.args(["--test", "--test-timeout=120000"]);
    let tests = std::fs::read_dir(root().join("examples/client/test")).unwrap();
    let mut tests: Vec<PathBuf> = tests.map(|entry| entry.unwrap().path()).collect();
    tests.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    assert!(tests.len() >= 5, "{tests:?}");
    tests.sort();
    let stopping = async {
        while other.counters().accepted.get() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        other.stop().await;
        std::future::pending().await
    };
    tokio::select! {
        () = finish(node.args(tests), "examples/client") => {}
        () = stopping => {}
    }
}

/// A gateway with echo and chat, whose sessions wait for their clients.
fn waiting() -> Setup {
    let setup = TestGateway::with().set("reconnect_timeout = \"30s\"");
    setup.module("echo", "echo").module("chat", "chat")
}

async fn run(needs: Needs, script: &str, arguments: &[String]) {
    let Some(mut program) = command(&needs).await else { return };
    finish(program.arg(scripts().join(script)).args(arguments), script).await;
}

/// The program that is needed; none, said aloud, where something is missing.
async fn command(needs: &Needs) -> Option<Command> {
    let programs = find(needs.setup).await?;
    let program = programs.iter().find_map(|line| {
        let (name, path) = line.split_once('=')?;
        (name == needs.program).then_some(path)
    });
    Some(Command::new(program.expect("setup names the program")))
}

async fn finish(command: &mut Command, what: &str) {
    let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output()).await;
    let output = output.expect("the client takes too long").unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{what} failed:\n{}", said(&output));
}

/// Where the programs are; none, said aloud, where something is missing.
async fn find(setup: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new(scripts().join("setup"));
    let output = command.arg("--check").args(setup).output().await.unwrap();
    if output.status.success() {
        let lines = String::from_utf8(output.stdout).unwrap();
        return Some(lines.lines().map(str::to_owned).collect());
    }
    let required = std::env::var_os("SPOREGATE_TEST_REQUIRE_CLIENTS").is_some();
    assert!(!required, "{}", said(&output));
    eprintln!("SKIPPED: {}run tests/clients/setup first", said(&output));
    None
}

fn said(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    both.concat()
}

fn scripts() -> PathBuf {
    root().join("tests/clients")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
