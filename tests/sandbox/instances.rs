//! How many instances there are, who meets which, and how long they live.

use serde_json::{Value, json};

use crate::support::{Client, TestGateway};

async fn running(run: &str) -> TestGateway {
    TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", &format!("[run]\n{run}\n"))
        .table("[[paths]]\npattern = \"/probe/open\"\nanonymous = true\n")
        .start()
        .await
}

async fn remember(client: &mut Client, key: &str, value: &Value) -> Value {
    client.ok(json!({"do": "remember", "key": key, "value": value})).await
}

async fn recall(client: &mut Client, key: &str) -> Value {
    client.ok(json!({"do": "recall", "key": key})).await
}

/// Each client leaves its mark in the instance it meets; those that find none are the first there.
async fn instances_met(clients: &mut [Client]) -> usize {
    let mut met = 0;
    for client in clients {
        met += usize::from(remember(client, "here", &json!(true)).await.is_null());
    }
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_is_the_default_and_its_memory_is_the_state_of_the_module() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut clients = Vec::new();
    for number in 0..8 {
        let user = format!("user{number}");
        clients.push(gateway.client_as(&user, &[], &format!("/probe/{number}")).await);
    }
    assert_eq!(instances_met(&mut clients).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_client_each_client_meets_its_own_instance_again() {
    let gateway = running("instances = 4\naffinity = \"client\"").await;
    let mut clients = Vec::new();
    for _ in 0..24 {
        clients.push(gateway.client("/probe").await);
    }
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            let key = number.to_string();
            let before = if round == 0 { Value::Null } else { json!(round - 1) };
            assert_eq!(remember(client, &key, &json!(round)).await, before);
        }
    }
    let met = instances_met(&mut clients).await;
    assert!((2..=4).contains(&met), "24 clients met {met} instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_user_all_clients_of_a_user_meet_the_same_instance() {
    let gateway = running("instances = 4\naffinity = \"user\"").await;
    let mut firsts = Vec::new();
    for number in 0..24 {
        let user = format!("user{number}");
        let mut first = gateway.client_as(&user, &[], "/probe/a").await;
        let mut second = gateway.client_as(&user, &["other"], "/probe/b").await;
        remember(&mut first, &user, &json!(number)).await;
        assert_eq!(recall(&mut second, &user).await, number);
        firsts.push(first);
    }
    let met = instances_met(&mut firsts).await;
    assert!((2..=4).contains(&met), "24 users met {met} instances");
    // Those without a name go each by itself.
    let mut nameless = Vec::new();
    for _ in 0..24 {
        let mut client = gateway.connect("/probe/open", None).await.unwrap();
        client.greeting().await;
        nameless.push(client);
    }
    for client in &mut nameless {
        remember(client, "nameless", &Value::Null).await;
    }
    let mut kept = 0;
    for (number, client) in nameless.iter_mut().enumerate() {
        let key = format!("nameless {number}");
        remember(client, &key, &json!(number)).await;
        assert_eq!(recall(client, &key).await, number);
        kept += usize::from(remember(client, "who", &json!(number)).await.is_null());
    }
    assert!((2..=4).contains(&kept), "24 anonymous clients met {kept} instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_path_all_clients_of_a_path_meet_the_same_instance() {
    let gateway = running("instances = 4\naffinity = \"path\"").await;
    let mut firsts = Vec::new();
    for number in 0..24 {
        let path = format!("/probe/rooms/{number}");
        let mut first = gateway.client_as("alice", &[], &path).await;
        let mut second = gateway.client_as("bob", &[], &path).await;
        remember(&mut first, &path, &json!(number)).await;
        assert_eq!(recall(&mut second, &path).await, number);
        firsts.push(first);
    }
    let met = instances_met(&mut firsts).await;
    assert!((2..=4).contains(&met), "24 paths met {met} instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_answers_while_one_is_busy() {
    let gateway = TestGateway::with()
        .module("sleeper", "sleeper")
        .sidecar(
            "sleeper",
            "[run]\ninstances = 8\naffinity = \"path\"\n[limits]\ntimeout = \"2s\"\n",
        )
        .start()
        .await;
    let mut sleeping = gateway.client("/sleeper/busy").await;
    sleeping.send(vec![1]).await;
    // One of 32 paths meets another instance, by all that is likely.
    for number in 0..32 {
        let mut client = gateway.client(&format!("/sleeper/{number}")).await;
        client.send("are you there?").await;
        let answer = tokio::select! {
            text = client.text() => Some(text),
            () = tokio::time::sleep(std::time::Duration::from_millis(200)) => None,
        };
        if answer.is_some() {
            assert_eq!(gateway.counters().calls_ended.get(), 0, "it came after the busy one");
            return;
        }
    }
    panic!("nobody answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_lives_for_one_call_remembers_nothing() {
    let gateway = running("lifetime = \"call\"").await;
    let mut client = gateway.client("/probe").await;
    for _ in 0..5 {
        assert_eq!(remember(&mut client, "k", &json!(1)).await, Value::Null);
        assert_eq!(recall(&mut client, "k").await, Value::Null);
        let of = json!([{"do": "remember", "key": "k", "value": 1}, {"do": "recall", "key": "k"}]);
        let in_one_call = client.ok(json!({"do": "seq", "of": of})).await;
        assert_eq!(in_one_call[1]["ok"], 1);
    }
    assert_eq!(gateway.counters().calls_ended.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_live_for_one_call_give_their_memory_back() {
    let gateway = TestGateway::with()
        .module("probe", "probe")
        .sidecar("probe", "[run]\nlifetime = \"call\"\n[limits]\ncpu = \"5s\"\n")
        .sandbox("memory = \"40MiB\"")
        .start()
        .await;
    let mut client = gateway.client("/probe").await;
    for _ in 0..10 {
        assert_eq!(client.ok(json!({"do": "grow", "count": 24})).await, 1);
    }
}
