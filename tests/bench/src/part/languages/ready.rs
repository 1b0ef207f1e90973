//! How long does a gateway take to start when it has compiled all its modules before?
//!
//! Invariant: a start counts only if a client of each module then gets its answer.

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;

use super::super::open_echo_on;
use super::load::Loaded;
use super::{large, names};
use crate::bench::Bench;
use crate::home::{self, Home};
use crate::message::ORDINARY;
use crate::report::{Bound, Goal, Part, Table};
use crate::stats::{Summary, figure, percentile};

const STARTS: usize = 10;

/// Starts a gateway with every large component, again and again.
pub(super) fn run(bench: &Bench, loaded: &[Loaded<'_>], part: &mut Part) -> Result<()> {
    let large: Vec<_> = large(loaded).collect();
    if large.is_empty() {
        return Ok(());
    }
    let home = Home::new(bench, "ready", "")?;
    let server = home.start()?;
    for it in &large {
        let name = &it.language.name;
        let took = home.load(name, it.component)?;
        took.map_err(|why| anyhow!("{name} is refused beside others: {why}"))?;
    }
    drop(server);
    let mut took_ms = Vec::new();
    for _ in 0..bench.either(STARTS, 2) {
        let server = home.start()?;
        took_ms.push(server.started_in.as_secs_f64() * 1e3);
        for it in &large {
            let name = &it.language.name;
            let answered = open_echo_on((&server, &home::path(name)), 1, ORDINARY);
            answered.with_context(|| format!("after a start with {name}"))?;
        }
    }
    let all = names(large.iter().map(|it| it.language));
    let columns = ["From the start of the process until clients can connect", "p50 ms", "max ms"];
    let mut table = Table::new("A start with all large components in the cache", &columns);
    let ms = |share: f64| figure(percentile(&took_ms, share));
    table.rows.push(vec![format!("{all} ({} starts)", took_ms.len()), ms(0.5), ms(1.0)]);
    part.tables.push(table);
    part.goals.push(Goal::judge(
        &format!("start with {all} in the compile cache"),
        Bound::AtMost(1.0, " s"),
        Summary::of(took_ms.iter().map(|ms| ms / 1e3)),
    ));
    part.raw.push(json!({ "ready": all, "took_ms": took_ms }));
    Ok(())
}
