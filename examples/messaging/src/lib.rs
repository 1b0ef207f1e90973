//! Publish and subscribe by topic, in the protocol that Mashroom's browser client speaks.

mod protocol;
mod subscriptions;
mod topic;

use sporegate_guest::{
    Audience, DisconnectEvent, Listener, MessageEvent, MessageMatcher, Outcome, Result, export,
    listen_for_disconnects,
};

use protocol::{Answer, Command, Delivery, Request};
use subscriptions::Subscriptions;

const PATH: &str = "/messages/*";

#[derive(Default)]
struct Messaging {
    subscriptions: Subscriptions,
}

impl Listener for Messaging {
    fn start() -> Result<Self> {
        MessageMatcher::path(PATH).listen("messaging")?;
        listen_for_disconnects("gone", Some(PATH))?;
        Ok(Self::default())
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let Some(request) = event.text().and_then(Request::parse) else {
            return Ok(Outcome::Proceed);
        };
        let done = match request.command {
            Command::Subscribe => self.subscriptions.add(&event.client, &request.topic),
            Command::Unsubscribe => self.subscriptions.remove(&event.client.id, &request.topic),
            Command::Publish => self.publish(&request),
        };
        event.reply_json(&Answer::new(&request, done))?;
        Ok(Outcome::Stop)
    }

    fn on_disconnect(&mut self, event: DisconnectEvent) -> Result<()> {
        self.subscriptions.forget(&event.client.id);
        Ok(())
    }
}

impl Messaging {
    /// Whether the message is on its way to everybody who subscribed.
    fn publish(&self, request: &Request) -> bool {
        if !topic::is_topic(&request.topic) {
            return false;
        }
        let matching = self.subscriptions.matching(&request.topic);
        matching.into_iter().all(|(pattern, subscribers)| {
            let delivery = Delivery::new(request, &pattern);
            Audience::Ids(subscribers).send_json(&delivery, &[]).is_ok()
        })
    }
}

export!(Messaging);
