//! Sends what it gets to everybody else on the same path, as it is.

use sporegate_guest::{Audience, Listener, MessageEvent, MessageMatcher, Outcome, Result, export};

struct FanOut;

impl Listener for FanOut {
    fn start() -> Result<Self> {
        MessageMatcher::any().json_equals("/type", "echo").listen("fanout")?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let client = event.client;
        Audience::path(client.connect_path).send(&event.message, &[client.id])?;
        Ok(Outcome::Stop)
    }
}

export!(FanOut);
