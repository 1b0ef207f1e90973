//! An echo goes on: also when the runtime of its language has had to collect its garbage many times.

use std::fmt::Write as _;

use super::components::{Component, components};
use crate::support::TestGateway;

/// With an instance of 64 MiB at most, far more than is there at a time.
const MESSAGES: usize = 6_000;
const MOST_BYTES: usize = 32 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_of_each_language_outlives_its_garbage() {
    let mut failures = String::new();
    for component in components().iter().filter(|component| component.name == "echo") {
        if let Err(failure) = endure(component).await {
            // Writing to a string cannot fail.
            let _ = writeln!(failures, "{component}: {failure}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

async fn endure(component: &Component) -> Result<(), String> {
    let file = std::fs::read(&component.file).unwrap();
    let gateway = TestGateway::with().file("echo.wasm", &file).start().await;
    if let [refused, ..] = gateway.gateway().refused() {
        return Err(refused.to_string());
    }
    let mut client = gateway.client("/echo").await;
    for number in 0..MESSAGES {
        let text = number.to_string() + &"é".repeat(number * 7_919 % (MOST_BYTES / 2));
        client.send(text.as_str()).await;
        // A call that fails has no answer: without this the client waits for it in vain.
        let answer = tokio::select! {
            answer = client.text() => answer,
            () = ended(&gateway) => return Err(format!("an instance ended at message {number}")),
        };
        if answer != text {
            return Err(format!("message {number} came back as another one"));
        }
    }
    client.close().await;
    assert!(gateway.stop().await);
    Ok(())
}

/// An instance was ended by a call.
async fn ended(gateway: &TestGateway) {
    while gateway.counters().calls_ended.get() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
