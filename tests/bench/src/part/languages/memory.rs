//! How much memory does an instance take?
//!
//! Invariant: both gateways that are compared are fresh, have the same clients, and each instance of
//! them has been called.

use anyhow::Result;

use super::super::open_echo_on;
use super::MODULE;
use super::load::Loaded;
use crate::bench::{Bench, say};
use crate::home;
use crate::message::ORDINARY;
use crate::stats::Summary;

/// Instances that one of the gateways has more than the other.
pub(super) const MORE: usize = 32;
/// So many that, spread by their ids, they meet every instance.
const CLIENTS: usize = 512;
const ROUNDS: usize = 3;

/// What an instance takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// What it can address by now, as the gateway counts it.
    pub(super) linear_bytes: f64,
    /// What it adds to the process.
    pub(super) resident_bytes: Option<Summary>,
}

/// Starts a gateway with one instance and with more, again and again.
pub(super) fn measure(bench: &Bench, loaded: &Loaded<'_>) -> Result<Memory> {
    let mut linear_bytes = 0.0;
    let mut resident = Vec::new();
    for _ in 0..bench.rounds.min(ROUNDS) {
        let (_, one) = with(loaded, 1)?;
        let (linear, more) = with(loaded, 1 + MORE)?;
        linear_bytes = linear / (1 + MORE) as f64;
        resident.push((more - one) / MORE as f64);
    }
    let resident_bytes = Summary::of(resident);
    say(&format!("{}, an instance: {linear_bytes:.0}, {resident_bytes:?}", loaded.language.name));
    Ok(Memory { linear_bytes, resident_bytes })
}

/// Linear memory of all instances, and memory of the process.
fn with(loaded: &Loaded<'_>, instances: usize) -> Result<(f64, f64)> {
    let settings = format!("[run]\ninstances = {instances}\n");
    loaded.home.put(MODULE, loaded.component, &settings)?;
    let server = loaded.home.start()?;
    let (mut swarm, frame) = open_echo_on((&server, &home::path(MODULE)), CLIENTS, ORDINARY)?;
    swarm.echo_once(&frame)?;
    server.settle()?;
    Ok((loaded.home.linear_memory(MODULE)?, server.written()? as f64))
}
