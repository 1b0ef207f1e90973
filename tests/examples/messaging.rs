//! `messaging`: the protocol of the original platform's remote messaging.

use serde_json::{Value, json};

use crate::support::{Client, PATIENCE, TestGateway, guest};

async fn messaging() -> TestGateway {
    messaging_with("").await
}

/// With these tables in the sidecar.
async fn messaging_with(tables: &str) -> TestGateway {
    let sidecar = include_str!("../../examples/messaging/messaging.toml");
    let module = guest("messaging");
    TestGateway::with()
        .file("messaging.wasm", &module)
        .sidecar("messaging", &format!("{sidecar}\n{tables}"))
        .table("[[paths]]\npattern = \"/messages/open\"\nanonymous = true\n")
        .start()
        .await
}

/// Sends a request and expects it to succeed.
async fn succeed(client: &mut Client, command: &str, topic: &str) {
    let id = format!("{command} {topic}");
    let answer = client.ask(json!({"messageId": id, "command": command, "topic": topic})).await;
    assert_eq!(answer, json!({"messageId": id, "success": true}));
}

/// Sends a request and expects it to fail, with this in the answer.
async fn fail(client: &mut Client, command: &str, topic: &str, words: &str) {
    let answer = client.ask(json!({"messageId": "X", "command": command, "topic": topic})).await;
    let message = format!("{words} topic {topic} failed");
    assert_eq!(answer, json!({"messageId": "X", "error": true, "message": message}));
}

/// Publishes, and reads the answer: for a publisher who has not subscribed to the topic.
async fn publish(client: &mut Client, topic: &str, message: &Value) {
    let request =
        json!({"messageId": "P", "command": "publish", "topic": topic, "message": message});
    assert_eq!(client.ask(request).await, json!({"messageId": "P", "success": true}));
}

