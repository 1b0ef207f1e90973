//! What does a fresh instance for every message cost?

use anyhow::Result;

use super::{closed_echo, echo_cases};
use crate::bench::{Bench, Kind};
use crate::race;
use crate::report::{Bound, Goal, Part};
use crate::sporegate::Gateway;

const WARM: Kind = Kind::Gateway(Gateway::Echo);
const FRESH: Kind = Kind::Gateway(Gateway::EchoPerCall);

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("A fresh instance per message (`lifetime = \"call\"`)");
    let entrants = race::line_up(bench, &[WARM, FRESH], "echo", &mut part);
    let cases = echo_cases();
    let results = race::run(bench.rounds, &cases, &entrants, &mut part, |entrant, case| {
        closed_echo(bench, entrant, case)
    });
    for (index, case) in cases.iter().enumerate() {
        part.tables.push(results.table(&case.name, index, &entrants, WARM));
        part.goals.push(Goal::judge(
            &format!("fresh instance per message more than a warm one, {}", case.name),
            Bound::AtMost(20.0, " µs"),
            results.paired((index, FRESH), (index, WARM), |fresh, warm| fresh.cpu_us - warm.cpu_us),
        ));
    }
    Ok(part)
}
