//! Reads a JSON message into a type, and writes it back as JSON.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sporegate_guest::{Listener, MessageEvent, MessageMatcher, Outcome, Result, export};

/// What is text here points into the message: nothing is copied that has no escapes.
#[derive(Deserialize, Serialize)]
struct Message<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    payload: Payload<'a>,
}

#[derive(Deserialize, Serialize)]
struct Payload<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    number: i64,
}

#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    problem: String,
}

struct JsonEcho;

impl Listener for JsonEcho {
    fn start() -> Result<Self> {
        MessageMatcher::any().json_equals("/type", "echo").listen("json-echo")?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        match event.json::<Message>() {
            Ok(message) => event.reply_json(&message)?,
            Err(error) => {
                event.reply_json(&Problem { r#type: "error", problem: error.to_string() })?;
            }
        }
        Ok(Outcome::Stop)
    }
}

export!(JsonEcho);
