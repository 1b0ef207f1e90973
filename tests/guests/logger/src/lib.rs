//! Writes each text to the module's log. A binary message makes it panic, which is logged too.

use sporegate_guest::{
    Listener, MessageEvent, MessageMatcher, Outcome, Result, export, log, log_panics,
};

struct Logger;

impl Listener for Logger {
    fn start() -> Result<Self> {
        log_panics();
        MessageMatcher::any().listen("logger")?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let text = event.text();
        assert!(text.is_some(), "a binary message came from {}", event.client.connect_path);
        log(text.unwrap_or_default());
        event.reply(&"logged".into())?;
        Ok(Outcome::Stop)
    }
}

export!(Logger);
