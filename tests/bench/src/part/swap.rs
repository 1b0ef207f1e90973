//! What do clients notice of swaps, and of a module that does what it can to the gateway?
//!
//! Invariant: the load compares every answer, so a swap that loses, doubles or changes one fails.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::open_echo;
use crate::bench::{Bench, Kind, say};
use crate::client::Client;
use crate::frame::{Opcode, encode};
use crate::load::{self, Pace, Span};
use crate::message::ORDINARY;
use crate::meter::Figures;
use crate::race::{self, Entrant};
use crate::report::{Bound, Goal, Part, Table, cell};
use crate::sporegate::{self, Gateway};
use crate::stats::{Summary, figure, percentile};

const SWAPPED: Kind = Kind::Gateway(Gateway::Swapped);
const BESIDE: Kind = Kind::Gateway(Gateway::BesideHostile);
const CLIENTS: usize = 200;
/// Messages per second of the well-behaved clients beside a hostile module.
const RATE: f64 = 2_000.0;
/// The hostile module is told again so often.
const TEASE: Duration = Duration::from_millis(20);
/// Clients that tell it.
const TEASERS: usize = 8;

/// What a hostile module does, what it is told for that, and whether it ends its instance: then the
/// module pauses, for longer and longer, unless the breaker is off.
const ATTACKS: [(&str, &str, bool); 3] = [
    ("loops in every call", r#"{"do":"spin"}"#, true),
    ("traps in every call", r#"{"do":"trap"}"#, true),
    ("grows in every call", r#"{"do":"repeat","count":60,"of":[{"do":"grow","count":1}]}"#, false),
];

/// How long it has gone on before it is measured: as long as it takes until the pauses of the breaker
/// are as long as they become.
const AT_IT: Duration = Duration::from_secs(26);

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Swaps under load, and a hostile module beside a good one");
    swaps(bench, &mut part)?;
    hostile(bench, &mut part)?;
    Ok(part)
}

fn swaps(bench: &Bench, part: &mut Part) -> Result<()> {
    let length = bench.either(Duration::from_secs(60), Duration::from_secs(3));
    for entrant in race::line_up(bench, &[SWAPPED], "echo", part) {
        let home = sporegate::home(bench, Gateway::Swapped);
        let (mut swarm, frame) = open_echo(&entrant, CLIENTS, ORDINARY)?;
        let span = Span { warm: bench.span.warm, measured: length };
        let still = load::closed_loop(&entrant.server, &mut swarm, &frame, 1, bench.span)?;
        let done = AtomicBool::new(false);
        let (loaded, swapping) = scope(|scope| {
            let swapper = scope.spawn(|| swap_and_swap(bench, &home, &done));
            let loaded = load::closed_loop(&entrant.server, &mut swarm, &frame, 1, span);
            done.store(true, Ordering::Relaxed);
            (loaded, swapper.join())
        });
        let loaded = loaded.context("under swaps")?;
        let whole = swapping.map_err(|_| anyhow::anyhow!("the swapping thread failed"))??;
        let log = sporegate::log(bench, Gateway::Swapped)?;
        let pauses: Vec<f64> =
            log.iter().filter_map(|line| line.get("pause_ms")?.as_f64()).collect();
        ensure!(pauses.len() >= whole.len(), "{} swaps, {} pauses", whole.len(), pauses.len());
        swap_tables(part, &pauses, &whole, still, loaded);
    }
    Ok(())
}

fn swap_tables(part: &mut Part, pauses: &[f64], whole: &[f64], still: Figures, loaded: Figures) {
    let ms = |values: &[f64], share: f64| figure(percentile(values, share));
    let columns = ["Swaps, state of 1 MiB, 200 clients", "p50 ms", "p99 ms", "max ms"];
    let mut table = Table::new("", &columns);
    for (name, values) in [
        ("nobody is called", pauses),
        ("from the file to the last look, compiling included", whole),
    ] {
        let name = format!("{name} ({} swaps)", values.len());
        table.rows.push(vec![name, ms(values, 0.5), ms(values, 0.99), ms(values, 1.0)]);
    }
    part.tables.push(table);
    let columns = ["200 clients in a closed loop", "messages/s", "p50 µs", "p99 µs"];
    let mut table = Table::new("", &columns);
    for (name, figures) in [("no swaps", still), ("swap after swap", loaded)] {
        let Figures { rate, p50_us, p99_us, .. } = figures;
        table.rows.push(vec![name.to_owned(), figure(rate), figure(p50_us), figure(p99_us)]);
    }
    part.tables.push(table);
    let p99 = Summary::of([percentile(pauses, 0.99)]);
    part.goals.push(Goal::judge(
        "p99 of the pause of a swap, state of 1 MiB",
        Bound::AtMost(5.0, " ms"),
        p99,
    ));
    part.raw.push(json!({ "pauses_ms": pauses, "whole_ms": whole, "messages": loaded.messages }));
}

/// Puts one revision after the other in place; returns how long each took, in ms.
fn swap_and_swap(bench: &Bench, home: &Path, done: &AtomicBool) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for number in 0_u32.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let since = Instant::now();
        sporegate::put_revision(bench, home, &format!("echo-{}", (number + 1) % 2))?;
        sporegate::reload(bench, home).with_context(|| format!("swap {number}"))?;
        took.push(since.elapsed().as_secs_f64() * 1e3);
    }
    Ok(took)
}

