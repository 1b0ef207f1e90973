//! What do others notice while a module is compiled, and what does it save to keep what was compiled?
//!
//! Invariant: the large module is no listener, so it is compiled each time and never loaded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::json;

use super::open_echo_on;
use crate::bench::{Bench, Kind, say};
use crate::large_module;
use crate::load::{self, Pace, Span};
use crate::message::ORDINARY;
use crate::meter::Figures;
use crate::race::{self, Entrant};
use crate::report::{Part, Table, cell};
use crate::server::Server;
use crate::sporegate::{self, Gateway};
use crate::stats::{Summary, figure, percentile};

const LOADING: Kind = Kind::Gateway(Gateway::Loading);
const CLIENTS: usize = 200;
/// Messages per second of those who are served meanwhile.
const RATE: f64 = 2_000.0;
/// What has begun must have had this time when the measured load begins: files must keep still for a
/// while before they are read.
pub(super) const BEGUN: Duration = Duration::from_millis(800);

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("Loading modules beside those that serve");
    for entrant in race::line_up(bench, &[LOADING], "echo", &mut part) {
        loads(bench, &mut part)?;
        beside(bench, &entrant, &mut part)?;
    }
    Ok(part)
}

/// Loads the same file twice, under two names, again and again with other files.
fn loads(bench: &Bench, part: &mut Part) -> Result<()> {
    let home = sporegate::home(bench, Gateway::Loading);
    let count = bench.either(20, 2);
    for number in 0..count {
        let file = sporegate::revision(bench, &format!("load-{number}"))?;
        for name in ["cold", "cached"] {
            sporegate::put(&home, &format!("{name}-{number}"), &file)?;
            sporegate::reload(bench, &home)?;
        }
    }
    let log = sporegate::log(bench, Gateway::Loading)?;
    let took = |name: &str| -> Vec<f64> {
        let of = |line: &&serde_json::Value| {
            line.get("module").and_then(|it| it.as_str()).is_some_and(|it| it.starts_with(name))
        };
        log.iter().filter(of).filter_map(|line| line.get("took_ms")?.as_f64()).collect()
    };
    let columns = ["From reading the file to serving", "p50 ms", "max ms"];
    let mut table = Table::new("A listener of 100 KiB", &columns);
    for (name, what) in [("cold", "compiled"), ("cached", "taken from the compile cache")] {
        let took = took(name);
        ensure!(took.len() == count, "{name}: {} of {count} were loaded", took.len());
        let ms = |share: f64| figure(percentile(&took, share));
        table.rows.push(vec![format!("{what} ({count} times)"), ms(0.5), ms(1.0)]);
        part.raw.push(json!({ "load": name, "took_ms": took }));
    }
    part.tables.push(table);
    Ok(())
}

/// Serves at an even rate, with and without a large module being compiled.
fn beside(bench: &Bench, entrant: &Entrant, part: &mut Part) -> Result<()> {
    let mut rounds = Vec::new();
    let mut compiled = 0;
    for round in 0..bench.rounds {
        let quiet = paced((&entrant.server, &entrant.path), bench.span)?;
        let done = AtomicBool::new(false);
        let (busy, compilations) = scope(|scope| {
            let compiling = scope.spawn(|| compile_and_compile(bench, round, &done));
            let span = Span { warm: bench.span.warm.max(BEGUN), ..bench.span };
            let figures = paced((&entrant.server, &entrant.path), span);
            done.store(true, Ordering::Relaxed);
            (figures, compiling.join())
        });
        let (busy, compilations) = (
            busy.context("while a module is compiled")?,
            compilations.map_err(|_| anyhow!("the compiling thread failed"))??,
        );
        compiled += compilations.len();
        let (p99, before) = (busy.p99_us, quiet.p99_us);
        say(&format!("round {}, compiling: p99 {before:.0} -> {p99:.0} µs", round + 1));
        part.raw.push(json!({ "quiet": quiet, "compiling": busy, "took_ms": compilations }));
        rounds.push((quiet, busy));
    }
    let of = |get: fn(&(Figures, Figures)) -> f64| Summary::of(rounds.iter().map(get));
    let columns = ["", "p50 µs", "p99 µs", "CPUs: server", "others"];
    let mut table = Table::new("Those who are served, at 2,000 messages/s", &columns);
    table.rows.push(vec![
        "nothing is compiled".to_owned(),
        cell(of(|(quiet, _)| quiet.p50_us)),
        cell(of(|(quiet, _)| quiet.p99_us)),
        cell(of(|(quiet, _)| quiet.server_cpus)),
        cell(of(|(quiet, _)| quiet.other_cpus)),
    ]);
    table.rows.push(vec![
        format!("a large module is ({compiled} compilations; the compiler is among the others)"),
        cell(of(|(_, busy)| busy.p50_us)),
        cell(of(|(_, busy)| busy.p99_us)),
        cell(of(|(_, busy)| busy.server_cpus)),
        cell(of(|(_, busy)| busy.other_cpus)),
    ]);
    table.rows.push(vec![
        "ratio".to_owned(),
        cell(of(|(quiet, busy)| busy.p50_us / quiet.p50_us)),
        cell(of(|(quiet, busy)| busy.p99_us / quiet.p99_us)),
        String::new(),
        String::new(),
    ]);
    part.tables.push(table);
    Ok(())
}

/// Two hundred clients at an even rate.
pub(super) fn paced(on: (&Server, &str), span: Span) -> Result<Figures> {
    let (mut swarm, frame) = open_echo_on(on, CLIENTS, ORDINARY)?;
    let (server, _) = on;
    // It leaves the processors to the others.
    load::open_loop(server, &mut swarm, &frame, RATE, Pace::Ticking, span)
}

/// Has one large module after the other compiled until `done`; returns how long each took, in ms.
fn compile_and_compile(bench: &Bench, round: usize, done: &AtomicBool) -> Result<Vec<f64>> {
    let home = sporegate::home(bench, Gateway::Loading);
    let mut took = Vec::new();
    for number in 0_u32.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let since = Instant::now();
        // Another one each time: what was refused is not tried again.
        let mark = u32::try_from(round)?.wrapping_mul(1_000).wrapping_add(number);
        sporegate::put(
            &home,
            "large",
            &large_module::component(bench.either(20_000, 5_000), mark),
        )?;
        sporegate::reload(bench, &home)?;
        took.push(since.elapsed().as_secs_f64() * 1e3);
    }
    let log = sporegate::log(bench, Gateway::Loading)?;
    // It was compiled, and found to be no listener.
    let said = |line: &serde_json::Value| line.to_string().contains("does not export");
    ensure!(log.iter().any(said), "the large module is not compiled");
    Ok(took)
}
