//! The straight line: a client, a listener, and back.

use serde_json::json;

use crate::support::TestGateway;

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_listener_answers_text_as_text_and_binary_as_binary() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut client = gateway.client("/echo").await;
    client.echo("hello").await;
    client.echo("snowman \u{2603}, and a NUL \0").await;
    client.send(vec![0_u8, 159, 146, 150]).await;
    assert_eq!(client.message().await.into_data().as_ref(), [0, 159, 146, 150]);
    client.close().await;
    assert!(gateway.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_no_listener_wants_is_counted_and_the_client_stays() {
    let gateway = TestGateway::serving(&["echo"]).await;
    let mut other = gateway.client("/elsewhere").await;
    other.send_json(&json!({"lost": true})).await;
    let mut client = gateway.client("/echo").await;
    client.echo("still here").await;
    other.send("again").await;
    other.close().await;
    while gateway.counters().unmatched.get() < 2 {
        tokio::task::yield_now().await;
    }
}
