//! The result of a part, and the report of all parts.
//!
//! Invariant: a goal is met only by a figure of this run; what was not measured says so.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::machine;
use crate::stats::{Summary, figure};

/// What one part found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Part {
    /// Its title.
    pub(crate) title: String,
    /// When and how it was run.
    pub(crate) taken: String,
    /// Whether its figures are good for more than showing that all works.
    pub(crate) counts: bool,
    /// Tables of figures.
    pub(crate) tables: Vec<Table>,
    /// What was compared with the goals.
    pub(crate) goals: Vec<Goal>,
    /// What a reader must know: skipped servers, failures, limits.
    pub(crate) notes: Vec<String>,
    /// Every single figure, for those who reckon themselves.
    pub(crate) raw: Vec<serde_json::Value>,
}

/// A table.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) title: String,
    /// Its columns.
    pub(crate) columns: Vec<String>,
    /// Its rows, as wide as the columns.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A goal and whether it was met.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Goal {
    what: String,
    goal: String,
    measured: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Verdict {
    Met,
    Missed,
    NotMeasured,
}

/// A bound, and its unit for people.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// The figure must be at least this.
    AtLeast(f64, &'static str),
    /// The figure must be at most this.
    AtMost(f64, &'static str),
}

impl Goal {
    /// Holds `measured` against `bound`; the median decides.
    pub(crate) fn judge(what: &str, bound: Bound, measured: Option<Summary>) -> Self {
        let (goal, unit, met): (_, _, fn(f64, f64) -> bool) = match bound {
            Bound::AtLeast(least, unit) => (format!(">= {least}{unit}"), unit, |m, b| m >= b),
            Bound::AtMost(most, unit) => (format!("<= {most}{unit}"), unit, |m, b| m <= b),
        };
        let (Bound::AtLeast(limit, _) | Bound::AtMost(limit, _)) = bound;
        let (measured, verdict) = match measured {
            None => ("not measured".to_owned(), Verdict::NotMeasured),
            Some(summary) if met(summary.median, limit) => {
                (format!("{summary}{unit}"), Verdict::Met)
            }
            Some(summary) => (format!("{summary}{unit}"), Verdict::Missed),
        };
        Self { what: what.to_owned(), goal, measured, verdict }
    }
}

impl Table {
    /// A table with no rows yet.
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { title: title.into(), columns, rows: Vec::new() }
    }
}

impl Part {
    /// An empty part.
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Writes it as `NAME.json` below `out`, for the report.
    pub(crate) fn save(&self, out: &Path, name: &str) -> Result<()> {
        let directory = out.join("parts");
        fs::create_dir_all(&directory)?;
        let file = directory.join(format!("{name}.json"));
        fs::write(&file, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("writing {}", file.display()))
    }

    /// It in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n\n", self.title, self.taken);
        for table in &self.tables {
            if !table.title.is_empty() {
                let _ = writeln!(text, "**{}**\n", table.title);
            }
            text.push_str(&rows(&table.columns, &table.rows));
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "- {}", note.replace('\n', "\n  "));
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        text
    }
}

/// Puts the saved parts `names` together as `report.md` below `out`; returns its text.
pub(crate) fn write(out: &Path, names: &[String], command: &str) -> Result<String> {
    let mut parts = Vec::new();
    let mut missing = Vec::new();
    for name in names {
        let file = out.join("parts").join(format!("{name}.json"));
        match fs::read(&file) {
            Ok(bytes) => parts.push(
                serde_json::from_slice::<Part>(&bytes)
                    .with_context(|| format!("reading {}", file.display()))?,
            ),
            Err(_) => missing.push(name.as_str()),
        }
    }
    let mut text = format!("# Benchmark report\n\n{}\n", machine::describe());
    let _ = writeln!(text, "- Command: `{command}`");
    if !missing.is_empty() {
        let _ = writeln!(text, "- Parts not run: {}", missing.join(", "));
    }
    text.push_str(
        "\nMedians of interleaved rounds, least and greatest in brackets. Absolute figures depend \
         on the machine: trust the ratios.\n\n## Goals\n\n",
    );
    if !parts.iter().all(|part| part.counts) {
        text.push_str(
            "**Quick runs or a debug build are among the parts: no verdict on them counts.**\n\n",
        );
    }
    text.push_str(&goals(&parts));
    text.push('\n');
    for part in &parts {
        text.push_str(&part.markdown());
    }
    let file = out.join("report.md");
    fs::write(&file, &text).with_context(|| format!("writing {}", file.display()))?;
    Ok(text)
}

fn goals(parts: &[Part]) -> String {
    let columns = ["What", "Goal", "Measured", ""].map(str::to_owned);
    let mut table = Vec::new();
    for goal in parts.iter().flat_map(|part| &part.goals) {
        let verdict = match goal.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "**MISSED**",
            Verdict::NotMeasured => "not measured",
        };
        let cells = [&goal.what, &goal.goal, &goal.measured, verdict];
        table.push(cells.map(|cell: &str| cell.to_owned()).to_vec());
    }
    rows(&columns, &table)
}

fn rows(columns: &[String], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// `summary` for a cell.
pub(crate) fn cell(summary: Option<Summary>) -> String {
    summary.map_or_else(|| "-".to_owned(), |summary| summary.to_string())
}

/// The median alone for a cell.
pub(crate) fn median(summary: Option<Summary>) -> String {
    summary.map_or_else(|| "-".to_owned(), |summary| figure(summary.median))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bound: Bound, values: &[f64]) -> Verdict {
        Goal::judge("x", bound, Summary::of(values.iter().copied())).verdict
    }

    #[test]
    fn the_median_decides_whether_a_goal_is_met() {
        assert_eq!(verdict(Bound::AtLeast(1.9, "x"), &[1.0, 1.9, 5.0]), Verdict::Met);
        assert_eq!(verdict(Bound::AtLeast(1.9, "x"), &[1.0, 1.8, 5.0]), Verdict::Missed);
        assert_eq!(verdict(Bound::AtMost(1.5, " µs"), &[1.4]), Verdict::Met);
        assert_eq!(verdict(Bound::AtMost(1.5, " µs"), &[1.6]), Verdict::Missed);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert_eq!(verdict(Bound::AtMost(1.5, " µs"), &[]), Verdict::NotMeasured);
    }
}
