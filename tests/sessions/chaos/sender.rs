//! Who sends to one client all the time, and remembers what was accepted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;

use super::client::{Socket, dial, next_json};
use super::world::World;

/// Sends to the client of this number until there is to be silence.
pub(super) async fn run(world: Arc<World>, index: usize) {
    while !*world.silence.borrow() {
        let (address, _) = world.gateway().await;
        if let Some((_line, mut socket)) = dial(address, "sender", "/probe/sender").await {
            // With the connection, it ends.
            send_all(&world, index, &mut socket).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn send_all(world: &World, index: usize, socket: &mut Socket) -> Option<()> {
    next_json(socket).await?;
    socket.send(json!({"do": "whoami"}).to_string().into()).await.ok()?;
    let id = next_json(socket).await?["ok"]["client"]["id"].as_str().unwrap().to_owned();
    world.record().ids.insert(id);
    while !*world.silence.borrow() {
        tokio::time::sleep(Duration::from_millis(3)).await;
        let Some((to, text, key)) = world.mail(index).next() else { continue };
        let call = json!({"do": "send", "to": to, "text": text}).to_string();
        socket.send(call.into()).await.ok()?;
        let answer = next_json(socket).await?;
        assert_eq!(answer["re"], "send", "{answer}");
        world.mail(index).answered(key, answer["error"].is_null());
    }
    Some(())
}
