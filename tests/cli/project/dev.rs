//! `sporegate dev`: a change is built and swapped, a failure changes nothing, and nothing stays.

use std::time::Duration;

use super::Project;
use crate::cli::program::Running;
use crate::support::{Client, PATIENCE, until};

/// A `dev` that runs, with its URL and a token.
struct Dev {
    running: Running,
    url: String,
    token: String,
}

impl Dev {
    async fn start(project: &Project) -> Self {
        let mut running = project.sporegate(&["dev"]).start();
        let url = running.url().await;
        let lines = running.lines_until("Stop with Ctrl-C.").await;
        let page = lines.iter().find(|line| line.contains("/test#")).unwrap();
        let token = page.split("token=").nth(1).unwrap().to_owned();
        Self { running, url, token }
    }

    async fn client(&self, path: &str) -> Client {
        let url = format!("{}{path}", self.url);
        let mut client = Client::connect(&url, Some(&self.token)).await.unwrap();
        client.greeting().await;
        client
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_swapped_under_the_clients_and_a_failed_build_changes_nothing() {
    let project = Project::made_up("chat", "guest echo\n").await;
    let mut dev = Dev::start(&project).await;
    dev.running.lines_until("serving (loaded)").await;
    let mut client = dev.client("/chat/tea").await;
    client.echo("hello").await;

    project.write("guest nobody\n");
    dev.running.lines_until("a source has changed: building").await;
    dev.running.lines_until("the build failed; what was served goes on").await;
    client.echo("still there").await;

    project.write("guest chat\n");
    dev.running.lines_until("serving (swapped)").await;
    let present = client.ask_text("{\"type\":\"who\"}").await;
    assert_eq!(present["who"][0], "alice");

    dev.running.signal("INT");
    let ended = dev.running.ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("I know no nobody"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_a_build_ends_all_that_the_build_has_started() {
    let project = Project::made_up("tea", "slow\nguest echo\n").await;
    for command in ["dev", "build"] {
        let pids = project.tools().join("pids");
        std::fs::remove_file(&pids).ok();
        let running = project.sporegate(&[command]).start();
        let read = || std::fs::read_to_string(&pids).unwrap_or_default();
        until("the tool runs", || read().lines().count() == 2).await;
        let pids: Vec<String> = read().lines().map(str::to_owned).collect();
        running.signal("INT");
        let ended = running.ended().await;
        let code = if command == "dev" { 0 } else { 1 };
        assert_eq!(ended.code, Some(code), "{command}: {ended:?}");
        until("nothing of it stays", || !pids.iter().any(|pid| runs(pid))).await;
    }
}

/// Whether a process is there, and is no zombie.
fn runs(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_loopback_addresses_are_served() {
    let project = Project::made_up("tea", "guest echo\n").await;
    let dev = project.sporegate(&["dev", "--listen", "0.0.0.0:0"]);
    let ended = tokio::time::timeout(PATIENCE + Duration::from_secs(1), dev.run("")).await.unwrap();
    ended.failed(2, &["--listen 0.0.0.0:0", "127.0.0.1"]);
}
