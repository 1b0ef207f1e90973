//! How much memory does a connection hold that does nothing?
//!
//! Invariant: every figure is of a fresh process, as memory once used is rarely given back.

use std::thread::sleep;

use anyhow::Result;
use serde_json::json;

use super::open_echo;
use crate::bench::{Bench, Kind, say};
use crate::message::ORDINARY;
use crate::race::{self, Entrant};
use crate::report::{Bound, Goal, Part, Table, cell};
use crate::sporegate::Gateway;
use crate::stats::Summary;

const WASM: Kind = Kind::Gateway(Gateway::Echo);
const MANY_MODULES: Kind = Kind::Gateway(Gateway::EchoOfMany);
const KINDS: [Kind; 7] = [
    WASM,
    MANY_MODULES,
    Kind::Tungstenite,
    Kind::TungsteniteSmall,
    Kind::Node,
    Kind::Bun,
    Kind::Uws,
];
const CONNECTIONS: usize = 5_000;
/// The server has served this many before the first look at its memory.
const BEFORE: usize = 10;
const ROUNDS: usize = 3;

/// KiB per connection.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct Idle {
    silent: f64,
    spoken: f64,
}

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let connections = bench.either(CONNECTIONS, 1_000);
    let mut part =
        Part::new(&format!("Resident memory per idle connection ({connections} connections)"));
    let mut samples: Vec<(Kind, Idle)> = Vec::new();
    for round in 0..bench.either(ROUNDS.min(bench.rounds), 1) {
        for kind in KINDS {
            // A server that is missing is noted once.
            let mut ignored = Part::new("");
            let notes = if round == 0 { &mut part } else { &mut ignored };
            for entrant in race::line_up(bench, &[kind], "echo", notes) {
                match measure(bench, &entrant, connections) {
                    Ok(idle) => {
                        say(&format!("{}: {idle:.2?} KiB", kind.name()));
                        part.raw
                            .push(json!({ "server": kind.name(), "round": round, "kib": idle }));
                        samples.push((kind, idle));
                    }
                    Err(error) => {
                        say(&format!("FAILED {}: {error:#}", kind.name()));
                        part.notes.push(format!("Failed: {}: {error:#}", kind.name()));
                    }
                }
            }
        }
    }
    let of = |wanted: Kind, get: fn(&Idle) -> f64| {
        let samples = samples.iter().filter(|(kind, _)| *kind == wanted);
        Summary::of(samples.map(|(_, idle)| get(idle)))
    };
    let columns = ["Server", "KiB, never spoke", "KiB, had one message echoed"];
    let mut table = Table::new("", &columns);
    for kind in KINDS {
        let name = kind.name().to_owned();
        table.rows.push(vec![name, cell(of(kind, |i| i.silent)), cell(of(kind, |i| i.spoken))]);
    }
    part.tables.push(table);
    let growth = of(MANY_MODULES, |i| i.spoken).zip(of(WASM, |i| i.spoken));
    part.goals.extend([
        Goal::judge(
            "idle connection, never spoke",
            Bound::AtMost(5.0, " KiB"),
            of(WASM, |i| i.silent),
        ),
        Goal::judge(
            "idle connection that spoke",
            Bound::AtMost(5.0, " KiB"),
            of(WASM, |i| i.spoken),
        ),
        Goal::judge(
            "idle connection, more with 16 modules than with one",
            Bound::AtMost(0.25, " KiB"),
            growth.and_then(|(many, one)| Summary::of([many.median - one.median])),
        ),
    ]);
    part.notes.push("The kernel's own memory of a socket is not counted.".to_owned());
    Ok(part)
}

fn measure(bench: &Bench, entrant: &Entrant, count: usize) -> Result<Idle> {
    let server = &entrant.server;
    // Kept open: what serves the first connections is not memory of the later ones.
    let (_first, _) = open_echo(entrant, BEFORE, ORDINARY)?;
    let rest = || -> Result<f64> {
        server.settle()?;
        sleep(bench.rest());
        Ok(server.resident()? as f64 / 1024.0)
    };
    let before = rest()?;
    let (mut swarm, frame) = open_echo(entrant, count, ORDINARY)?;
    let silent = rest()?;
    swarm.echo_once(&frame)?;
    let spoken = rest()?;
    let count = count as f64;
    Ok(Idle { silent: (silent - before) / count, spoken: (spoken - before) / count })
}
