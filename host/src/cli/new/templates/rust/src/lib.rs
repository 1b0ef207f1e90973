//! Everybody who is connected to a path hears what is said there.

use serde::{Deserialize, Serialize};
use sporegate_guest::{
    Audience, Listener, MessageEvent, MessageMatcher, Outcome, Result, export, log_panics,
};

#[derive(Deserialize)]
struct Say {
    text: String,
}

#[derive(Serialize)]
struct Said<'a> {
    r#type: &'a str,
    who: &'a str,
    text: &'a str,
}

struct Room;

impl Listener for Room {
    fn start() -> Result<Self> {
        // What a panic says, and where, is in the log.
        log_panics();
        // Evaluated by the gateway: other messages never enter this module.
        MessageMatcher::any().json_equals("/type", "say").listen("say")?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let say: Say = event.json()?;
        let who = event.client.username.as_deref().unwrap_or("somebody");
        let said = Said { r#type: "said", who, text: &say.text };
        Audience::path(&event.client.connect_path).send_json(&said, &[])?;
        Ok(Outcome::Stop)
    }
}

export!(Room);
