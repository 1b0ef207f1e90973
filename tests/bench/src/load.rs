//! Three ways to load a server through a swarm.
//!
//! Invariant: every load ends by itself, by time or because nothing comes back any more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::meter::{Figures, Meter};
use crate::server::Server;
use crate::swarm::Swarm;

/// Longest silence of a loaded server.
const STALLED: Duration = Duration::from_secs(5);
/// How long answers that are still under way may take at the end.
const DRAIN: Duration = Duration::from_secs(3);
/// How long one turn waits for the sockets when there is nothing else to do.
const TURN: Duration = Duration::from_millis(50);
/// Share of the asked rate below which an open load counts as an overload.
const KEPT_RATE: f64 = 0.95;

/// How long to load before and while measuring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Load that is not measured.
    pub(crate) warm: Duration,
    /// Load that is.
    pub(crate) measured: Duration,
}

/// How an open load keeps its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Evenly spaced and exact; takes a whole CPU.
    Spinning,
    /// What falls due within a millisecond leaves together; light.
    Ticking,
}

/// Each client keeps `in_flight` messages under way and sends a new one for every answer.
pub(crate) fn closed_loop(
    server: &Server,
    swarm: &mut Swarm,
    frame: &[u8],
    in_flight: usize,
    span: Span,
) -> Result<Figures> {
    let frames = frame.repeat(in_flight);
    for client in swarm.clients() {
        client.send(&frames)?;
        client.asked.extend(std::iter::repeat_n(Instant::now(), in_flight));
    }
    let figures = drive(server, span, |mut meter| {
        let mut answered = 0;
        swarm.turn(Some(TURN), |client, batch| {
            let now = Instant::now();
            answered += batch.answers;
            for asked in client.asked.drain(..batch.answers) {
                if let Some(meter) = &mut meter {
                    meter.answered(now - asked);
                }
            }
            client.asked.extend(std::iter::repeat_n(now, batch.answers));
            client.send(frames.get(..batch.answers * frame.len()).unwrap_or(&frames))
        })?;
        Ok(answered)
    })?;
    let under_way = swarm.clients().len() * in_flight;
    drain(swarm, under_way, 0)?;
    Ok(figures)
}

/// `rate` messages per second, spread over the clients in turn, whatever the server does.
/// Latencies count from when a message was due, so a server that stalls does not hide it.
///
/// # Errors
/// The server falls behind the rate: its figures would not be comparable.
pub(crate) fn open_loop(
    server: &Server,
    swarm: &mut Swarm,
    frame: &[u8],
    rate: f64,
    pace: Pace,
    span: Span,
) -> Result<Figures> {
    let wait = match pace {
        Pace::Spinning => Duration::ZERO,
        Pace::Ticking => Duration::from_millis(1),
    };
    let clients = swarm.clients().len();
    let begun = Instant::now();
    let (mut sent, mut answered) = (0_usize, 0_usize);
    let figures = drive(server, span, |mut meter| {
        let owed = (begun.elapsed().as_secs_f64() * rate) as usize;
        while sent < owed {
            if let Some(client) = swarm.clients().get_mut(sent % clients) {
                client.asked.push_back(begun + Duration::from_secs_f64(sent as f64 / rate));
                client.send(frame)?;
            }
            sent += 1;
        }
        let before = answered;
        swarm.turn(Some(wait), |client, batch| {
            let now = Instant::now();
            answered += batch.answers;
            for due in client.asked.drain(..batch.answers) {
                if let Some(meter) = &mut meter {
                    meter.answered(now - due);
                }
            }
            Ok(())
        })?;
        Ok(answered - before)
    })?;
    drain(swarm, sent - answered, 0)?;
    if figures.rate < rate * KEPT_RATE {
        bail!("{} answered {:.0} of {rate:.0} messages per second", server.name, figures.rate);
    }
    Ok(figures)
}

/// The first client sends; every message is delivered to all others. `in_flight` messages are
/// under way: a new one leaves when one has reached everybody. Figures are per delivered message,
/// latencies those of the last receiver.
pub(crate) fn fan_out(
    server: &Server,
    swarm: &mut Swarm,
    frame: &[u8],
    in_flight: usize,
    span: Span,
) -> Result<Figures> {
    let receivers = swarm.clients().len().saturating_sub(1);
    ensure!(receivers > 0, "a fan-out needs receivers");
    let (mut sent, mut delivered) = (0_usize, 0_usize);
    let mut asked = VecDeque::new();
    let figures = drive(server, span, |mut meter| {
        while sent < delivered / receivers + in_flight {
            if let Some(sender) = swarm.clients().first_mut() {
                sender.send(frame)?;
            }
            asked.push_back(Instant::now());
            sent += 1;
        }
        let before = delivered;
        swarm.turn(Some(TURN), |_, batch| {
            delivered += if batch.client > 0 { batch.answers } else { 0 };
            Ok(())
        })?;
        let complete = delivered / receivers - before / receivers;
        let latencies = asked.drain(..complete).map(|asked: Instant| asked.elapsed());
        match &mut meter {
            Some(meter) => {
                meter.delivered(delivered - before);
                latencies.for_each(|latency| meter.latency(latency));
            }
            None => drop(latencies),
        }
        Ok(delivered - before)
    })?;
    drain(swarm, sent * receivers - delivered, 1)?;
    Ok(figures)
}

/// Runs `step` until the warm-up and the window are over. A step returns how much progress it saw.
fn drive<'a>(
    server: &'a Server,
    span: Span,
    mut step: impl FnMut(Option<&mut Meter<'a>>) -> Result<usize>,
) -> Result<Figures> {
    let begun = Instant::now();
    let mut progress = begun;
    while begun.elapsed() < span.warm {
        observe(server, &mut progress, step(None)?)?;
    }
    let mut meter = Meter::begin(server)?;
    while meter.elapsed() < span.measured {
        observe(server, &mut progress, step(Some(&mut meter))?)?;
    }
    meter.end()
}

fn observe(server: &Server, progress: &mut Instant, answers: usize) -> Result<()> {
    if answers > 0 {
        *progress = Instant::now();
    } else if progress.elapsed() > STALLED {
        bail!("{} has answered nothing for {} s", server.name, STALLED.as_secs());
    }
    Ok(())
}

/// Takes the answers still under way to the clients from the `first` on, so that connections end
/// in peace, and fails if one was lost or was not the expected one.
fn drain(swarm: &mut Swarm, mut under_way: usize, first: usize) -> Result<()> {
    let deadline = Instant::now() + DRAIN;
    while under_way > 0 && Instant::now() < deadline {
        swarm.turn(Some(TURN), |client, batch| {
            client.asked.drain(..batch.answers.min(client.asked.len()));
            if batch.client >= first {
                under_way = under_way.saturating_sub(batch.answers);
            }
            Ok(())
        })?;
    }
    swarm.no_strangers()?;
    ensure!(under_way == 0, "{under_way} answers never came");
    Ok(())
}
