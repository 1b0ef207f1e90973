//! The benchmark of the gateway: starts servers side by side, loads each in turn, and reports.
//!
//! Invariant: no crate of the gateway is linked here; every server is driven through its socket
//! and looked at from outside.

mod bench;
mod client;
mod frame;
mod home;
mod language;
mod large_module;
mod limit;
mod load;
mod machine;
mod message;
mod meter;
mod part;
mod process;
mod race;
mod report;
mod server;
mod sporegate;
mod stats;
mod swarm;
mod visitor;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use crate::bench::{Bench, say};
use crate::load::Span;
use crate::report::Part;

/// Compares the gateway with other servers, side by side in one run.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// What to run, in this order; all parts if none is named.
    #[arg(value_enum)]
    parts: Vec<Name>,
    /// The gateway's binary.
    #[arg(long, default_value = "target/dist/sporegate")]
    sporegate: PathBuf,
    /// Directories of the prebuilt listeners.
    #[arg(long, default_values = ["examples/prebuilt", "tests/guests/prebuilt"])]
    listeners: Vec<PathBuf>,
    /// Directory of the components in other languages than Rust, each in a folder of its own.
    #[arg(long, env = "SPOREGATE_LANGUAGES", default_value = "target/languages")]
    languages: PathBuf,
    /// Directory of the other servers' scripts.
    #[arg(long, default_value = "tests/bench/servers")]
    scripts: PathBuf,
    /// Directory of what was installed for the other servers.
    #[arg(long, default_value = "target/bench-node")]
    installed: PathBuf,
    /// Directory for logs, configurations and results.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Rounds through all servers.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of one measured load.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Runs only the servers or languages whose name contains this; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// One short round: shows that all works, its figures mean nothing.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// CPU, rate and latency of an echo.
    Echo,
    /// Memory per idle connection.
    Idle,
    /// One sender, a thousand receivers.
    Fanout,
    /// Each limit of the gate, alone.
    Limits,
    /// A fresh instance per message.
    Lifetime,
    /// Latency under half the load.
    Latency,
    /// More connections, the same message rate.
    Scale,
    /// Swaps under load, and a hostile module.
    Swap,
    /// Modules that are loaded while others serve.
    Compile,
    /// The echo listener in every language.
    Languages,
    /// Sessions of clients who are away and come back.
    Sessions,
    /// The router alone (runs `cargo bench`).
    Router,
    /// Only writes the report from the results that are there.
    Report,
}

const PARTS: [Name; 12] = [
    Name::Echo,
    Name::Idle,
    Name::Fanout,
    Name::Limits,
    Name::Lifetime,
    Name::Latency,
    Name::Scale,
    Name::Swap,
    Name::Compile,
    Name::Languages,
    Name::Sessions,
    Name::Router,
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.rounds > 0, "--rounds must be at least 1");
    ensure!((0.05..=60.0).contains(&arguments.seconds), "--seconds must be between 0.05 and 60");
    let (rounds, warm, seconds) =
        if arguments.quick { (1, 0.1, 0.3) } else { (arguments.rounds, 0.5, arguments.seconds) };
    let span =
        Span { warm: Duration::from_secs_f64(warm), measured: Duration::from_secs_f64(seconds) };
    let bench = Bench {
        sporegate: arguments.sporegate,
        listeners: arguments.listeners,
        languages: arguments.languages,
        scripts: arguments.scripts,
        installed: arguments.installed,
        out: arguments.out,
        rounds,
        span,
        quick: arguments.quick,
        only: arguments.only,
        open_files: process::raise_open_files()?,
    };
    std::fs::create_dir_all(&bench.out)?;
    let names = if arguments.parts.is_empty() { PARTS.to_vec() } else { arguments.parts };
    for name in names.iter().copied().filter(|name| *name != Name::Report) {
        let mut part = match run(name, &bench) {
            Ok(part) => part,
            Err(error) => {
                say(&format!("FAILED {name:?}: {error:#}"));
                let mut part = Part::new(&format!("{name:?}"));
                part.notes.push(format!("Failed: {error:#}"));
                part
            }
        };
        part.taken = format!("Taken {}: {}", machine::now(), bench.settings());
        part.counts = bench.counts();
        part.save(&bench.out, &key(name))?;
    }
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let text = report::write(&bench.out, &PARTS.map(key), &command)?;
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn run(name: Name, bench: &Bench) -> Result<Part> {
    match name {
        Name::Echo => part::echo::run(bench),
        Name::Idle => part::idle::run(bench),
        Name::Fanout => part::fanout::run(bench),
        Name::Limits => part::limits::run(bench),
        Name::Lifetime => part::lifetime::run(bench),
        Name::Latency => part::latency::run(bench),
        Name::Scale => part::scale::run(bench),
        Name::Swap => part::swap::run(bench),
        Name::Compile => part::compile::run(bench),
        Name::Languages => part::languages::run(bench),
        Name::Sessions => part::sessions::run(bench),
        Name::Router => part::router::run(),
        Name::Report => Ok(Part::default()),
    }
}

fn key(name: Name) -> String {
    format!("{name:?}").to_lowercase()
}
