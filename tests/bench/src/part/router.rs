//! What does the router cost at a thousand matchers?

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::bench::say;
use crate::report::{Bound, Goal, Part, Table};
use crate::stats::Summary;

/// The rows of the router's benchmark that the goal is about: ordinary messages, a thousand
/// matchers, one of which matches.
const GOALS: [&str; 3] = [
    "1000 on as many paths, short, one matches",
    "1000 by /type, short, one matches",
    "1000 by /payload/room, short, one matches",
];

/// One row: nanoseconds per message.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    label: String,
    bytes: String,
    median_ns: f64,
    best_ns: f64,
}

/// Runs the gateway's own benchmark of its router, in the workspace of the working directory.
pub(crate) fn run() -> Result<Part> {
    let mut part = Part::new("Router");
    say("running cargo bench -p sporegate --bench router");
    let output = Command::new("cargo")
        .args(["bench", "-p", "sporegate", "--bench", "router"])
        .output()
        .context("running cargo")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the router's benchmark failed:\n{errors}");
    let rows: Vec<Row> = String::from_utf8_lossy(&output.stdout).lines().filter_map(row).collect();
    let columns = ["Matchers and message", "bytes", "median ns", "best ns"];
    let mut table = Table::new("Nanoseconds per message in the router alone", &columns);
    for Row { label, bytes, median_ns, best_ns } in rows.iter().cloned() {
        table.rows.push(vec![label, bytes, format!("{median_ns:.0}"), format!("{best_ns:.0}")]);
    }
    part.tables.push(table);
    for label in GOALS {
        let median = rows.iter().find(|row| row.label == label).map(|row| row.median_ns);
        let what = format!("router: {label}");
        part.goals.push(Goal::judge(&what, Bound::AtMost(1_000.0, " ns"), Summary::of(median)));
    }
    Ok(part)
}

/// A line of label, bytes (or `-`), median and best.
fn row(line: &str) -> Option<Row> {
    let mut from_the_end = line.split_whitespace().rev();
    let best_ns = from_the_end.next()?.parse().ok()?;
    let median_ns = from_the_end.next()?.parse().ok()?;
    let bytes = from_the_end.next()?.to_owned();
    let mut label: Vec<&str> = from_the_end.collect();
    label.reverse();
    Some(Row { label: label.join(" "), bytes, median_ns, best_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_from_the_header() {
        assert_eq!(row("ns per message            bytes  median    best"), None);
        let line = "1000 paths, looking up the routes of one       -     31      29";
        let label = "1000 paths, looking up the routes of one".to_owned();
        let expected = Row { label, bytes: "-".to_owned(), median_ns: 31.0, best_ns: 29.0 };
        assert_eq!(row(line), Some(expected));
    }
}
