//! What does it cost to write a listener in another language?
//!
//! Invariant: a language that is not measured has a row that says why.

mod beside;
mod load;
mod memory;
mod ready;

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use self::load::Loaded;
use self::memory::Memory;
use super::closed_echo_on;
use crate::bench::{Bench, Kind, say};
use crate::home;
use crate::language::{self, Language};
use crate::meter::Figures;
use crate::race::{self, Case};
use crate::report::{Part, Table, median};
use crate::sporegate::Gateway;
use crate::stats::{Summary, figure};

/// The module's name in all gateways of this part.
const MODULE: &str = "echo";
/// The line without a module, for comparison.
const NATIVE: Kind = Kind::Gateway(Gateway::Native);
const COLUMNS: [&str; 9] = [
    "Language",
    "made with",
    "lines",
    "component",
    "load, compiled",
    "load, from the cache",
    "an instance: linear memory",
    "resident",
    "CPU per message",
];

/// Runs the part.
pub(crate) fn run(bench: &Bench) -> Result<Part> {
    let mut part = Part::new("The echo listener in every language");
    let languages = language::all(bench)?;
    let (loaded, refused) = load::all(bench, &languages)?;
    let (messages, native) = messages(bench, &loaded, &mut part)?;
    let mut memory = Vec::new();
    for it in &loaded {
        let measured = memory::measure(bench, it);
        memory.push(or_note(measured, &format!("{}, an instance", it.language.name), &mut part));
    }
    let mut table = Table::new("", &COLUMNS);
    for language in &languages {
        let found = loaded.iter().position(|it| it.language.name == language.name);
        let measured = found.and_then(|at| {
            Some((loaded.get(at)?, messages.get(at).copied().flatten(), memory.get(at)?.as_ref()))
        });
        let cells = match (measured, &language.component) {
            (Some(measured), _) => figures(measured),
            (None, Err(why)) => vec![why.clone()],
            (None, Ok(component)) => {
                let refusal = refused.iter().find(|(name, _)| *name == language.name);
                let why = refusal.map_or("it was not loaded", |(_, why)| why);
                vec![size(component.bytes.len()), format!("refused: {}", one_line(why))]
            }
        };
        let tool = language.tool.clone().unwrap_or_else(|| "not written down".to_owned());
        let lines = language.lines.map_or_else(|| "-".to_owned(), |lines| lines.to_string());
        let mut row = vec![language.name.clone(), tool, lines];
        row.extend(cells);
        row.resize(COLUMNS.len(), "-".to_owned());
        table.rows.push(row);
    }
    part.tables.push(table);
    notes(native, &mut part);
    beside::run(bench, &loaded, &mut part)?;
    ready::run(bench, &loaded, &mut part)?;
    Ok(part)
}

/// The cells of a language from the size of the component on.
fn figures(
    (loaded, cpu_us, memory): (&Loaded<'_>, Option<Summary>, Option<&Memory>),
) -> Vec<String> {
    let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
    let resident = memory.and_then(|it| it.resident_bytes);
    let time = |all: &[f64]| Summary::of(all.iter().copied()).map(|ms| time(ms.median));
    vec![
        size(loaded.component.bytes.len()),
        time(&loaded.cold_ms).unwrap_or_default(),
        time(&loaded.cached_ms).unwrap_or_default(),
        or_none(memory.map(|it| size(it.linear_bytes as usize))),
        or_none(resident.map(|it| size(it.median.max(0.0) as usize))),
        or_none(cpu_us.map(|it| format!("{} µs", figure(it.median)))),
    ]
}

fn notes(native: Option<Summary>, part: &mut Part) {
    part.notes.extend([
        "Lines: those of the source of `echo` that are neither blank nor comments.".to_owned(),
        "Load: from reading the file until it serves, as the gateway logs it, in a gateway that is \
         new: with nothing compiled yet, and again under another name."
            .to_owned(),
        format!(
            "An instance: its linear memory and tables, as `sporegate modules` shows them; and what \
             {} instances more add to the memory of the gateway that is resident and of no file, for \
             each, after clients have spoken to all of them. Pages that instances share count once.",
            memory::MORE
        ),
        format!(
            "CPU per message: of the whole gateway, 64 connections in a closed loop. Without a \
             module the same line takes {} µs.",
            median(native)
        ),
    ]);
}

/// CPU of a message in each language, and without a module; rounds are interleaved.
fn messages(
    bench: &Bench,
    loaded: &[Loaded<'_>],
    part: &mut Part,
) -> Result<(Vec<Option<Summary>>, Option<Summary>)> {
    let case = Case { name: "64 connections, closed loop".to_owned(), clients: 64, in_flight: 1 };
    let servers = loaded.iter().map(|it| it.home.start()).collect::<Result<Vec<_>>>()?;
    let native = race::line_up(bench, &[NATIVE], "echo", part);
    let path = home::path(MODULE);
    let mut lanes: Vec<(String, _, Vec<Figures>)> = Vec::new();
    for (it, server) in loaded.iter().zip(&servers) {
        lanes.push((it.language.name.clone(), (server, path.as_str()), Vec::new()));
    }
    for it in &native {
        lanes.push((NATIVE.name().to_owned(), (&it.server, it.path.as_str()), Vec::new()));
    }
    // A language that fails once is out of it.
    let mut out = BTreeSet::new();
    for round in 0..bench.rounds {
        for (name, on, all) in &mut lanes {
            if out.contains(name) {
                continue;
            }
            let measured = closed_echo_on(bench, *on, &case);
            let Some(figures) = or_note(measured, name, part) else {
                out.insert(name.clone());
                continue;
            };
            say(&format!("round {}, {name}: {:.2} µs CPU", round + 1, figures.cpu_us));
            part.raw.push(json!({ "language": name, "round": round, "figures": figures }));
            all.push(figures);
        }
    }
    let of = |all: &[Figures]| Summary::of(all.iter().map(|figures| figures.cpu_us));
    let counted = |(name, _, all): &(String, _, Vec<Figures>)| {
        if out.contains(name) { None } else { of(all) }
    };
    let mut summaries: Vec<_> = lanes.iter().map(counted).collect();
    let native = summaries.split_off(loaded.len()).pop().flatten();
    Ok((summaries, native))
}

/// What was measured; a failure is a note, and does not end the part.
fn or_note<T>(measured: Result<T>, what: &str, part: &mut Part) -> Option<T> {
    measured
        .inspect_err(|error| {
            say(&format!("FAILED {what}: {error:#}"));
            part.notes.push(format!("Failed: {what}: {error:#}"));
        })
        .ok()
}

/// Bytes for people.
fn size(bytes: usize) -> String {
    let bytes = bytes as f64;
    match bytes {
        0.0..1_048_576.0 => format!("{:.0} KiB", bytes / 1024.0),
        _ => format!("{:.1} MiB", bytes / 1_048_576.0),
    }
}

/// Milliseconds for people.
fn time(ms: f64) -> String {
    if ms < 1_000.0 { format!("{} ms", figure(ms)) } else { format!("{:.1} s", ms / 1e3) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Those that take long to compile.
fn large<'a>(loaded: &'a [Loaded<'a>]) -> impl Iterator<Item = &'a Loaded<'a>> {
    loaded.iter().filter(|it| it.component.bytes.len() >= 1 << 20)
}

/// Of languages, for the titles of tables.
fn names<'a>(languages: impl Iterator<Item = &'a Language>) -> String {
    languages.map(|language| language.name.as_str()).collect::<Vec<_>>().join(", ")
}
