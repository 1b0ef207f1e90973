//! How much later do answers come because a listener is WASM?

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::open_echo;
use crate::bench::{Bench, Kind};
use crate::load::{self, Pace, Span};
use crate::race::{self, Case, Entrant};
use crate::report::{Bound, Goal, Part};
use crate::sporegate::Gateway;

const WASM: Kind = Kind::Gateway(Gateway::Echo);
const NATIVE: Kind = Kind::Gateway(Gateway::Native);
const CLIENTS: usize = 64;
const SIZE: usize = 1024;

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Latency at 1 KiB under half the load");
    let entrants = race::line_up(bench, &[NATIVE, WASM], "echo", &mut part);
    let full = match entrants.iter().find(|entrant| entrant.kind == WASM) {
        Some(wasm) => full_rate(wasm, bench)?,
        None => 0.0,
    };
    let rate = full / 2.0;
    part.notes.push(format!(
        "Loaded with {rate:.0} messages/s, half of the {full:.0} that the WASM echo answers in a \
         closed loop of {CLIENTS} connections; latency counts from when a message was due."
    ));
    let cases = [Case { name: "1 KiB".to_owned(), clients: CLIENTS, in_flight: 0 }];
    let runnable = if full > 0.0 { entrants.as_slice() } else { &[] };
    let results = race::run(bench.rounds, &cases, runnable, &mut part, |entrant, case| {
        let (mut swarm, frame) = open_echo(entrant, case.clients, SIZE)?;
        let server = &entrant.server;
        let pace = Pace::Spinning;
        let figures = load::open_loop(server, &mut swarm, &frame, rate, pace, bench.span)?;
        drop(swarm);
        server.settle()?;
        Ok(figures)
    });
    part.tables.push(results.table("64 connections", 0, &entrants, NATIVE));
    part.goals.push(Goal::judge(
        "p99 added by WASM at 1 KiB under 50 % load",
        Bound::AtMost(50.0, " µs"),
        results.paired((0, WASM), (0, NATIVE), |wasm, native| wasm.p99_us - native.p99_us),
    ));
    Ok(part)
}

/// What it answers at most, messages per second.
fn full_rate(entrant: &Entrant, bench: &Bench) -> Result<f64> {
    let (mut swarm, frame) = open_echo(entrant, CLIENTS, SIZE)?;
    let span =
        Span { warm: bench.span.warm, measured: bench.span.measured.min(Duration::from_secs(1)) };
    let figures = load::closed_loop(&entrant.server, &mut swarm, &frame, 1, span)
        .context("finding the full rate")?;
    drop(swarm);
    entrant.server.settle()?;
    Ok(figures.rate)
}
