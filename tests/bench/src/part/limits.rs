//! What does each limit of the gate cost, alone, those who keep to it?
//!
//! Invariant: a second server without limits runs beside the others; what does not leave the range
//! of its ratios is noise.

use anyhow::Result;

use super::{closed_echo, echo_cases};
use crate::bench::{Bench, Kind};
use crate::limit::{ALWAYS_ON, Limit, NONE, NONE_AGAIN, OF_CONNECTS, OF_MESSAGES};
use crate::meter::Meter;
use crate::race::{self, Case, Entrant, Results};
use crate::report::{Part, Table, cell};
use crate::sporegate::Gateway;
use crate::stats::Summary;
use crate::swarm::Swarm;

const BASE: Kind = Kind::Gateway(Gateway::With(&NONE));
const FLOOR: Kind = Kind::Gateway(Gateway::With(&NONE_AGAIN));
/// Connects of one round, and how many of them at a time.
const CONNECTS: usize = 10_000;
const AT_A_TIME: usize = 50;

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Each limit of the gate, alone");
    messages(bench, &mut part);
    connects(bench, &mut part);
    part.notes.push(format!("Cannot be off, and are on in all of these: {ALWAYS_ON}."));
    Ok(part)
}

fn messages(bench: &Bench, part: &mut Part) {
    let entrants = line_up(bench, &OF_MESSAGES, part);
    let mut cases = echo_cases();
    cases.retain(|case| case.clients == 64);
    let results = race::run(bench.rounds, &cases, &entrants, part, |entrant, case| {
        closed_echo(bench, entrant, case)
    });
    for (index, case) in cases.iter().enumerate() {
        part.tables.push(table(&results, index, &case.name, "message", &entrants));
    }
}

fn connects(bench: &Bench, part: &mut Part) {
    let entrants = line_up(bench, &OF_CONNECTS, part);
    let count = bench.either(CONNECTS, 200);
    let name = format!("{count} clients that connect and go, {AT_A_TIME} at a time");
    let cases = [Case { name, clients: count, in_flight: 0 }];
    let results = race::run(bench.rounds, &cases, &entrants, part, |entrant, case| {
        let server = &entrant.server;
        let connect = || Swarm::connect(server.address, &entrant.path, AT_A_TIME);
        drop(connect()?);
        server.settle()?;
        let mut meter = Meter::begin(server)?;
        for _ in 0..case.clients / AT_A_TIME {
            drop(connect()?);
            meter.delivered(AT_A_TIME);
        }
        // What is left of them is theirs, too.
        server.settle()?;
        meter.end()
    });
    for (index, case) in cases.iter().enumerate() {
        part.tables.push(table(&results, index, &case.name, "connection", &entrants));
    }
}

fn line_up(bench: &Bench, limits: &'static [Limit], part: &mut Part) -> Vec<Entrant> {
    let limits = limits.iter().map(|limit| Kind::Gateway(Gateway::With(limit)));
    let kinds: Vec<Kind> = [BASE, FLOOR].into_iter().chain(limits).collect();
    race::line_up(bench, &kinds, "echo", part)
}

fn table(results: &Results, case: usize, title: &str, per: &str, entrants: &[Entrant]) -> Table {
    let cpu = format!("CPU µs/{per}");
    let columns = ["On", cpu.as_str(), "times that of none", "outside the noise"];
    let mut table = Table::new(title, &columns);
    let floor = results.ratio(case, FLOOR, BASE);
    for &Entrant { kind, .. } in entrants {
        let ratio = results.ratio(case, kind, BASE);
        let outside = match (ratio, floor) {
            _ if kind == BASE || kind == FLOOR => "",
            (Some(ratio), Some(floor)) if is_outside(ratio, floor) => "yes",
            (Some(_), Some(_)) => "no",
            _ => "-",
        };
        table.rows.push(vec![
            kind.name().to_owned(),
            cell(results.of(case, kind, |figures| figures.cpu_us)),
            cell(ratio),
            outside.to_owned(),
        ]);
    }
    table
}

/// Whether the median of the ratios is none that the floor has had.
fn is_outside(ratio: Summary, floor: Summary) -> bool {
    ratio.median < floor.min || ratio.median > floor.max
}
