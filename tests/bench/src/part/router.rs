//! What does the router cost at a thousand matchers?

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::bench::say;
use crate::report::{Bound, Goal, Part};
use crate::stats::Summary;

/// Runs the gateway's own benchmark of its router in the workspace at `root`.
///
/// It prints a line `1000 matchers, one matches: N ns` (see `host/benches/router.rs`).
pub(crate) fn run(root: &Path) -> Result<Part> {
    let mut part = Part::new("Router");
    say("running cargo bench -p sporegate --bench router");
    let output = Command::new("cargo")
        .args(["bench", "-p", "sporegate", "--bench", "router"])
        .current_dir(root)
        .output()
        .context("running cargo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the router's benchmark failed:\n{errors}");
    part.notes.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    part.goals.push(Goal::judge(
        "1,000 registered matchers, message matching one",
        Bound::AtMost(1_000.0, " ns"),
        nanoseconds(&text).and_then(|ns| Summary::of([ns])),
    ));
    Ok(part)
}

fn nanoseconds(text: &str) -> Option<f64> {
    let line =
        text.lines().find_map(|line| line.trim().strip_prefix("1000 matchers, one matches:"))?;
    line.trim().strip_suffix("ns")?.trim().parse().ok()
}
