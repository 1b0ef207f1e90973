//! Chat rooms: everybody who is connected to `/chat/{room}` is in that room.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sporegate_guest::{
    Audience, Client, DisconnectEvent, Listener, MessageEvent, MessageMatcher, Outcome, Result,
    clients_on_path, export, listen_for_disconnects,
};

const ROOMS: &str = "/chat/{room}";

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request<'a> {
    /// Tells the others that one is there.
    Join,
    Say {
        #[serde(borrow)]
        text: Cow<'a, str>,
    },
    /// Asks who is in the room.
    Who,
    Leave,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Notice<'a> {
    Joined { who: &'a str, room: &'a str },
    Said { who: &'a str, text: &'a str },
    Present { who: Vec<String> },
    Left { who: &'a str },
    Error { problem: &'a str },
}

struct Chat;

impl Listener for Chat {
    fn start() -> Result<Self> {
        MessageMatcher::path(ROOMS).listen("chat")?;
        listen_for_disconnects("farewell", Some(ROOMS))?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let who = name(&event.client);
        let everybody = Audience::path(&event.client.connect_path);
        match event.json::<Request>() {
            Ok(Request::Join) => {
                let room = event.path_param("room").unwrap_or_default();
                everybody.send_json(&Notice::Joined { who, room }, &[])?;
            }
            Ok(Request::Say { text }) => {
                everybody.send_json(&Notice::Said { who, text: &text }, &[])?;
            }
            Ok(Request::Who) => {
                let present = clients_on_path(&event.client.connect_path);
                let who = present.map(|client| Ok(name(&client?).to_owned()));
                event.reply_json(&Notice::Present { who: who.collect::<Result<_>>()? })?;
            }
            Ok(Request::Leave) => event.client.close(1000, "see you")?,
            Err(error) => event.reply_json(&Notice::Error { problem: &error.to_string() })?,
        }
        Ok(Outcome::Stop)
    }

    fn on_disconnect(&mut self, event: DisconnectEvent) -> Result<()> {
        let notice = Notice::Left { who: name(&event.client) };
        Audience::path(&event.client.connect_path).send_json(&notice, &[])?;
        Ok(())
    }
}

fn name(client: &Client) -> &str {
    client.username.as_deref().unwrap_or("somebody")
}

export!(Chat);
