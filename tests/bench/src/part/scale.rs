//! Does a message cost more when more clients are connected?

use anyhow::Result;

use super::open_echo;
use crate::bench::{Bench, Kind};
use crate::load::{self, Pace};
use crate::message::ORDINARY;
use crate::race::{self, Case};
use crate::report::{Bound, Goal, Part};
use crate::sporegate::Gateway;

const WASM: Kind = Kind::Gateway(Gateway::Echo);
const FEW: usize = 1_000;
const MANY: usize = 20_000;
/// Files that a server has open besides its connections, with room to spare.
const OTHER_FILES: u64 = 200;
/// Messages per second: within the reach of every server here.
const RATE: f64 = 10_000.0;

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("The same message rate at more connections");
    let limit = usize::try_from(bench.open_files.saturating_sub(OTHER_FILES))?;
    let many = bench.either(MANY, 4_000).min(limit);
    if many < MANY {
        part.notes.push(format!(
            "{many} connections instead of {MANY}: {}.",
            bench.either("the limit of open files allows no more", "a quick run")
        ));
    }
    let entrants = race::line_up(bench, &[WASM, Kind::TungsteniteSmall], "echo", &mut part);
    let cases = [FEW, many].map(|clients| Case {
        name: format!("{clients} connections, {RATE} messages/s"),
        clients,
        in_flight: 0,
    });
    let rounds = bench.rounds.min(3);
    let results = race::run(rounds, &cases, &entrants, &mut part, |entrant, case| {
        let (mut swarm, frame) = open_echo(entrant, case.clients, ORDINARY)?;
        let server = &entrant.server;
        server.settle()?;
        let pace = Pace::Ticking;
        let figures = load::open_loop(server, &mut swarm, &frame, RATE, pace, bench.span)?;
        drop(swarm);
        server.settle()?;
        Ok(figures)
    });
    for (index, case) in cases.iter().enumerate() {
        part.tables.push(results.table(&case.name, index, &entrants, WASM));
    }
    part.goals.push(Goal::judge(
        &format!("cost growth from {FEW} to {many} connections, same message rate"),
        Bound::AtMost(1.3, "x"),
        results.paired((1, WASM), (0, WASM), |many, few| many.cpu_us / few.cpu_us),
    ));
    Ok(part)
}
