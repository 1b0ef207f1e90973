//! Answers every message with itself: text as text, binary as binary.

use sporegate_guest::{Listener, MessageEvent, MessageMatcher, Outcome, Result, export};

struct Echo;

impl Listener for Echo {
    fn start() -> Result<Self> {
        MessageMatcher::any().listen("echo")?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        event.reply(&event.message)?;
        Ok(Outcome::Stop)
    }
}

export!(Echo);
