//! Interleaved rounds: every server in turn under one case, then the next case, then again.
//!
//! Invariant: ratios and differences are taken within a round, between loads that ran one after
//! the other, so that a slow drift of the machine cancels out.

use anyhow::Result;
use serde_json::json;

use crate::bench::{Bench, Contender, Kind, say};
use crate::meter::Figures;
use crate::report::{Part, Table, cell, median};
use crate::server::Server;
use crate::stats::Summary;

/// CPUs that others may keep busy in a run that counts.
const QUIET_CPUS: f64 = 0.15;

/// One load that every server gets.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its name in the report.
    pub(crate) name: String,
    /// Connections.
    pub(crate) clients: usize,
    /// Messages under way: per connection, or in all for a fan-out.
    pub(crate) in_flight: usize,
}

/// A server in the race.
#[derive(Debug)]
pub(crate) struct Entrant {
    /// Which.
    pub(crate) kind: Kind,
    /// Request path of the upgrade.
    pub(crate) path: String,
    /// Its process.
    pub(crate) server: Server,
}

/// What was measured, by case, server and round.
#[derive(Debug, Default)]
pub(crate) struct Results {
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    case: usize,
    kind: Kind,
    round: usize,
    figures: Figures,
}

/// Starts all `kinds` that are installed; notes in `part` which are not, or do not start.
pub(crate) fn line_up(bench: &Bench, kinds: &[Kind], topic: &str, part: &mut Part) -> Vec<Entrant> {
    let (ready, notes) = bench.contenders(kinds, topic);
    part.notes.extend(notes);
    let mut entrants = Vec::new();
    for (kind, Contender { launch, path }) in ready {
        match Server::start(&launch) {
            Ok(server) => entrants.push(Entrant { kind, path, server }),
            Err(error) => {
                say(&format!("FAILED to start {}: {error:#}", kind.name()));
                part.notes.push(format!("Failed to start: {error:#}"));
            }
        }
    }
    entrants
}

/// Runs the race. An entrant that fails a case is out of it, with a note in `part`.
pub(crate) fn run(
    rounds: usize,
    cases: &[Case],
    entrants: &[Entrant],
    part: &mut Part,
    mut measure: impl FnMut(&Entrant, &Case) -> Result<Figures>,
) -> Results {
    let mut results = Results::default();
    let mut out: Vec<(usize, Kind)> = Vec::new();
    for round in 0..rounds {
        for (index, case) in cases.iter().enumerate() {
            for entrant in entrants {
                let kind = entrant.kind;
                if out.contains(&(index, kind)) {
                    continue;
                }
                let prefix = format!("round {}, {}: {}", round + 1, case.name, kind.name());
                match measure(entrant, case) {
                    Ok(figures) => {
                        say(&format!(
                            "{prefix}: {:.2} µs CPU, {:.0}/s, p99 {:.0} µs",
                            figures.cpu_us, figures.rate, figures.p99_us
                        ));
                        results.samples.push(Sample { case: index, kind, round, figures });
                    }
                    Err(error) => {
                        say(&format!("FAILED {prefix}: {error:#}"));
                        part.notes.push(format!("Failed: {prefix}: {error:#}"));
                        out.push((index, kind));
                    }
                }
            }
        }
    }
    let others = Summary::of(results.samples.iter().map(|sample| sample.figures.other_cpus));
    if let Some(others) = others.filter(|others| others.median > QUIET_CPUS) {
        part.notes.push(format!(
            "**The machine was not quiet**: others kept {others} CPUs busy meanwhile, so these \
             figures are noisy."
        ));
    }
    part.raw.extend(results.samples.iter().map(|sample| {
        let case = cases.get(sample.case).map(|case| &case.name);
        json!({
            "case": case, "server": sample.kind.name(), "round": sample.round,
            "figures": sample.figures,
        })
    }));
    results
}

impl Results {
    /// A figure of `kind` under the case with the index `case`.
    pub(crate) fn of(&self, case: usize, kind: Kind, get: fn(&Figures) -> f64) -> Option<Summary> {
        Summary::of(self.samples(case, kind).map(|sample| get(&sample.figures)))
    }

    /// A figure from `a` and `b` of the same round; each with its case.
    pub(crate) fn paired(
        &self,
        a: (usize, Kind),
        b: (usize, Kind),
        join: fn(&Figures, &Figures) -> f64,
    ) -> Option<Summary> {
        Summary::of(self.samples(a.0, a.1).filter_map(|left| {
            let right = self.samples(b.0, b.1).find(|right| right.round == left.round)?;
            Some(join(&left.figures, &right.figures))
        }))
    }

    /// How many times the CPU per message of `b` that of `a` is.
    pub(crate) fn ratio(&self, case: usize, a: Kind, b: Kind) -> Option<Summary> {
        self.paired((case, a), (case, b), |a, b| a.cpu_us / b.cpu_us)
    }

    /// A table of one case: CPU, ratio to `base`, rate, latencies, who kept the CPUs busy.
    pub(crate) fn table(
        &self,
        title: &str,
        case: usize,
        entrants: &[Entrant],
        base: Kind,
    ) -> Table {
        let columns = [
            "Server",
            "CPU µs/message",
            "times better than the first",
            "messages/s",
            "p50 µs",
            "p99 µs",
            "CPUs: server",
            "generator",
            "others",
        ];
        let mut table = Table::new(title, &columns);
        for &Entrant { kind, .. } in entrants {
            table.rows.push(vec![
                kind.name().to_owned(),
                cell(self.of(case, kind, |f| f.cpu_us)),
                cell(self.ratio(case, base, kind)),
                median(self.of(case, kind, |f| f.rate)),
                median(self.of(case, kind, |f| f.p50_us)),
                median(self.of(case, kind, |f| f.p99_us)),
                median(self.of(case, kind, |f| f.server_cpus)),
                median(self.of(case, kind, |f| f.generator_cpus)),
                median(self.of(case, kind, |f| f.other_cpus)),
            ]);
        }
        table
    }

    fn samples(&self, case: usize, kind: Kind) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.case == case && sample.kind == kind)
    }
}
