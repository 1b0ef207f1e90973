//! What does it cost to deliver one message to a thousand clients?

use anyhow::Result;

use super::FIRST_ANSWER;
use crate::bench::{Bench, Kind};
use crate::load;
use crate::message::{self, MARK, ORDINARY};
use crate::race::{self, Case};
use crate::report::{Bound, Goal, Part};
use crate::sporegate::Gateway;
use crate::swarm::{Probe, Swarm};

const WASM: Kind = Kind::Gateway(Gateway::FanOut);
const RECEIVERS: usize = 1_000;

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Fan-out to 1,000 receivers (figures per delivered message)");
    let entrants = race::line_up(bench, &[Kind::Node, WASM, Kind::Uws], "fanout", &mut part);
    let cases = [1, 4].map(|in_flight| Case {
        name: format!("{in_flight} in flight"),
        clients: RECEIVERS + 1,
        in_flight,
    });
    let results = race::run(bench.rounds, &cases, &entrants, &mut part, |entrant, case| {
        let server = &entrant.server;
        let frame = message::frame(ORDINARY);
        let mut swarm = Swarm::connect(server.address, &entrant.path, case.clients)?;
        let to = case.clients - 1;
        swarm.probe(&Probe { from: 0, to, frame: &frame, mark: MARK, wait: FIRST_ANSWER })?;
        // The rest of the first delivery is not to be taken for answers.
        swarm.forget()?;
        let figures = load::fan_out(server, &mut swarm, &frame, case.in_flight, bench.span)?;
        drop(swarm);
        server.settle()?;
        Ok(figures)
    });
    for (index, case) in cases.iter().enumerate() {
        part.tables.push(results.table(&case.name, index, &entrants, Kind::Node));
        part.goals.push(Goal::judge(
            &format!("fan-out to 1,000 against the original's way, {}", case.name),
            Bound::AtLeast(2.0, "x"),
            results.ratio(index, Kind::Node, WASM),
        ));
        part.goals.push(Goal::judge(
            &format!("fan-out's CPU against uWebSockets, {}", case.name),
            Bound::AtMost(1.3, "x"),
            results.ratio(index, WASM, Kind::Uws),
        ));
    }
    Ok(part)
}
