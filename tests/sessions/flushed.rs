//! What a call has flushed outlives the process before anything else of the call happens.

use serde_json::json;
use tempfile::TempDir;

use super::restart::{away_line, connect, serving};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_flushed_for_a_client_that_is_away_survives_a_kill_in_the_middle_of_the_call() {
    let folder = TempDir::new().unwrap();
    let before = serving(folder.path()).await;
    let mut absent = connect(&before, "/probe/room").await;
    let token = absent.json().await["payload"].as_str().unwrap().to_owned();
    let id = absent.id().await;
    absent.drop_connection();
    let mut other = connect(&before, "/probe/other").await;
    other.greeting().await;
    before.until_logged(&away_line(&id)).await;
    // The second one says that the first has been flushed, and the call never ends.
    let call = json!({"do": "seq", "of": [
        {"do": "send", "to": id, "text": "flushed"},
        {"do": "send", "text": "flushed, too"},
        {"do": "flush"},
        {"do": "send", "to": id, "text": "not flushed"},
        {"do": "spin"},
    ]});
    other.send_json(&call).await;
    assert_eq!(other.text().await, "flushed, too");
    before.signal("KILL");
    drop(before);

    let after = serving(folder.path()).await;
    let mut back = connect(&after, &format!("/probe/room?clientId={token}&received=1")).await;
    assert_eq!(back.json().await["resumed"], true);
    assert_eq!(back.text().await, "flushed");
    assert!(super::is_silent(&mut back).await);
}
