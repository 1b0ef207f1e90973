//! The parts of the benchmark, one question each.

pub(crate) mod compile;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod languages;
pub(crate) mod latency;
pub(crate) mod lifetime;
pub(crate) mod limits;
pub(crate) mod router;
pub(crate) mod scale;
pub(crate) mod sessions;
pub(crate) mod swap;

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::load;
use crate::message::{self, MARK};
use crate::meter::Figures;
use crate::race::{Case, Entrant};
use crate::server::Server;
use crate::swarm::{Probe, Swarm};

/// How long the first message may take: it may have to wait for a module.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// The three loads of the echo comparisons.
fn echo_cases() -> Vec<Case> {
    [("64 connections, closed loop", 64, 1), ("1,000 connections, closed loop", 1_000, 1)]
        .into_iter()
        .chain([("64 connections, 16 in flight each", 64, 16)])
        .map(|(name, clients, in_flight)| Case { name: name.to_owned(), clients, in_flight })
        .collect()
}

/// One load of ordinary messages, each sent when an earlier one was answered.
fn closed_echo(bench: &Bench, entrant: &Entrant, case: &Case) -> Result<Figures> {
    closed_echo_on(bench, (&entrant.server, &entrant.path), case)
}

/// The same on any path of any server.
fn closed_echo_on(bench: &Bench, on: (&Server, &str), case: &Case) -> Result<Figures> {
    let (mut swarm, frame) = open_echo_on(on, case.clients, message::ORDINARY)?;
    let (server, _) = on;
    let figures = load::closed_loop(server, &mut swarm, &frame, case.in_flight, bench.span)?;
    drop(swarm);
    server.settle()?;
    Ok(figures)
}

/// Connects `clients` and lets the first have one echo of a message of `size` bytes, so that the
/// answer to expect is known. Returns the encoded message too.
fn open_echo(entrant: &Entrant, clients: usize, size: usize) -> Result<(Swarm, Vec<u8>)> {
    open_echo_on((&entrant.server, &entrant.path), clients, size)
}

/// The same on any path of any server.
fn open_echo_on(
    (server, path): (&Server, &str),
    clients: usize,
    size: usize,
) -> Result<(Swarm, Vec<u8>)> {
    let mut swarm = Swarm::connect(server.address, path, clients)?;
    let frame = message::frame(size);
    swarm.probe(&Probe { from: 0, to: 0, frame: &frame, mark: MARK, wait: FIRST_ANSWER })?;
    Ok((swarm, frame))
}
