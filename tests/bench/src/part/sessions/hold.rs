//! What sessions take while their clients are away.

use std::fs;
use std::thread::sleep;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Row, text};
use crate::bench::Bench;
use crate::frame::{Opcode, encode};
use crate::race::Entrant;
use crate::sporegate::{self, Gateway};
use crate::visitor::Visitors;

/// Does what it is told, to any client.
pub(super) const PROBE: &str = "/websocket/probe";
const MIB: f64 = 1024.0 * 1024.0;
/// The server has had this many before the first look at its memory.
const BEFORE: usize = 200;
const WAITING: usize = 10;

/// A client who has left without a close.
pub(super) struct Left {
    /// What it may come back with.
    pub(super) token: String,
    /// Messages that it has had.
    pub(super) received: usize,
    id: String,
}

/// Lets sessions be held, first without messages and then with some.
pub(super) fn run(bench: &Bench, entrant: &Entrant, gateway: Gateway) -> Result<Vec<Row>> {
    let count = bench.either(5_000, 500);
    let server = &entrant.server;
    let mut visitors = Visitors::of(server.address)?;
    let rest = || -> Result<f64> {
        server.settle()?;
        sleep(bench.rest());
        Ok(server.resident()? as f64 / MIB)
    };
    let on_disk = || -> Result<f64> {
        let folder = sporegate::store(&sporegate::home(bench, gateway));
        if !folder.exists() {
            return Ok(0.0);
        }
        let sizes = fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len() as f64));
        Ok(sizes.sum::<Result<f64>>()? / MIB)
    };
    let first = leave(&mut visitors, BEFORE)?;
    send(&mut visitors, &first, WAITING)?;
    let (before, disk_before) = (rest()?, on_disk()?);
    let away = leave(&mut visitors, count)?;
    let (silent, disk_silent) = (rest()? - before, on_disk()? - disk_before);
    send(&mut visitors, &away, WAITING)?;
    let (spoken, disk_spoken) = (rest()? - before, on_disk()? - disk_before);
    let sessions = count as f64;
    let row = |name: &str, figure: f64| (format!("{count} sessions, {name}"), figure);
    Ok(vec![
        row("no messages: sessions per MiB of memory", sessions / silent),
        row("no messages: KiB of memory each", silent * 1024.0 / sessions),
        row("no messages: more MiB on the disk", disk_silent),
        row("10 messages of 106 bytes each: sessions per MiB of memory", sessions / spoken),
        row("10 messages of 106 bytes each: KiB of memory each", spoken * 1024.0 / sessions),
        row("10 messages of 106 bytes each: more MiB on the disk", disk_spoken),
    ])
}

/// `count` clients come one after the other, ask who they are, and are gone.
pub(super) fn leave(visitors: &mut Visitors, count: usize) -> Result<Vec<Left>> {
    let question = encode(Opcode::Text, br#"{"do":"whoami"}"#);
    let one = |_| {
        let mut visitor = visitors.come(PROBE)?;
        let answer = visitors.ask(&mut visitor.client, &question)?;
        let id = answer.pointer("/ok/client/id").and_then(Value::as_str);
        let id = id.with_context(|| format!("no id in {answer}"))?.to_owned();
        Ok(Left { token: visitor.token, received: 1, id })
    };
    (0..count).map(one).collect()
}

/// Sends each of them as many messages, all of a client in one call.
pub(super) fn send(visitors: &mut Visitors, away: &[Left], messages: usize) -> Result<()> {
    let mut sender = visitors.come(PROBE)?;
    let text = text();
    for left in away {
        let one = json!({ "do": "send", "to": left.id, "text": text });
        let command = json!({ "do": "repeat", "count": messages, "of": [one] });
        let frame = encode(Opcode::Text, command.to_string().as_bytes());
        let answer = visitors.ask(&mut sender.client, &frame)?;
        let done = answer.pointer("/ok/ok").and_then(Value::as_u64);
        ensure!(done == Some(messages as u64), "not all messages were taken: {answer}");
    }
    crate::visitor::end(&mut sender.client)
}
