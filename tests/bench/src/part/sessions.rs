//! What do sessions cost whose clients are away, and how fast do these come back?
//!
//! Invariant: memory is of a fresh process, and messages that clients come back to are compared.

mod away;
mod hold;

use anyhow::Result;
use serde_json::json;

use crate::bench::{Bench, Kind, say};
use crate::message::{self, ORDINARY};
use crate::race::{self, Entrant};
use crate::report::{Part, Table, cell};
use crate::sporegate::Gateway;
use crate::stats::Summary;

/// Without and with the store.
const GATEWAYS: [Gateway; 2] = [Gateway::Sessions, Gateway::StoredSessions];
const ROUNDS: usize = 3;

/// Name of a row with its unit, and its figure.
type Row = (String, f64);

/// One kind of measuring, in a process of its own; returns the same rows each time.
type Measure = fn(&Bench, &Entrant, Gateway) -> Result<Vec<Row>>;

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Sessions of clients who are away");
    let measures: [(&str, Measure); 3] = [
        ("Coming back, one client after the other", away::come_back),
        ("Server CPU per message that a client gets", away::keep),
        ("Sessions that are held", hold::run),
    ];
    for (title, measure) in measures {
        let mut samples: Vec<(Gateway, Row)> = Vec::new();
        for round in 0..bench.either(ROUNDS.min(bench.rounds), 1) {
            for gateway in GATEWAYS {
                // A server that is missing is noted once.
                let mut noted = Part::new("");
                let entrants = race::line_up(bench, &[Kind::Gateway(gateway)], "", &mut noted);
                noted.notes.retain(|note| !part.notes.contains(note));
                part.notes.append(&mut noted.notes);
                for entrant in entrants {
                    match measure(bench, &entrant, gateway) {
                        Ok(rows) => {
                            say(&format!("round {}, {}: {rows:.2?}", round + 1, gateway.name()));
                            part.raw.push(json!({
                                "server": gateway.name(), "round": round, "figures": rows,
                            }));
                            samples.extend(rows.into_iter().map(|row| (gateway, row)));
                        }
                        Err(error) => {
                            say(&format!("FAILED {title}, {}: {error:#}", gateway.name()));
                            let failed = format!("Failed: {title}, {}: {error:#}", gateway.name());
                            part.notes.push(failed);
                        }
                    }
                }
            }
        }
        part.tables.push(table(title, &samples));
    }
    part.notes.push(
        "Kept in memory is also what is on the disk. CPU has a resolution of a clock tick, and with \
         one client a call for each message, and one more client who sees it, are in it. A message \
         for many clients is there once for all of them, on the disk once for each; those of the \
         sessions that are held are each of their own. The kernel's memory for the files is not \
         counted."
            .to_owned(),
    );
    Ok(part)
}

/// The rows in the order in which they came first.
fn table(title: &str, samples: &[(Gateway, Row)]) -> Table {
    let mut names: Vec<&String> = Vec::new();
    for (_, (name, _)) in samples {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut table = Table::new(title, &["", "in memory", "on the disk"]);
    for name in names {
        let cells = GATEWAYS.map(|wanted| {
            let of = samples.iter().filter(|(gateway, (row, _))| *gateway == wanted && row == name);
            cell(Summary::of(of.map(|(_, (_, figure))| *figure)))
        });
        table.rows.push([name.clone()].into_iter().chain(cells).collect());
    }
    table
}

/// The ordinary message as a text.
fn text() -> String {
    message::json(ORDINARY)
}
