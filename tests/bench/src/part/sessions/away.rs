//! What clients notice who come back, and what it costs the server that they were away.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::hold::{self, PROBE};
use super::{Row, text};
use crate::bench::Bench;
use crate::client::Client;
use crate::message::{self, ORDINARY};
use crate::race::Entrant;
use crate::server::Server;
use crate::sporegate::Gateway;
use crate::stats::percentile;
use crate::swarm::Swarm;
use crate::visitor::{self, Visitors};

/// Sends what it gets to all others on this path.
const FANOUT: &str = "/websocket/fanout";
/// Messages that wait for each client that comes back.
const WAITING: usize = 10;
/// Messages under way to all receivers.
const IN_FLIGHT: usize = 16;
/// Longest silence of the server.
const STALLED: Duration = Duration::from_secs(20);

/// Coming back to a session in which messages wait, compared with coming for the first time.
pub(super) fn come_back(bench: &Bench, entrant: &Entrant, _: Gateway) -> Result<Vec<Row>> {
    let count = bench.either(500, 50);
    let mut visitors = Visitors::of(entrant.server.address)?;
    let away = hold::leave(&mut visitors, count)?;
    entrant.server.settle()?;
    hold::send(&mut visitors, &away, WAITING)?;
    entrant.server.settle()?;
    let (mut resumed, mut plain) = (Vec::new(), Vec::new());
    // They stay: that somebody leaves is not to be measured here.
    let mut connected = Vec::new();
    let text = text();
    for left in &away {
        let begun = Instant::now();
        connected.push(visitors.come_back(PROBE, &left.token, left.received, (WAITING, &text))?);
        resumed.push(begun.elapsed().as_secs_f64() * 1e6);
        let begun = Instant::now();
        connected.push(visitors.come(PROBE)?);
        plain.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    let row = |name: &str, values: &[f64], share| (name.to_owned(), percentile(values, share));
    Ok(vec![
        row("connect to greeting, p50 µs", &plain, 0.5),
        row("connect to greeting, p99 µs", &plain, 0.99),
        row("connect to the last of 10 messages that waited, p50 µs", &resumed, 0.5),
        row("connect to the last of 10 messages that waited, p99 µs", &resumed, 0.99),
    ])
}

/// Messages to clients who are connected, to clients who are away, and to these when they are back.
pub(super) fn keep(bench: &Bench, entrant: &Entrant, _: Gateway) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let many = bench.either((1_000, 300), (100, 50));
    let one = bench.either((1, 20_000), (1, 1_000));
    for (receivers, messages) in [many, one] {
        let mut row = |what: &str, cpu: f64| {
            let told = if receivers == 1 { "client" } else { "clients, a message to all" };
            let per_message = cpu * 1e6 / (receivers * messages) as f64;
            rows.push((format!("{receivers} {told}: {what}, µs"), per_message));
        };
        let server = &entrant.server;
        let mut visitors = Visitors::of(server.address)?;
        let come = |visitors: &mut Visitors, count: usize| {
            (0..count).map(|_| visitors.come(FANOUT)).collect::<Result<Vec<_>>>()
        };
        // With one who sends, and one who must see that all is done.
        let connected = come(&mut visitors, receivers + 2)?;
        let clients = connected.into_iter().map(|visitor| visitor.client).collect();
        let (cpu, gone) = broadcast(server, clients, messages)?;
        row("connected", cpu);
        end(gone)?;
        server.settle()?;

        let tokens: Vec<String> =
            come(&mut visitors, receivers)?.into_iter().map(|visitor| visitor.token).collect();
        server.settle()?;
        let clients = come(&mut visitors, 2)?.into_iter().map(|visitor| visitor.client).collect();
        let (cpu, gone) = broadcast(server, clients, messages)?;
        row("away, kept", cpu);
        end(gone)?;
        server.settle()?;

        let before = server.cpu()?;
        let text = text();
        let back = tokens
            .iter()
            .map(|token| Ok(visitors.come_back(FANOUT, token, 0, (messages, &text))?.client));
        let back: Vec<Client> = back.collect::<Result<_>>()?;
        server.settle()?;
        row("back, with the handshake", server.cpu()?.since(before).as_secs_f64());
        end(back)?;
        server.settle()?;
    }
    Ok(rows)
}

/// Lets the first client send `messages`, and waits until all other `clients` have them and the
/// server has come to rest. Returns the seconds of CPU that the server took, and the clients.
fn broadcast(server: &Server, clients: Vec<Client>, messages: usize) -> Result<(f64, Vec<Client>)> {
    let receivers = clients.len().saturating_sub(1);
    let frame = message::frame(ORDINARY);
    let mut swarm = Swarm::of(clients, text().into_bytes())?;
    server.settle()?;
    let before = server.cpu()?;
    let (mut sent, mut delivered) = (0, 0);
    let mut progress = Instant::now();
    while delivered < messages * receivers {
        while sent < messages.min(delivered / receivers + IN_FLIGHT) {
            swarm.clients().first_mut().context("nobody sends")?.send(&frame)?;
            sent += 1;
        }
        let seen = delivered;
        swarm.turn(Some(Duration::from_millis(50)), |_, batch| {
            delivered += batch.answers;
            Ok(())
        })?;
        if delivered > seen {
            progress = Instant::now();
        } else if progress.elapsed() > STALLED {
            bail!("{delivered} of {} messages came", messages * receivers);
        }
    }
    swarm.no_strangers()?;
    ensure!(delivered == messages * receivers, "more messages came than were sent");
    server.settle()?;
    let cpu = server.cpu()?.since(before).as_secs_f64();
    Ok((cpu, swarm.into_clients()))
}

/// Ends the sessions of `clients`.
fn end(mut clients: Vec<Client>) -> Result<()> {
    clients.iter_mut().try_for_each(visitor::end)
}
