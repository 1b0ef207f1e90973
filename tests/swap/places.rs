//! Modules of several instances: each key's state goes to the instance that will serve the key.

use super::*;

fn sidecar(run: &str) -> Vec<u8> {
    format!("[run]\n{run}\n").into_bytes()
}

#[tokio::test]
async fn each_client_finds_its_count_in_its_own_instance() {
    let gateway =
        setup().file("tally.toml", &sidecar("instances = 4\naffinity = \"client\"")).start().await;
    let mut clients = Vec::new();
    for _ in 0..24 {
        clients.push(gateway.client("/tally").await);
    }
    let mut counts = vec![0; clients.len()];
    for revision in ["first", "second", "third"] {
        if revision != "first" {
            assert_eq!(swap(&gateway, revision).await.state, State::Active);
        }
        for (client, count) in clients.iter_mut().zip(&mut counts) {
            *count += 1;
            let (who, yours, _) = say(client, "x").await;
            assert_eq!((who.as_str(), yours), (revision, *count));
        }
    }
}

#[tokio::test]
async fn a_change_of_places_is_refused_where_state_would_be_lost_and_says_so() {
    let gateway =
        setup().file("tally.toml", &sidecar("instances = 2\naffinity = \"user\"")).start().await;
    let mut client = gateway.client("/tally").await;
    say(&mut client, "x").await;
    for run in ["instances = 3\naffinity = \"user\"", "instances = 2\naffinity = \"path\""] {
        put(&gateway, "tally.toml", &sidecar(run));
        let reason = rejected(&looked(&gateway, "tally").await.unwrap());
        assert!(reason.contains("2 instances by user"), "{reason}");
        assert!(reason.contains("undo the change of [run]"), "{reason}");
    }
    assert_eq!(say(&mut client, "x").await.0, "first");
}

#[tokio::test]
async fn a_module_without_state_may_change_its_places() {
    let gateway = TestGateway::with().module("echo", "echo").start().await;
    let mut client = gateway.client("/echo").await;
    put(&gateway, "echo.toml", &sidecar("instances = 3"));
    let status = looked(&gateway, "echo").await.unwrap();
    assert_eq!((status.state, status.instances), (State::Active, 3));
    client.echo("still there").await;
    put(&gateway, "echo.toml", &sidecar("lifetime = \"call\""));
    assert_eq!(looked(&gateway, "echo").await.unwrap().state, State::Active);
    client.echo("and still").await;
}
