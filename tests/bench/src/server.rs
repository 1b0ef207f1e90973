//! A server under test: a child process, its start, its figures, its end.
//!
//! Invariant: the process is ended when the value is dropped, whatever happened before.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, Cpu};

/// How long a server may take until it says where it listens; a debug build compiles modules.
const START: Duration = Duration::from_secs(60);
/// How long a server may go on working for what has ended.
const SETTLE: Duration = Duration::from_secs(3);

/// How to start a server. It must print a line with `ws://127.0.0.1:PORT`.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// Name in the report.
    pub(crate) name: &'static str,
    /// Program and arguments.
    pub(crate) command: Vec<OsString>,
    /// Variables added to the environment, from which all other `SPOREGATE_*` are taken away.
    pub(crate) env: Vec<(&'static str, String)>,
    /// File for its output.
    pub(crate) log: PathBuf,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Name in the report.
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How long its start took, until it listened.
    pub(crate) started_in: Duration,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started, ends, or does not say in time where it listens; with its last output.
    pub(crate) fn start(launch: &Launch) -> Result<Self> {
        let [program, arguments @ ..] = launch.command.as_slice() else {
            bail!("{}: no command", launch.name)
        };
        let output = File::create(&launch.log)
            .with_context(|| format!("creating {}", launch.log.display()))?;
        let mut command = guarded(program);
        without_settings(&mut command);
        command
            .args(arguments)
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("starting {}", launch.name))?;
        let mut server = Self {
            name: launch.name,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            started_in: Duration::ZERO,
            child,
            log: launch.log.clone(),
        };
        server.address = server.wait_until_it_listens()?;
        server.started_in = begun.elapsed();
        Ok(server)
    }

    /// User and system time of all its threads since its start.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        process::cpu(self.child.id()).with_context(|| self.lost())
    }

    /// Resident memory, bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        process::resident(self.child.id()).with_context(|| self.lost())
    }

    /// Memory that it has written, bytes.
    pub(crate) fn written(&self) -> Result<u64> {
        process::written(self.child.id()).with_context(|| self.lost())
    }

    /// Waits until it has stopped working, for a few seconds at most.
    pub(crate) fn settle(&self) -> Result<()> {
        let deadline = Instant::now() + SETTLE;
        let mut last = self.cpu()?;
        let mut quiet = 0;
        while quiet < 3 && Instant::now() < deadline {
            sleep(Duration::from_millis(50));
            let now = self.cpu()?;
            quiet = if now.since(last) <= Duration::from_millis(10) { quiet + 1 } else { 0 };
            last = now;
        }
        Ok(())
    }

    fn wait_until_it_listens(&mut self) -> Result<SocketAddr> {
        let deadline = Instant::now() + START;
        loop {
            let output = fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(address) = output.split_inclusive('\n').find_map(address_in) {
                return Ok(address);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at once ({status}); its last words:\n{}", self.name, tail(&output));
            }
            if Instant::now() > deadline {
                bail!("{} does not say where it listens; it said:\n{}", self.name, tail(&output));
            }
            sleep(Duration::from_millis(2));
        }
    }

    fn lost(&self) -> String {
        format!("{} has ended, see {}", self.name, self.log.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that the kernel ends with this process, where `setpriv` (util-linux) is installed.
fn guarded(program: &OsString) -> Command {
    let setpriv = PathBuf::from("/usr/bin/setpriv");
    if setpriv.exists() {
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Takes the settings of the gateway that are in the environment from a command.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SPOREGATE_") {
            command.env_remove(name);
        }
    }
}

/// The address in a line that has `ws://127.0.0.1:PORT`, once something follows the port: the
/// line may be half written.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("ws://127.0.0.1:")?;
    let (port, _) = rest.split_once(|c: char| !c.is_ascii_digit())?;
    Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_log_line() {
        let line = "2026 INFO listening url=ws://127.0.0.1:43210/websocket clients=0";
        assert_eq!(address_in(line), Some(SocketAddr::from(([127, 0, 0, 1], 43210))));
        assert_eq!(address_in("listening on 127.0.0.1:1"), None);
        assert_eq!(address_in("ws://127.0.0.1:432"), None, "half written");
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_its_last_words() {
        let log = std::env::temp_dir().join(format!("sporegate-bench-{}.log", std::process::id()));
        let launch = Launch {
            name: "broken",
            command: vec!["sh".into(), "-c".into(), "echo no such module; exit 3".into()],
            env: Vec::new(),
            log: log.clone(),
        };
        let error = Server::start(&launch).unwrap_err().to_string();
        let _ = fs::remove_file(log);
        assert!(error.contains("broken ended at once"), "{error}");
        assert!(error.contains("no such module"), "{error}");
    }
}
