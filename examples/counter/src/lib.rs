//! Counts what clients say, and hands its counts over to the next revision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sporegate_guest::{
    DisconnectEvent, Listener, MessageEvent, MessageMatcher, Outcome, Result, Snapshot,
    StatefulListener, export, listen_for_disconnects,
};

const SCHEMA: u32 = 1;
const MEDIA_TYPE: &str = "application/json";

/// What is handed over, as it is.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Counter {
    total: u64,
    /// By the id of the client.
    clients: BTreeMap<String, u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Counted { yours: u64, total: u64 },
    Told { total: u64, clients: usize },
    Unknown { error: &'static str },
}

impl Listener for Counter {
    fn start() -> Result<Self> {
        MessageMatcher::any().listen("count")?;
        listen_for_disconnects("forget", None)?;
        Ok(Self::default())
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let answer = match event.text() {
            Some("count") => {
                self.total += 1;
                let yours = self.clients.entry(event.client.id.clone()).or_default();
                *yours += 1;
                Answer::Counted { yours: *yours, total: self.total }
            }
            Some("total") => Answer::Told { total: self.total, clients: self.clients.len() },
            Some(_) | None => Answer::Unknown { error: "say count or total" },
        };
        event.reply_json(&answer)?;
        Ok(Outcome::Stop)
    }

    fn on_disconnect(&mut self, event: DisconnectEvent) -> Result<()> {
        self.clients.remove(&event.client.id);
        Ok(())
    }
}

impl StatefulListener for Counter {
    fn export_state(&self) -> Result<Snapshot> {
        let data = serde_json::to_vec(self)?;
        Ok(Snapshot { schema: SCHEMA, media_type: MEDIA_TYPE.to_owned(), data })
    }

    fn import_state(&mut self, state: Snapshot) -> Result<()> {
        if state.schema != SCHEMA {
            return Err(format!("schema {} is not {SCHEMA}", state.schema).into());
        }
        *self = serde_json::from_slice(&state.data)
            .map_err(|error| format!("the state is not that of a counter: {error}"))?;
        Ok(())
    }
}

export!(Counter, stateful);
