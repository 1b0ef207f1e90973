//! What do the clients of another module notice while a large component is compiled?
//!
//! Invariant: each file is another one, so that none comes from the cache.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::super::compile::{BEGUN, paced};
use super::load::Loaded;
use super::{MODULE, large, or_note};
use crate::bench::{Bench, say};
use crate::home::{self, Home, marked};
use crate::language::Component;
use crate::load::Span;
use crate::meter::Figures;
use crate::report::{Part, Table, cell};
use crate::server::Server;
use crate::sporegate;
use crate::stats::Summary;

/// The module that is put into the directory again and again.
const LARGE: &str = "large";

/// Runs it for each large component.
pub(super) fn run(bench: &Bench, loaded: &[Loaded<'_>], part: &mut Part) -> Result<()> {
    let columns = ["", "compiled in ms", "p50 µs", "p99 µs", "p99 when nothing is", "ratio"];
    let title = "Another module's clients at 2,000 messages/s, while a component is compiled";
    let mut table = Table::new(title, &columns);
    for it in large(loaded) {
        let name = &it.language.name;
        let home = Home::new(bench, &format!("beside-{name}"), "watch = true\n")?;
        let bytes = std::fs::read(sporegate::prebuilt(bench, "echo")?)?;
        home.put(MODULE, &Component { bytes, sidecar: None }, "")?;
        let server = home.start()?;
        let mut dropped = Dropped { home: &home, component: it.component, loads: 0 };
        let mut rounds = Vec::new();
        for round in 0..bench.rounds {
            let measured = one(bench, &server, &mut dropped);
            let what = format!("while {name} is compiled");
            let Some((quiet, busy)) = or_note(measured, &what, part) else { break };
            let (before, after) = (quiet.p99_us, busy.p99_us);
            say(&format!("round {}, beside {name}: p99 {before:.0} -> {after:.0} µs", round + 1));
            part.raw.push(json!({ "beside": name, "quiet": quiet, "compiling": busy }));
            rounds.push((quiet, busy));
        }
        let of = |get: fn(&(Figures, Figures)) -> f64| Summary::of(rounds.iter().map(get));
        table.rows.push(vec![
            format!("echo in {name}"),
            cell(Summary::of(home.took(LARGE)?)),
            cell(of(|(_, busy)| busy.p50_us)),
            cell(of(|(_, busy)| busy.p99_us)),
            cell(of(|(quiet, _)| quiet.p99_us)),
            cell(of(|(quiet, busy)| busy.p99_us / quiet.p99_us)),
        ]);
    }
    if !table.rows.is_empty() {
        part.tables.push(table);
        part.notes.push(
            "Latencies beside a compilation count from when a message was due; the generator wakes \
             each millisecond, so that up to one of it is the generator's."
                .to_owned(),
        );
    }
    Ok(())
}

/// A window in which nothing is compiled, and one in which the component is put there again as soon as it
/// serves.
fn one(bench: &Bench, server: &Server, dropped: &mut Dropped<'_>) -> Result<(Figures, Figures)> {
    let path = home::path(MODULE);
    let quiet = paced((server, &path), bench.span)?;
    let done = AtomicBool::new(false);
    let (busy, compiled) = scope(|scope| {
        let compiling = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                dropped.again()?;
            }
            anyhow::Ok(())
        });
        let span = Span { warm: bench.span.warm.max(BEGUN), ..bench.span };
        let figures = paced((server, &path), span);
        done.store(true, Ordering::Relaxed);
        (figures, compiling.join())
    });
    compiled.map_err(|_| anyhow!("the compiling thread failed"))??;
    Ok((quiet, busy?))
}

/// A component that is put into the directory, each time as another file.
struct Dropped<'a> {
    home: &'a Home,
    component: &'a Component,
    loads: usize,
}

impl Dropped<'_> {
    /// Puts it there, and waits until it serves.
    fn again(&mut self) -> Result<()> {
        let mark = u8::try_from(self.loads % 256)?;
        let bytes = marked(&self.component.bytes, mark);
        let sidecar = self.component.sidecar.clone();
        self.home.put(LARGE, &Component { bytes, sidecar }, "")?;
        self.loads += 1;
        self.home.wait_for(LARGE, self.loads)
    }
}
