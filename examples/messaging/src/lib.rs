//! Publish and subscribe by topic, in the protocol of Mashroom's remote messaging.

mod protocol;
mod publication;
mod subscriptions;
mod topic;

use sporegate_guest::{
    DisconnectEvent, Listener, MessageEvent, MessageMatcher, Outcome, Result, export,
    listen_for_disconnects,
};

use protocol::{Answer, Command, Request};
use publication::Publication;
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
        let Some(text) = event.text() else { return Ok(Outcome::Proceed) };
        let Some(request) = Request::parse(text) else { return Ok(Outcome::Proceed) };
        let done = match request.command {
            Command::Subscribe => self.subscriptions.add(&event.client, &request.topic),
            Command::Unsubscribe => self.subscriptions.remove(&event.client.id, &request.topic),
            Command::Publish => self.publish(&request, text.len())?,
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
    /// Whether the message is on its way to everybody who subscribed; else it is to nobody.
    fn publish(&self, request: &Request<'_>, request_bytes: usize) -> Result<bool> {
        if !topic::is_topic(&request.topic) {
            return Ok(false);
        }
        let matching = self.subscriptions.matching(&request.topic);
        // That it succeeded takes fewer bytes to say than to ask for.
        let Some(publication) = Publication::new(request, matching, request_bytes) else {
            return Ok(false);
        };
        publication.send()?;
        Ok(true)
    }
}

export!(Messaging);
