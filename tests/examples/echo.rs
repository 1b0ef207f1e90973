//! `echo` and `json-echo`.

use serde_json::{Value, json};

use crate::support::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn echo_answers_every_message_with_itself() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = gateway.client("/echo/any/where").await;
    for text in ["", "{\"not\": parsed", "\u{1F600}"] {
        client.echo(text).await;
    }
    let largest = "x".repeat(64 << 10);
    client.echo(&largest).await;
    for bytes in [vec![], vec![0xff; 64 << 10]] {
        client.send(bytes.clone()).await;
        let answer = client.message().await;
        assert!(answer.is_binary());
        assert_eq!(*answer.into_data(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_echo_reads_and_writes_a_typed_message() {
    let gateway = TestGateway::serving(&["json-echo"]).await;
    let mut client = gateway.client("/json-echo").await;
    let message = json!({"type": "echo", "id": 7, "payload": {"text": "a \"quoted\" \u{e9}\n", "number": -3}});
    assert_eq!(client.ask(message.clone()).await, message);
    // What the type does not know is left out; what is optional may be missing.
    let wide = r#" {"payload":{"number":1,"x":[],"text":"t"},"extra":true,"type":"\u0065cho"}"#;
    client.send(wide).await;
    let narrow = json!({"type": "echo", "payload": {"text": "t", "number": 1}});
    assert_eq!(client.json().await, narrow);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_echo_says_what_is_wrong_and_ignores_what_is_not_for_it() {
    let gateway = TestGateway::serving(&["json-echo"]).await;
    let mut client = gateway.client("/json-echo").await;
    for wrong in [
        json!({"type": "echo"}),
        json!({"type": "echo", "payload": {"text": 1, "number": 1}}),
        json!({"type": "echo", "payload": {"text": "", "number": 1.5}}),
        json!({"type": "echo", "id": "7", "payload": {"text": "", "number": 1}}),
    ] {
        let answer = client.ask(wrong.clone()).await;
        assert_eq!(answer["type"], "error", "{wrong}");
        assert!(answer["problem"].as_str().is_some_and(|it| !it.is_empty()), "{wrong}");
    }
    for other in ["{}", r#"{"type":"Echo"}"#, r#"{"type":"echo""#, "echo"] {
        client.send(other).await;
    }
    client.send(vec![1]).await;
    client.settle().await;
    assert_eq!(gateway.counters().unmatched.get(), 5);
    assert_eq!(client.ask(json!({"type": "echo"})).await["type"], Value::from("error"));
}
