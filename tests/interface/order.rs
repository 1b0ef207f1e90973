//! Order under load: of one client's messages, of what one listener sends, and of what several
//! clients make it send.

use serde_json::{Value, json};

use super::{probing, receiver};
use crate::support::{Client, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_client_are_handled_in_order_each_once() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = gateway.client("/echo").await;
    for round in 0..5 {
        for number in 0..1_000 {
            client.feed(format!("{round}.{number}")).await;
        }
        client.flush().await;
        for number in 0..1_000 {
            assert_eq!(client.text().await, format!("{round}.{number}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_clients_send_one_comes_in_the_order_of_each() {
    let gateway = probing().await;
    let (mut bob, bob_id) = receiver(&gateway, "/probe/b").await;
    let senders = 8;
    let messages = 200;
    let mut tasks = Vec::new();
    for sender in 0..senders {
        let mut client = gateway.client(&format!("/probe/{sender}")).await;
        let to = bob_id.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..messages {
                let text = json!([sender, number]).to_string();
                let send = json!({"do": "send", "to": to, "text": text});
                let quietly = json!({"do": "seq", "of": [send, {"do": "mute"}]});
                client.feed(quietly.to_string()).await;
            }
            client.flush().await;
            client
        }));
    }
    let mut next = vec![0; senders];
    for _ in 0..senders * messages {
        let message = bob.json().await;
        let sender = usize::try_from(message[0].as_u64().unwrap()).unwrap();
        assert_eq!(message[1], next[sender], "of sender {sender}");
        next[sender] += 1;
    }
    assert_eq!(next, vec![messages; senders]);
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_sends_leaves_in_the_order_of_its_calls() {
    let gateway = probing().await;
    let mut receivers = Vec::new();
    for _ in 0..2 {
        receivers.push(gateway.client("/probe/hall").await);
    }
    let calls = 2_000;
    let senders = 4;
    let mut tasks = Vec::new();
    for sender in 0..senders {
        let mut client = gateway.client(&format!("/probe/{sender}")).await;
        tasks.push(tokio::spawn(async move {
            let number = json!({"do": "number", "path": "/probe/hall"});
            for _ in 0..calls / senders / 10 {
                for _ in 0..10 {
                    client.feed(number.to_string()).await;
                }
                client.flush().await;
                for _ in 0..10 {
                    assert_eq!(client.json().await["ok"], 2);
                }
            }
            client
        }));
    }
    for receiver in &mut receivers {
        for number in 1..=calls {
            assert_eq!(receiver.text().await, number.to_string());
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_listeners_see_each_message_before_the_next_one() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .module("second", "probe")
        .sidecar("second", "paths = [\"/second/*\", \"/probe/*\"]\n");
    let gateway = gateway.start().await;
    let mut first = gateway.client("/probe/first").await;
    let mut second = gateway.client("/second").await;
    for (client, name, priority) in [(&mut first, "above", 2), (&mut second, "below", 1)] {
        let matcher = json!({"content": [{"text-prefix": "#"}], "path": "/probe/first"});
        let add = json!({"do": "add-listener", "name": name, "priority": priority,
            "matcher": matcher, "outcome": if name == "above" { "proceed" } else { "stop" }});
        add_listener(client, add).await;
    }
    for number in 0..300 {
        first.feed(format!("#{number}")).await;
    }
    first.flush().await;
    for number in 0..300 {
        for name in ["above", "below"] {
            let expected = json!({"listener": name, "text": format!("#{number}")});
            assert_eq!(first.json().await, expected);
        }
    }
}

async fn add_listener(client: &mut Client, command: Value) {
    assert_eq!(client.ok(command).await, Value::Null);
}
