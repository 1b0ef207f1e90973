//! What does one message cost, beside others who do the same?

use anyhow::Result;

use super::{closed_echo, echo_cases};
use crate::bench::{Bench, Kind};
use crate::race::{self, Case, Results};
use crate::report::{Bound, Goal, Part};
use crate::sporegate::Gateway;

const WASM: Kind = Kind::Gateway(Gateway::Echo);
const NATIVE: Kind = Kind::Gateway(Gateway::Native);
const TWICE: Kind = Kind::Gateway(Gateway::EchoTwice);
const LIMITED: Kind = Kind::Gateway(Gateway::EchoLimited);
const JSON: Kind = Kind::Gateway(Gateway::Json);
/// The base of the ratios comes first.
const KINDS: [Kind; 10] = [
    Kind::Node,
    WASM,
    TWICE,
    LIMITED,
    NATIVE,
    JSON,
    Kind::Tungstenite,
    Kind::TungsteniteSmall,
    Kind::Bun,
    Kind::Uws,
];

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Echo of 106-byte JSON text");
    let entrants = race::line_up(bench, &KINDS, "echo", &mut part);
    let cases = echo_cases();
    let results = race::run(bench.rounds, &cases, &entrants, &mut part, |entrant, case| {
        closed_echo(bench, entrant, case)
    });
    for (index, case) in cases.iter().enumerate() {
        part.tables.push(results.table(&case.name, index, &entrants, Kind::Node));
        judge(&results, index, case, &mut part);
    }
    Ok(part)
}

fn judge(results: &Results, index: usize, case: &Case, part: &mut Part) {
    let closed = case.in_flight == 1;
    let goals = [
        Goal::judge(
            &format!("WASM echo against the original's way, {}", case.name),
            Bound::AtLeast(if closed { 1.9 } else { 5.0 }, "x"),
            results.ratio(index, Kind::Node, WASM),
        ),
        Goal::judge(
            &format!("WASM echo against our own native echo, {}", case.name),
            Bound::AtMost(1.5, " µs"),
            results
                .paired((index, WASM), (index, NATIVE), |wasm, native| wasm.cpu_us - native.cpu_us),
        ),
        Goal::judge(
            &format!("CPU with all limits and metrics on against none, {}", case.name),
            Bound::AtMost(1.1, "x"),
            results.ratio(index, LIMITED, WASM),
        ),
        Goal::judge(
            &format!("WASM JSON listener against Bun + JS listener, {}", case.name),
            Bound::AtLeast(if closed { 1.0 } else { 0.8 }, "x"),
            results.ratio(index, Kind::Bun, JSON),
        ),
    ];
    part.goals.extend(goals);
    if closed {
        part.goals.push(Goal::judge(
            &format!("WASM echo's CPU against uWebSockets C++ raw, {}", case.name),
            Bound::AtMost(1.3, "x"),
            results.ratio(index, WASM, Kind::Uws),
        ));
    }
}
