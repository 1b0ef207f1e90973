//! What every part of the benchmark is given: settings and the servers to compare.
//!
//! Invariant: a server that is not installed is a visible reason, never a silent gap.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::load::Span;
use crate::server::Launch;
use crate::sporegate::Gateway;

/// The settings of a run.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The gateway's binary.
    pub(crate) sporegate: PathBuf,
    /// Directories of the prebuilt listeners.
    pub(crate) listeners: Vec<PathBuf>,
    /// Directory of the scripts of other servers.
    pub(crate) scripts: PathBuf,
    /// Directory of what the run script installed for them.
    pub(crate) installed: PathBuf,
    /// Directory for logs, configurations and results.
    pub(crate) out: PathBuf,
    /// Rounds through all servers.
    pub(crate) rounds: usize,
    /// Directory of the components in other languages than Rust.
    pub(crate) languages: PathBuf,
    /// Length of one load.
    pub(crate) span: Span,
    /// A run of seconds that only shows that all works.
    pub(crate) quick: bool,
    /// Parts of names of the servers or languages to run; all if empty.
    pub(crate) only: Vec<String>,
    /// Open files that this process, and each server, may have.
    pub(crate) open_files: u64,
}

/// A server to compare, and the path to drive it on.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// How to start it.
    pub(crate) launch: Launch,
    /// Request path of the upgrade.
    pub(crate) path: String,
}

/// The servers that exist for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The gateway with a listener of its own.
    Gateway(Gateway),
    /// The bare WebSocket library, as it comes.
    Tungstenite,
    /// The same with a read buffer of 4 KiB.
    TungsteniteSmall,
    /// The original's way.
    Node,
    /// Bun with a listener in JavaScript.
    Bun,
    /// uWebSockets, raw.
    Uws,
}

impl Kind {
    /// Name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway(gateway) => gateway.name(),
            Self::Tungstenite => "tokio-tungstenite as it comes",
            Self::TungsteniteSmall => "tokio-tungstenite, 4 KiB read buffer",
            Self::Node => "Node ws, JSON listener (the original's way)",
            Self::Bun => "Bun, JSON listener",
            Self::Uws => "uWebSockets C++, raw",
        }
    }
}

impl Bench {
    /// What it takes to run `kind` on `topic` (`echo` or `fanout`).
    ///
    /// # Errors
    /// It is not installed; the message says what is missing.
    pub(crate) fn contender(&self, kind: Kind, topic: &str) -> Result<Contender> {
        if let Kind::Gateway(gateway) = kind {
            return gateway.contender(self);
        }
        let (command, needs): (Vec<OsString>, PathBuf) = match kind {
            Kind::Tungstenite => {
                let program = sibling("tungstenite-echo")?;
                (vec![program.clone().into()], program)
            }
            Kind::TungsteniteSmall => {
                let program = sibling("tungstenite-echo")?;
                let command = vec![program.clone().into(), "--read-buffer".into(), "4096".into()];
                (command, program)
            }
            Kind::Node => {
                let script = self.scripts.join("node-json.mjs");
                let command = vec!["node".into(), script.into(), self.installed.clone().into()];
                (command, self.installed.join("node_modules/ws/package.json"))
            }
            Kind::Bun => {
                let program = self.installed.join("bun");
                let command =
                    vec![program.clone().into(), self.scripts.join("bun-json.mjs").into()];
                (command, program)
            }
            Kind::Uws | Kind::Gateway(_) => {
                let program = self.installed.join("uws");
                (vec![program.clone().into()], program)
            }
        };
        require(&needs)?;
        let name = kind.name();
        Ok(Contender {
            launch: Launch { name, command, env: Vec::new(), log: self.log(name)? },
            path: format!("/{topic}"),
        })
    }

    /// The contenders that are installed, and a note for each that is not.
    pub(crate) fn contenders(
        &self,
        kinds: &[Kind],
        topic: &str,
    ) -> (Vec<(Kind, Contender)>, Vec<String>) {
        let mut ready = Vec::new();
        let mut notes = Vec::new();
        for &kind in kinds.iter().filter(|kind| self.is_wanted(kind.name())) {
            match self.contender(kind, topic) {
                Ok(contender) => ready.push((kind, contender)),
                Err(reason) => {
                    say(&format!("SKIPPED {}: {reason:#}", kind.name()));
                    notes.push(format!("Skipped: {}: {reason:#}", kind.name()));
                }
            }
        }
        (ready, notes)
    }

    /// Whether `--only` names it, or nothing.
    pub(crate) fn is_wanted(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.only.is_empty() || self.only.iter().any(|part| name.contains(&part.to_lowercase()))
    }

    /// The log file of the server `name`.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf> {
        let directory = self.out.join("logs");
        fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let file: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Ok(directory.join(format!("{file}.log")))
    }

    /// How it is run, for the report.
    pub(crate) fn settings(&self) -> String {
        let seconds = self.span.measured.as_secs_f64();
        let quick = self.either("", " **(a quick run)**");
        let debug = if self.is_debug_build() { " **(a debug build)**" } else { "" };
        let gateway = self.sporegate.display();
        format!("{} rounds of {seconds} s{quick}, gateway `{gateway}`{debug}", self.rounds)
    }

    /// Whether the figures are good for more than showing that all works.
    pub(crate) fn counts(&self) -> bool {
        !self.quick && !self.is_debug_build()
    }

    /// By where cargo puts it; the program itself does not tell.
    fn is_debug_build(&self) -> bool {
        self.sporegate.components().any(|part| part.as_os_str() == "debug")
    }

    /// `full`, or `quick` in a quick run.
    pub(crate) fn either<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Time for memory to come to rest.
    pub(crate) fn rest(&self) -> Duration {
        self.either(Duration::from_secs(5), Duration::from_millis(500))
    }
}

/// Fails with a hint where `file` is not there.
pub(crate) fn require(file: &Path) -> Result<()> {
    anyhow::ensure!(file.exists(), "{} is missing: see tests/bench/README.md", file.display());
    Ok(())
}

/// Progress, for the one who waits.
#[expect(clippy::print_stderr, reason = "a command line tool tells its progress")]
pub(crate) fn say(line: &str) {
    eprintln!("bench: {line}");
}

/// A program of this crate, which cargo puts beside this one.
fn sibling(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().context("this program lies nowhere")?.join(name))
}
