//! What a guest prints ends up in the log of the gateway, under the module's name.

use serde_json::Value;

use crate::support::{
    Client, PATIENCE, Serving, Setup, TestGateway, core_guest, guest_source, token,
};

/// The lines of guests in a log.
fn guest_lines(serving: &Serving) -> Vec<Value> {
    let lines = serving.stderr();
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "sporegate::guest").collect()
}

/// Waits until a line of a guest has this in it, and returns the line.
async fn logged(serving: &Serving, text: &str) -> Value {
    let searching = async {
        loop {
            let has_it = |line: &Value| line["message"].as_str().unwrap().contains(text);
            if let Some(line) = guest_lines(serving).into_iter().find(has_it) {
                return line;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, searching).await;
    found.unwrap_or_else(|_| panic!("no {text:?} in {}", serving.stderr()))
}

async fn client(serving: &Serving, path: &str) -> Client {
    let url = format!("{}{path}", serving.url());
    let mut client = Client::connect(&url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    client
}

fn logger() -> Setup {
    TestGateway::with().module("logger", "logger")
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_error_is_logged_line_by_line_with_the_name_of_the_module() {
    let serving = Serving::start(logger(), &[]).await;
    let mut client = client(&serving, "/logger").await;
    client.send("hello, log").await;
    assert_eq!(client.text().await, "logged");
    let line = logged(&serving, "hello, log").await;
    assert_eq!((&line["module"], &line["level"]), (&"logger".into(), &"WARN".into()), "{line}");
    assert_eq!(line["message"], "hello, log");
    client.send("two\nlines").await;
    assert_eq!(logged(&serving, "two").await["message"], "two");
    assert_eq!(logged(&serving, "lines").await["message"], "lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_names_the_client_that_it_is_about() {
    let serving = Serving::start(logger(), &[]).await;
    let (mut alice, mut bob) =
        (client(&serving, "/logger").await, client(&serving, "/logger").await);
    for (who, text) in [(&mut alice, "of alice"), (&mut bob, "of bob")] {
        who.send(text).await;
        assert_eq!(who.text().await, "logged");
    }
    alice.send("alice again").await;
    let of = async |text: &str| logged(&serving, text).await["client"].as_str().unwrap().to_owned();
    let (first, other, again) = (of("of alice").await, of("of bob").await, of("alice again").await);
    assert!(first.len() == 32 && first == again && first != other, "{first}, {other}, {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_says_why_before_it_ends_the_instance() {
    let serving = Serving::start(logger(), &[]).await;
    let mut client = client(&serving, "/logger").await;
    client.send(vec![1]).await;
    let line = logged(&serving, "a binary message came").await;
    assert_eq!(line["module"], "logger");
    client.send("and on").await;
    assert_eq!(client.text().await, "logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_output_is_logged_too_and_less_loud() {
    let to_stdout = guest_source("preview1.wat")
        .replace("(i32.const 2) (i32.const 64)", "(i32.const 1) (i32.const 64)");
    let setup =
        TestGateway::with().module("err", "preview1").file("out.wasm", &core_guest(&to_stdout));
    let serving = Serving::start(setup, &[]).await;
    logged(&serving, "started on preview 1").await;
    let level_of = |module: &str| {
        let lines = guest_lines(&serving);
        let line = lines.iter().find(|line| line["module"] == module).cloned().unwrap_or_default();
        line["level"].as_str().map(str::to_owned)
    };
    assert_eq!(level_of("err").as_deref(), Some("WARN"));
    assert_eq!(level_of("out").as_deref(), Some("INFO"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_cannot_fill_the_log() {
    let setup = logger().sidecar("logger", "[limits]\nlog_rate = 5\n");
    let serving = Serving::start(setup, &[]).await;
    let mut client = client(&serving, "/logger").await;
    for _ in 0..500 {
        client.feed("noise").await;
    }
    client.flush().await;
    for _ in 0..500 {
        assert_eq!(client.text().await, "logged");
    }
    let noise = guest_lines(&serving).len();
    assert!((5..250).contains(&noise), "{noise} lines");
    // What was dropped is told with the next line there is room for.
    let telling = async {
        while !serving.stderr().contains("log lines dropped") {
            client.send("more").await;
            assert_eq!(client.text().await, "logged");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, telling).await.expect("nothing was said of dropped lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_end_is_cut_and_cannot_forge_another() {
    let serving = Serving::start(logger(), &[]).await;
    let mut client = client(&serving, "/logger").await;
    client.send("y".repeat(10_000)).await;
    assert_eq!(client.text().await, "logged");
    logged(&serving, "y").await;
    let lengths: Vec<usize> =
        guest_lines(&serving).iter().map(|line| line["message"].as_str().unwrap().len()).collect();
    assert_eq!(lengths, [4_096, 4_096, 10_000 - 2 * 4_096]);
    client.send("\r{\"level\":\"ERROR\"} \u{1b}[31m \0").await;
    assert_eq!(client.text().await, "logged");
    logged(&serving, "\"ERROR\"").await;
    for line in serving.stderr().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_ne!(line["level"], "ERROR");
    }
}