fn hostile(bench: &Bench, part: &mut Part) -> Result<()> {
    let columns = ["A hostile module beside it", "p50 µs", "p99 µs", "p99 without it", "ratio"];
    let mut table = Table::new("A well-behaved module at 2,000 messages/s", &columns);
    for entrant in race::line_up(bench, &[BESIDE], "echo", part) {
        for (attack, command, pauses) in ATTACKS {
            let ratio = beside(bench, &entrant, ("probe", attack, command), (part, &mut table))?;
            part.goals.push(Goal::judge(
                &format!("p99 of a good module beside one that {attack}"),
                Bound::AtMost(1.1, "x"),
                ratio,
            ));
            if pauses {
                let attack = format!("{attack}, and never pauses");
                beside(bench, &entrant, ("tireless", &attack, command), (part, &mut table))?;
            }
        }
    }
    part.tables.push(table);
    Ok(())
}

/// Measures the well-behaved module without and with a hostile one; returns by how much its p99 grows.
fn beside(
    bench: &Bench,
    entrant: &Entrant,
    (module, attack, command): (&str, &str, &str),
    (part, table): (&mut Part, &mut Table),
) -> Result<Option<Summary>> {
    let mut rounds = Vec::new();
    let at_it =
        if module == "probe" { bench.either(AT_IT, Duration::ZERO) } else { Duration::ZERO };
    let done = AtomicBool::new(false);
    let mut quiet = Vec::new();
    for _ in 0..bench.rounds {
        quiet.push(paced(entrant, bench)?);
    }
    scope(|scope| -> Result<()> {
        tease(scope, entrant, (module, command), &done)?;
        sleep(at_it);
        let attacked: Result<Vec<_>> = (0..bench.rounds).map(|_| paced(entrant, bench)).collect();
        done.store(true, Ordering::Relaxed);
        rounds.extend(quiet.into_iter().zip(attacked?));
        Ok(())
    })?;
    for (round, (quiet, attacked)) in rounds.iter().enumerate() {
        let (p99, before) = (attacked.p99_us, quiet.p99_us);
        say(&format!("round {}, {attack}: p99 {before:.0} -> {p99:.0} µs", round + 1));
        part.raw.push(json!({ "attack": attack, "quiet": quiet, "attacked": attacked }));
    }
    let of = |get: fn(&(Figures, Figures)) -> f64| Summary::of(rounds.iter().map(get));
    let ratio = of(|(quiet, attacked)| attacked.p99_us / quiet.p99_us);
    table.rows.push(vec![
        attack.to_owned(),
        cell(of(|(_, attacked)| attacked.p50_us)),
        cell(of(|(_, attacked)| attacked.p99_us)),
        cell(of(|(quiet, _)| quiet.p99_us)),
        cell(ratio),
    ]);
    Ok(ratio)
}

fn paced(entrant: &Entrant, bench: &Bench) -> Result<Figures> {
    let (mut swarm, frame) = open_echo(entrant, CLIENTS, ORDINARY)?;
    let pace = Pace::Spinning;
    load::open_loop(&entrant.server, &mut swarm, &frame, RATE, pace, bench.span)
}

/// Tells the hostile module what to do, over and over, until `done`.
fn tease<'s>(
    scope: &'s Scope<'s, '_>,
    entrant: &Entrant,
    (module, command): (&str, &str),
    done: &'s AtomicBool,
) -> Result<()> {
    let path = format!("/websocket/{module}");
    let frame = encode(Opcode::Text, command.as_bytes());
    let address = entrant.server.address;
    let mut clients =
        (0..TEASERS).map(|_| Client::connect(address, &path, None)).collect::<Result<Vec<_>>>()?;
    scope.spawn(move || {
        while !done.load(Ordering::Relaxed) {
            for client in &mut clients {
                // One whose answers nobody reads may be closed: then it has done its part.
                let _ = client.send(&frame);
            }
            sleep(TEASE);
        }
    });
    Ok(())
}
