//! Floods from within: modules that do whatever they can to the gateway, while another module is
//! asked all the time. Every attack goes on for as long as is measured; what it runs into is named
//! in the log and counted.

use serde_json::{Value, json};

use super::{Flooded, setup};
use crate::support::{Client, Serving, Setup, core_guest, guest_source, token};

/// Memory that a module may have here, in KiB.
const MODULE_KIB: u64 = 16 << 10;

/// What the gateway keeps for one call besides: what it has queued, and what is copied.
const CALL_KIB: u64 = 12 << 10;

/// A gateway whose hostile module is never given a rest.
fn tireless() -> Setup {
    setup("").sidecar("probe", "[run]\nbreaker_failures = 0\n[limits]\nmemory = \"16MiB\"\n")
}

async fn attacker(flooded: &Flooded, path: &str) -> Client {
    let url = format!("{}{path}", flooded.serving.url());
    let mut client = Client::connect(&url, Some(&token("mallory", &[]))).await.unwrap();
    client.greeting().await;
    client
}

/// Tells the module to do something that ends its instance, and waits until it has.
async fn ends(client: &mut Client, command: &Value) {
    client.send_json(command).await;
    client.settle().await;
}

/// Floods with a command whose calls end for this cause, and says what the log must have.
async fn flood_that_ends(setup: Setup, command: Value, cause: &str) {
    let flooded = Flooded::start(setup).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        ends(&mut client, &command).await;
        client.close().await;
    };
    flooded.flood(round).await;
    logs(&flooded.survived(1, MODULE_KIB + CALL_KIB).await, cause);
}

/// Floods with a command that comes back, and whose answer is checked.
async fn flood_that_answers(command: Value, check: impl Fn(&Value)) {
    let flooded = Flooded::start(tireless()).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        check(&client.ok(command.clone()).await);
        client.close().await;
    };
    flooded.flood(round).await;
    flooded.survived(1, MODULE_KIB + CALL_KIB).await;
}

