//! Counts what each client says, and hands the counts over to the next revision. A test makes a
//! revision of its own by patching `MANNER` in the file.

use std::collections::BTreeMap;
use std::hint::black_box;

use serde::{Deserialize, Serialize};
use sporegate_guest::{
    DisconnectEvent, Listener, MessageEvent, MessageMatcher, Outcome, Result, Snapshot,
    StatefulListener, clients, export, listen_for_disconnects,
};

/// How this revision behaves: `manner:` and a word, padded with dots. `name-7` is a good one of
/// that name.
static MANNER: [u8; 40] = *b"manner:first............................";

const SCHEMA: u32 = 1;

#[derive(Default, Deserialize, Serialize)]
struct Tally {
    total: u64,
    clients: BTreeMap<String, u64>,
    /// State in bulk, which goes over as it is.
    #[serde(skip)]
    filling: Vec<u8>,
}

#[derive(Serialize)]
struct Answer<'a> {
    said: &'a str,
    yours: u64,
    total: u64,
    by: &'a str,
    known: usize,
}

impl Listener for Tally {
    fn start() -> Result<Self> {
        match manner() {
            "start-fails" => return Err("told to fail at the start".into()),
            "start-traps" => trap(),
            "start-loops" => spin(),
            _ => {}
        }
        MessageMatcher::any().listen("tally")?;
        listen_for_disconnects("gone", None)?;
        let is_large = manner() == "large-state" || is_echo();
        let filling = if is_large { vec![b'x'; 1 << 20] } else { Vec::new() };
        Ok(Self { filling, ..Self::default() })
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        match manner() {
            "traps" => trap(),
            "flushes-and-traps" => {
                event.reply_json("flushed")?;
                clients::flush()?;
                trap();
            }
            "traps-on-demand" if event.text() == Some("trap") => trap(),
            "traps-later" if self.total >= 5 => trap(),
            _ => {}
        }
        self.total += 1;
        let yours = self.clients.entry(event.client.id.clone()).or_default();
        *yours += 1;
        if is_echo() {
            event.reply(&event.message)?;
            return Ok(Outcome::Stop);
        }
        let answer = Answer {
            said: event.text().unwrap_or_default(),
            yours: *yours,
            total: self.total,
            by: manner(),
            known: self.clients.len(),
        };
        event.reply_json(&answer)?;
        Ok(Outcome::Stop)
    }

    fn on_disconnect(&mut self, event: DisconnectEvent) -> Result<()> {
        if manner() == "traps-when-gone" {
            trap();
        }
        self.clients.remove(&event.client.id);
        Ok(())
    }
}

impl StatefulListener for Tally {
    fn export_state(&self) -> Result<Snapshot> {
        match manner() {
            "export-fails" => return Err("told not to export".into()),
            "export-traps" => trap(),
            "export-loops" => spin(),
            _ => {}
        }
        // A line of JSON, and then the rest.
        let line = serde_json::to_vec(self)?;
        let data = [&line[..], b"\n", &self.filling].concat();
        Ok(Snapshot { schema: SCHEMA, media_type: "application/x-tally".to_owned(), data })
    }

    fn import_state(&mut self, state: Snapshot) -> Result<()> {
        match manner() {
            "import-fails" => return Err("told not to import".into()),
            "import-traps" => trap(),
            "import-loops" => spin(),
            _ => {}
        }
        if state.schema != SCHEMA {
            return Err("a schema of another time".into());
        }
        let mut line = state.data;
        let end = line.iter().position(|byte| *byte == b'\n').ok_or("no line")?;
        let filling = line.split_off(end + 1);
        *self = serde_json::from_slice(&line)?;
        self.filling = filling;
        Ok(())
    }
}

export!(Tally, stateful);

fn manner() -> &'static str {
    let manner = std::str::from_utf8(black_box(&MANNER)).unwrap_or_default();
    manner.trim_start_matches("manner:").trim_end_matches('.')
}

/// One that answers with what it was told, whatever it counts, for who compares answers.
fn is_echo() -> bool {
    manner().starts_with("echo")
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

#[expect(clippy::panic, reason = "it is what it is for")]
fn trap() -> ! {
    panic!("told to trap")
}