fn remote(pattern: &str, topic: &str, message: &Value) -> Value {
    json!({"remoteMessage": true, "subscriptionPattern": pattern, "topic": topic, "message": message})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_publishes_another_who_subscribed_gets_once() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    let mut carol = gateway.client_as("carol", &[], "/messages/elsewhere").await;
    succeed(&mut bob, "subscribe", "news/tea").await;
    succeed(&mut bob, "subscribe", "news/tea").await;
    succeed(&mut carol, "subscribe", "news/tea").await;
    for message in [json!({"a": [1, null, "x"]}), json!("text"), json!(null), json!(0)] {
        publish(&mut alice, "news/tea", &message).await;
        for client in [&mut bob, &mut carol] {
            assert_eq!(client.json().await, remote("news/tea", "news/tea", &message));
        }
    }
    publish(&mut alice, "news/coffee", &json!(1)).await;
    for client in [&mut alice, &mut bob, &mut carol] {
        client.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_to_an_own_subscription_gets_it_too() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    succeed(&mut alice, "subscribe", "a").await;
    alice
        .send_json(&json!({"messageId": 1, "command": "publish", "topic": "a", "message": 2}))
        .await;
    assert_eq!(alice.json().await, remote("a", "a", &json!(2)));
    assert_eq!(alice.json().await, json!({"messageId": 1, "success": true}));
    alice.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_match_levels_and_each_matching_pattern_is_told() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    for pattern in ["a/+", "a/#", "a/b/c", "a/+/c"] {
        succeed(&mut bob, "subscribe", pattern).await;
    }
    for (topic, patterns) in [
        ("a", vec!["a/#"]),
        ("a/b", vec!["a/#", "a/+"]),
        ("a/b/c", vec!["a/#", "a/+/c", "a/b/c"]),
        ("a/x/c", vec!["a/#", "a/+/c"]),
        ("a/b/d", vec!["a/#"]),
        ("ab", vec![]),
        ("b/a", vec![]),
    ] {
        publish(&mut alice, topic, &json!(topic)).await;
        let mut told = Vec::new();
        for _ in &patterns {
            let message = bob.json().await;
            assert_eq!((&message["topic"], &message["message"]), (&json!(topic), &json!(topic)));
            told.push(message["subscriptionPattern"].as_str().unwrap().to_owned());
        }
        told.sort();
        assert_eq!(told, patterns, "{topic}");
        bob.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_unsubscribing_nothing_comes_any_more() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    succeed(&mut bob, "subscribe", "a/#").await;
    succeed(&mut bob, "subscribe", "a/b").await;
    succeed(&mut bob, "unsubscribe", "a/#").await;
    publish(&mut alice, "a/b", &json!(1)).await;
    assert_eq!(bob.json().await, remote("a/b", "a/b", &json!(1)));
    succeed(&mut bob, "unsubscribe", "a/b").await;
    fail(&mut bob, "unsubscribe", "a/b", "Unsubscribing from").await;
    fail(&mut alice, "unsubscribe", "a/b", "Unsubscribing from").await;
    publish(&mut alice, "a/b", &json!(2)).await;
    bob.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_gone_is_no_obstacle_to_the_others() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    let mut carol = gateway.client_as("carol", &[], "/messages").await;
    for client in [&mut bob, &mut carol] {
        succeed(client, "subscribe", "a").await;
    }
    carol.drop_connection();
    for number in 0..20 {
        publish(&mut alice, "a", &json!(number)).await;
        assert_eq!(bob.json().await, remote("a", "a", &json!(number)));
    }
    assert_eq!(gateway.counters().calls_refused.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_topics_and_patterns_get_the_error_of_their_command() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let long = "x".repeat(513);
    for pattern in ["", "/a", "a/", "#", "+", "+/a", "a/#/b", "a/b+", "1/2/3/4/5/6/7/8/9", &long] {
        fail(&mut alice, "subscribe", pattern, "Subscribing to").await;
    }
    for topic in ["", "/a", "a/", "a/+", "a/#", "1/2/3/4/5/6/7/8/9", &long] {
        fail(&mut alice, "publish", topic, "Publishing message to").await;
    }
    // They are answers to requests: the connection goes on.
    succeed(&mut alice, "subscribe", "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_passed_over() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    for text in [
        "",
        "keepalive",
        "{}",
        r#"{"command":"subscribe","topic":"a"}"#,
        r#"{"messageId":"1","command":"dance"}"#,
    ] {
        alice.send(text).await;
    }
    alice.send(vec![123]).await;
    alice.settle().await;
    assert_eq!(gateway.counters().calls_refused.get() + gateway.counters().calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_topics_are_read_by_their_user_only_and_written_by_all() {
    let gateway = messaging().await;
    let mut kim = gateway.client_as("kim", &[], "/messages").await;
    let mut second_kim = gateway.client_as("kim", &[], "/messages").await;
    let mut lee = gateway.client_as("lee", &["Admin"], "/messages").await;
    let mut nobody = gateway.connect("/messages/open", None).await.unwrap();
    nobody.greeting().await;
    for own in ["user/kim/inbox", "user/kim/#"] {
        succeed(&mut kim, "subscribe", own).await;
        for other in [&mut lee, &mut nobody] {
            fail(other, "subscribe", own, "Subscribing to").await;
        }
    }
    for sly in ["user/#", "user/+/inbox", "user/+", "user/kimono/inbox"] {
        fail(&mut kim, "subscribe", sly, "Subscribing to").await;
    }
    succeed(&mut second_kim, "subscribe", "user/kim/inbox").await;
    publish(&mut lee, "user/kim/inbox", &json!("psst")).await;
    let mut told = [kim.json().await, kim.json().await].map(|it| it["subscriptionPattern"].clone());
    told.sort_by_key(Value::to_string);
    assert_eq!(told, ["user/kim/#", "user/kim/inbox"]);
    assert_eq!(second_kim.json().await, remote("user/kim/inbox", "user/kim/inbox", &json!("psst")));
    for client in [&mut kim, &mut second_kim, &mut lee, &mut nobody] {
        client.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_publishers_lose_and_double_nothing() {
    let gateway = messaging().await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    succeed(&mut bob, "subscribe", "load/#").await;
    let mut tasks = Vec::new();
    for publisher in 0..4 {
        let mut client = gateway.client("/messages").await;
        tasks.push(tokio::spawn(async move {
            let topic = format!("load/{publisher}");
            for number in 0..200 {
                publish(&mut client, &topic, &json!(number)).await;
            }
        }));
    }
    let mut next = [0; 4];
    for _ in 0..800 {
        let message = bob.json().await;
        let publisher: usize = message["topic"].as_str().unwrap()[5..].parse().unwrap();
        assert_eq!(message["message"], next[publisher]);
        next[publisher] += 1;
    }
    for task in tasks {
        task.await.unwrap();
    }
    bob.settle().await;
}

/// Subscribes to 256 patterns of 64 bytes and the most levels; returns how many it could.
async fn hog(client: &mut Client, number: usize) -> usize {
    for at in 0..256 {
        let pattern = format!("{number:04}/{at:04}/a/b/c/d/e/{:x<44}", "");
        assert_eq!(pattern.len(), 64);
        let request = json!({"messageId": 1, "command": "subscribe", "topic": pattern});
        client.feed(request.to_string()).await;
    }
    client.flush().await;
    let mut done = 0;
    for _ in 0..256 {
        done += usize::from(client.json().await["success"] == json!(true));
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_clients_can_end_the_instance_and_with_it_the_subscriptions_of_others() {
    // Less than an instance has by default, so that there is something to spare.
    let gateway = messaging_with("[limits]\nmemory = \"40MiB\"\n").await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    succeed(&mut bob, "subscribe", "news/#").await;
    let mut hogs = Vec::new();
    // Had the instance been lost, there would be room again and again.
    while hogs.len() < 300 {
        let mut client = gateway.client_as("mallory", &[], "/messages").await;
        let done = hog(&mut client, hogs.len()).await;
        if done == 256 && hogs.is_empty() {
            fail(&mut client, "subscribe", "one/more", "Subscribing to").await;
        }
        hogs.push(client);
        if done == 0 {
            break;
        }
    }
    assert!((150..300).contains(&hogs.len()), "{}", hogs.len());
    fail(&mut alice, "subscribe", "tea", "Subscribing to").await;
    publish(&mut alice, "news/tea", &json!(1)).await;
    assert_eq!(bob.json().await, remote("news/#", "news/tea", &json!(1)));

    // Their room is there for others when they have gone; the listener is told of that later.
    hogs.remove(0).close().await;
    let request = json!({"messageId": 2, "command": "subscribe", "topic": "tea"});
    let asking = async { while alice.ask(request.clone()).await["success"] != json!(true) {} };
    tokio::time::timeout(PATIENCE, asking).await.expect("the room was not given back");
    let counters = gateway.counters();
    assert_eq!((counters.calls_ended.get(), counters.calls_refused.get()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_more_than_a_call_may_send_reaches_nobody_and_the_publisher_is_told() {
    let gateway = messaging().await;
    let mut alice = gateway.client_as("alice", &[], "/messages").await;
    let mut bob = gateway.client_as("bob", &[], "/messages").await;
    let topic = "a/b/c/d/e/f/g/h";
    // All patterns of so many levels that match: 128 of them.
    for wild in 0..1_u8 << 7 {
        let levels = topic.split('/').enumerate();
        let level = |(at, name)| if at > 0 && wild >> (at - 1) & 1 == 1 { "+" } else { name };
        let pattern: Vec<&str> = levels.map(level).collect();
        succeed(&mut bob, "subscribe", &pattern.join("/")).await;
    }
    let large = json!("x".repeat(40_000));
    let request = json!({"messageId": "X", "command": "publish", "topic": topic, "message": large});
    let message = format!("Publishing message to topic {topic} failed");
    let expected = json!({"messageId": "X", "error": true, "message": message});
    assert_eq!(alice.ask(request).await, expected);
    bob.settle().await;
    publish(&mut alice, topic, &json!("small")).await;
    for _ in 0..128 {
        assert_eq!(bob.json().await["message"], "small");
    }
    bob.settle().await;
    assert_eq!(gateway.counters().calls_refused.get(), 0);
}