fn logs(serving: &Serving, cause: &str) {
    let log = serving.stderr();
    let named = log.lines().any(|line| line.contains("probe") && line.contains(cause));
    assert!(named, "{cause} is not in the log: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_never_end() {
    flood_that_ends(tireless(), json!({"do": "spin"}), "cpu-time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_never_end_of_many_clients_at_once() {
    let flooded = Flooded::start(tireless()).await;
    let round = async || {
        let mut clients = Vec::new();
        for number in 0..8 {
            let mut client = attacker(&flooded, &format!("/probe/{number}")).await;
            client.send_json(&json!({"do": "spin"})).await;
            clients.push(client);
        }
        for mut client in clients {
            client.settle().await;
            client.close().await;
        }
    };
    flooded.flood(round).await;
    logs(&flooded.survived(8, MODULE_KIB + CALL_KIB).await, "cpu-time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_in_every_call() {
    flood_that_ends(tireless(), json!({"do": "trap"}), "trap").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_in_every_third_call() {
    let flooded = Flooded::start(tireless()).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        for _ in 0..10 {
            client.ok(json!({"do": "count"})).await;
            client.ok(json!({"do": "count"})).await;
            ends(&mut client, &json!({"do": "trap"})).await;
        }
        client.close().await;
    };
    flooded.flood(round).await;
    logs(&flooded.survived(1, MODULE_KIB + CALL_KIB).await, "trap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_traps_always_is_given_a_rest_and_costs_nothing_then() {
    let flooded = Flooded::start(setup("")).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        for _ in 0..100 {
            ends(&mut client, &json!({"do": "trap"})).await;
        }
        client.close().await;
    };
    flooded.flood(round).await;
    logs(&flooded.survived(1, MODULE_KIB + CALL_KIB).await, "it keeps failing, and pauses");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_without_end() {
    let grow = json!({"do": "repeat", "count": 200, "of": [{"do": "grow", "count": 1}]});
    flood_that_answers(grow, |answer| {
        assert!(answer["other"].as_u64().unwrap() >= 180, "{answer}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recursion_without_end() {
    flood_that_ends(tireless(), json!({"do": "recurse"}), "stack-overflow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_the_gateway_without_end() {
    flood_that_ends(tireless(), json!({"do": "host-calls", "count": 1_000_000}), "host-calls")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_without_end() {
    let sends = json!({"do": "repeat", "count": 3_000, "of": [{"do": "send", "fill": 1_000}]});
    let muted = json!({"do": "seq", "of": [sends, {"do": "mute"}]});
    let flooded = Flooded::start(tireless()).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        client.send_json(&muted).await;
        // What its outbox holds comes, and no more.
        let mut came = 0;
        client.send(tokio_tungstenite::tungstenite::Message::Ping(Default::default())).await;
        while !client.frame().await.unwrap().unwrap().is_pong() {
            came += 1;
        }
        assert!((900..=1_000).contains(&came), "{came}");
        client.close().await;
    };
    flooded.flood(round).await;
    flooded.survived(1, MODULE_KIB + CALL_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_to_ids_that_are_made_up() {
    let ids = ["0", "", "../../etc", "00000000000000000000000000000000"];
    let sends: Vec<_> = ids.map(|id| json!({"do": "send", "to": id, "text": "x"})).into();
    let command = json!({"do": "repeat", "count": 1_000, "of": sends});
    flood_that_answers(command, |answer| assert_eq!(*answer, json!({"not-found": 4_000}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_no_outbox_holds_and_codes_that_no_module_may_use() {
    let large = json!({"do": "send", "fill": 2_000_000});
    let code = json!({"do": "close", "code": 1006, "reason": "x"});
    let command = json!({"do": "repeat", "count": 2, "of": [large, code]});
    flood_that_answers(command, |answer| {
        assert_eq!(*answer, json!({"too-large": 2, "invalid-argument": 2}));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_without_end() {
    let query = json!({"do": "clients-on-path", "path": "/probe/*", "limit": 1_000});
    let command = json!({"do": "repeat", "count": 1_000_000, "of": [query]});
    // By its processor time or by its calls, whichever is used up first.
    flood_that_ends(tireless(), command, "listener failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_without_end() {
    let flooded = Flooded::start(tireless()).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        for first in (0..2_000).step_by(200) {
            let add = |number: i32| {
                json!({"do": "add-listener", "name": format!("l-{number}"),
                    "matcher": {"path": "/probe/elsewhere"}})
            };
            let of: Vec<_> = (first..first + 200).map(add).collect();
            client.ok(json!({"do": "repeat", "count": 1, "of": of})).await;
        }
        let refused = json!({"do": "add-listener", "name": "one-more"});
        client.send_json(&refused).await;
        assert_eq!(client.json().await["error"]["code"], "limit-exceeded");
        client.close().await;
    };
    flooded.flood(round).await;
    flooded.survived(1, MODULE_KIB + CALL_KIB).await;
}

/// Each change makes the module's matchers anew, half a MiB of them, and each idle client used another
/// of these versions last.
#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_change_under_clients_that_sleep() {
    const CLIENTS: usize = 100;
    let flooded = Flooded::start(tireless()).await;
    let mut sleepers = Vec::new();
    for _ in 0..CLIENTS {
        sleepers.push(attacker(&flooded, "/probe").await);
    }
    let all = (0..128).map(|number| {
        let operand = format!("{number}{}", "x".repeat(4_000));
        json!({"do": "add-listener", "name": format!("l-{number}"),
            "matcher": {"content": [{"text-equals": operand}]}})
    });
    for add in all {
        sleepers[0].ok(add).await;
    }
    let sleepers = tokio::sync::Mutex::new(sleepers);
    let round = async || {
        for (version, sleeper) in sleepers.lock().await.iter_mut().enumerate() {
            let operand = format!("version {version}");
            let change = json!({"do": "add-listener", "name": "changing",
                "matcher": {"content": [{"text-equals": operand}]}});
            sleeper.ok(change).await;
            sleeper.ok(json!({"do": "count", "text": "x"})).await;
        }
    };
    flooded.flood(round).await;
    for sleeper in sleepers.into_inner() {
        sleeper.close().await;
    }
    // Two versions at a time, each with its index.
    flooded.survived(1, MODULE_KIB + CALL_KIB + (16 << 10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_that_are_made_to_explode() {
    let patterns = ["(a*)*b", "(a|a)*$", "((a{0,100}){0,100}){0,100}", "(x+x+)+y", r"\pL{1000}"];
    let add = |(number, pattern): (usize, &str)| {
        json!({"do": "add-listener", "name": format!("r-{number}"),
            "matcher": {"content": [{"text-regex": pattern}]}})
    };
    let of: Vec<_> = patterns.into_iter().enumerate().map(add).collect();
    let flooded = Flooded::start(tireless()).await;
    let round = async || {
        let mut client = attacker(&flooded, "/probe").await;
        client.send_json(&json!({"do": "repeat", "count": 1, "of": of})).await;
        client.send_json(&json!({"do": "count", "text": "a".repeat(8_000)})).await;
        client.handled().await;
        client.close().await;
    };
    flooded.flood(round).await;
    flooded.survived(1, MODULE_KIB + CALL_KIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_without_end() {
    let flooded = Flooded::start(setup("").module("logger", "logger")).await;
    let round = async || {
        let mut client = attacker(&flooded, "/logger").await;
        for _ in 0..50 {
            client.send("line\n".repeat(2_000)).await;
            assert_eq!(client.text().await, "logged");
        }
        client.close().await;
    };
    flooded.flood(round).await;
    let serving = flooded.survived(1, MODULE_KIB + CALL_KIB).await;
    let lines = serving.stderr().lines().count();
    assert!(lines < 10_000, "{lines} lines in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_without_end() {
    let setup = setup("")
        .module("sleeper", "sleeper")
        .sidecar("sleeper", "[run]\nbreaker_failures = 0\n[limits]\ntimeout = \"100ms\"\n");
    let flooded = Flooded::start(setup).await;
    let round = async || {
        let mut client = attacker(&flooded, "/sleeper").await;
        client.send(vec![1]).await;
        client.settle().await;
        client.close().await;
    };
    flooded.flood(round).await;
    let log = flooded.survived(1, MODULE_KIB + CALL_KIB).await.stderr();
    assert!(log.lines().any(|line| line.contains("sleeper") && line.contains("timeout")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_memories_and_tables_and_large_ones() {
    // None of these becomes a module; that they are tried again and again harms nobody.
    let source = guest_source("start-fails.wat");
    let with = |more: &str| core_guest(&source.replacen("(module", &format!("(module {more}"), 1));
    let files = [
        with("(table 4000000 funcref)"),
        with("(memory $m1 65536)"),
        with(&"(table 1000 funcref)".repeat(200)),
    ];
    let flooded = Flooded::start(setup("").set("watch = true")).await;
    let round = async || {
        for file in &files {
            let modules = flooded.serving.modules();
            std::fs::write(modules.join("hostile.new"), file).unwrap();
            std::fs::rename(modules.join("hostile.new"), modules.join("hostile.wasm")).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        }
    };
    flooded.flood(round).await;
    let log = flooded.survived(1, MODULE_KIB + CALL_KIB).await.stderr();
    assert!(log.contains("module refused"), "{log}");
}
