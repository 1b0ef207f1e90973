//! A counter of one language takes over from one of another: what they hand over is the same.

use sporegate::config::Conversation;
use sporegate::conversation::{Stage, play};

use super::components::{Component, components, conversations};
use super::served::Served;

/// A gateway where each swap brings the counter of another language.
struct Relay {
    served: Served,
    next: std::iter::Cycle<std::vec::IntoIter<Component>>,
}

impl Stage for Relay {
    type Stream = <Served as Stage>::Stream;

    async fn connect(
        &mut self,
        who: &sporegate::config::Newcomer,
    ) -> Result<tokio_tungstenite::WebSocketStream<Self::Stream>, String> {
        self.served.connect(who).await
    }

    async fn gone(&mut self, clients: u64) {
        self.served.gone(clients).await;
    }

    async fn swap(&mut self) -> Result<(), String> {
        let next = self.next.next().unwrap();
        let file = std::fs::read(&next.file).unwrap();
        self.served.put(file).await.map_err(|why| format!("{next}: {why}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_of_one_language_takes_over_from_one_of_another() {
    let mut counters = components();
    counters.retain(|component| component.name == "counter");
    // With fewer than two there is nothing to change between: the list of what was skipped says so.
    if counters.len() < 2 {
        return;
    }
    for file in conversations("counter") {
        let conversation = Conversation::load(&file).unwrap();
        for begin in 0..counters.len() {
            let mut order = counters.clone();
            order.rotate_left(begin);
            let served = Served::start(&order[0], &conversation).await.unwrap();
            order.rotate_left(1);
            let mut relay = Relay { served, next: order.clone().into_iter().cycle() };
            if let Err(failure) = play(&conversation, &mut relay, |_| {}).await {
                panic!("{order:?}: {failure}");
            }
        }
    }
}
