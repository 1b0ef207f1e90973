//! Keys and values: every function, every limit, and what outlives what.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::grantee;
use crate::support::{Client, Serving, Setup, TestGateway, token, until};

fn keeping(more: &str) -> Setup {
    grantee(&format!("[http]\nhosts = []\n[keyvalue]\nbuckets = [\"a\", \"b\"]\n{more}"))
}

async fn ask(client: &mut Client, bucket: &str, what: Value) -> Value {
    client.ask(json!({"do": "store", "bucket": bucket, "what": what})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_does_what_the_standard_says() {
    let gateway = keeping("").start().await;
    let mut client = gateway.client("/grantee").await;
    let ok = |value: Value| json!({"ok": value});
    for (what, answer) in [
        (json!({"get": "k"}), json!(null)),
        (json!({"exists": "k"}), json!(false)),
        (json!({"set": ["k", "one"]}), json!(null)),
        (json!({"set": ["k", "two"]}), json!(null)),
        (json!({"get": "k"}), json!("two")),
        (json!({"exists": "k"}), json!(true)),
        (json!({"increment": ["n", 5]}), json!(5)),
        (json!({"increment": ["n", 2]}), json!(7)),
        (json!({"get": "n"}), json!("7")),
        (json!({"set-many": [["x", "1"], ["y", "2"]]}), json!(null)),
        (json!({"get-many": ["y", "gone", "x"]}), json!(["2", null, "1"])),
        ("keys".into(), json!(["k", "n", "x", "y"])),
        (json!({"delete": "k"}), json!(null)),
        (json!({"delete": "k"}), json!(null)),
        (json!({"delete-many": ["x", "gone", "n"]}), json!(null)),
        ("keys".into(), json!(["y"])),
        (json!({"page": null}), json!({"keys": ["y"], "cursor": null})),
    ] {
        assert_eq!(ask(&mut client, "a", what.clone()).await, ok(answer), "{what}");
    }
    assert_eq!(ask(&mut client, "b", "keys".into()).await, ok(json!([])));
    let many: Vec<_> = (0..1_000).map(|n| (n.to_string(), "v")).collect();
    ask(&mut client, "a", json!({"set-many": many})).await;
    let keys = ask(&mut client, "a", "keys".into()).await;
    assert_eq!(keys["ok"].as_array().unwrap().len(), 1_001);
    let page = ask(&mut client, "a", json!({"page": null})).await;
    assert_eq!(page["ok"]["keys"].as_array().unwrap().len(), 1_000);
    assert!(page["ok"]["cursor"].is_u64(), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_granted_is_not_there_and_each_module_has_its_own() {
    let gateway = keeping("")
        .module("other", "grantee")
        .sidecar("other", "[http]\nhosts = []\n[keyvalue]\nbuckets = [\"a\"]")
        .start()
        .await;
    let mut client = gateway.client("/grantee").await;
    let mut other = gateway.client("/other").await;
    ask(&mut client, "a", json!({"set": ["k", "mine"]})).await;
    assert_eq!(ask(&mut other, "a", json!({"get": "k"})).await, json!({"ok": null}));
    // Another's, one that does not exist, and names that lead nowhere.
    for name in ["b", "c", "", "grantee/a", "../a", "A"] {
        let answer = ask(&mut other, name, "open".into()).await;
        assert_eq!(answer, json!({"error": "no-such-store"}), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_is_an_error_that_names_it() {
    let limits = "bucket_size = \"1KiB\"\nkeys = 3\nkey_size = 8\nvalue_size = 600\n";
    let gateway = keeping(limits).start().await;
    let mut client = gateway.client("/grantee").await;
    for (what, limit) in [
        (json!({"set": ["123456789", "x"]}), "key_size"),
        (json!({"set": ["", "x"]}), "key_size"),
        (json!({"fill": ["k", 601]}), "value_size"),
        (json!({"set-many": [["1", ""], ["2", ""], ["3", ""], ["4", ""]]}), "keyvalue.keys"),
        (json!({"increment": ["123456789", 1]}), "key_size"),
        (json!({"get-many": vec!["k"; 1_001]}), "1000 keys"),
    ] {
        let answer = ask(&mut client, "a", what.clone()).await;
        assert!(answer["error"].as_str().unwrap().contains(limit), "{what}: {answer}");
    }
    assert_eq!(ask(&mut client, "a", "keys".into()).await, json!({"ok": []}));
    assert_eq!(ask(&mut client, "a", json!({"fill": ["k", 600]})).await, json!({"ok": null}));
    for what in [json!({"fill": ["l", 600]}), json!({"get-many": ["k", "k"]})] {
        let answer = ask(&mut client, "a", what).await;
        assert!(answer["error"].as_str().unwrap().contains("bucket_size"), "{answer}");
    }
    // The other bucket has room of its own.
    assert_eq!(ask(&mut client, "b", json!({"fill": ["k", 600]})).await, json!({"ok": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_outlive_an_instance_that_traps_and_are_not_undone() {
    let gateway = keeping("").start().await;
    let mut client = gateway.client("/grantee").await;
    let trap = json!({"do": "store", "bucket": "a", "what": {"set-and-panic": ["k", "kept"]}});
    client.send_json(&trap).await;
    client.handled().await;
    assert_eq!(ask(&mut client, "a", json!({"get": "k"})).await, json!({"ok": "kept"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_see_the_same_values() {
    let gateway = keeping("[run]\ninstances = 4\n").start().await;
    let mut last = 0;
    for _ in 0..20 {
        let mut client = gateway.client("/grantee").await;
        let sum = ask(&mut client, "a", json!({"increment": ["n", 1]})).await;
        last += 1;
        assert_eq!(sum, json!({"ok": last}));
    }
}

fn in_folder(folder: &Path) -> Setup {
    let folder = folder.display().to_string();
    keeping("").set(&format!("reconnect_folder = {folder:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_folder_values_survive_a_restart() {
    let folder = TempDir::new().unwrap();
    let gateway = in_folder(folder.path()).start().await;
    let mut client = gateway.client("/grantee").await;
    ask(&mut client, "a", json!({"set-many": [["k", "1"], ["gone", "2"], ["n", "40"]]})).await;
    ask(&mut client, "a", json!({"delete": "gone"})).await;
    ask(&mut client, "b", json!({"set": ["k", "other"]})).await;
    client.done().await;
    assert!(gateway.stop().await);
    let gateway = in_folder(folder.path()).start().await;
    let mut client = gateway.client("/grantee").await;
    assert_eq!(ask(&mut client, "a", "keys".into()).await, json!({"ok": ["k", "n"]}));
    assert_eq!(ask(&mut client, "a", json!({"increment": ["n", 2]})).await, json!({"ok": 42}));
    assert_eq!(ask(&mut client, "b", json!({"get": "k"})).await, json!({"ok": "other"}));
    client.done().await;
    assert!(gateway.stop().await);
    // Without the folder there is nothing.
    let gateway: TestGateway = keeping("").start().await;
    let mut client = gateway.client("/grantee").await;
    assert_eq!(ask(&mut client, "a", "keys".into()).await, json!({"ok": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_folder_what_was_written_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let serving = Serving::start(in_folder(folder.path()), &[]).await;
    let url = format!("{}/grantee", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    ask(&mut client, "a", json!({"set": ["k", "kept"]})).await;
    let log = folder.path().join("sessions.sqlite3-wal");
    let holds = |file: &Path| {
        std::fs::read(file).is_ok_and(|bytes| bytes.windows(4).any(|part| part == b"kept"))
    };
    until("it is written", || holds(&log)).await;
    serving.signal("KILL");
    drop(serving);
    let gateway = in_folder(folder.path()).start().await;
    let mut client = gateway.client("/grantee").await;
    assert_eq!(ask(&mut client, "a", json!({"get": "k"})).await, json!({"ok": "kept"}));
}
