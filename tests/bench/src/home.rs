//! A gateway with modules of any origin: its directory, its starts, what it tells of its modules.
//!
//! Invariant: a module that is refused is told with the gateway's reason, and is no failure.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::bench::{Bench, require};
use crate::language::Component;
use crate::server::{Launch, Server, without_settings};
use crate::sporegate::{self, CONFIG};

/// Name of the servers.
const NAME: &str = "Sporegate, a listener in some language";
/// How long a module may take until it serves.
const LONGEST_LOAD: Duration = Duration::from_secs(300);

/// The directory of a gateway.
#[derive(Debug)]
pub(crate) struct Home {
    program: PathBuf,
    directory: PathBuf,
    log: PathBuf,
}

impl Home {
    /// An empty one: no module, nothing compiled. `settings` come before all others.
    pub(crate) fn new(bench: &Bench, name: &str, settings: &str) -> Result<Self> {
        require(&bench.sporegate)?;
        let directory = bench.out.join("gateway/languages").join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        let modules = directory.join("modules");
        fs::create_dir_all(&modules).with_context(|| format!("creating {}", modules.display()))?;
        let config = format!("control = \"control\"\n{settings}{CONFIG}");
        fs::write(directory.join("sporegate.toml"), config)?;
        let log = bench.log(&format!("language {name}"))?;
        Ok(Self { program: bench.sporegate.clone(), directory, log })
    }

    /// Starts the gateway; what was compiled before is kept.
    pub(crate) fn start(&self) -> Result<Server> {
        let config = self.directory.join("sporegate.toml").canonicalize()?;
        let command =
            vec![self.program.clone().into(), "serve".into(), "--config".into(), config.into()];
        Server::start(&Launch { name: NAME, command, env: Vec::new(), log: self.log.clone() })
    }

    /// Puts a module into the directory; `settings` go before those of its own sidecar.
    pub(crate) fn put(&self, module: &str, component: &Component, settings: &str) -> Result<()> {
        let own = component.sidecar.as_deref().unwrap_or_default();
        let sidecar = self.modules().join(format!("{module}.toml"));
        if !(settings.is_empty() && own.is_empty()) {
            fs::write(sidecar, format!("{settings}{own}"))?;
        }
        sporegate::put(&self.directory, module, &component.bytes)
    }

    /// Takes a module out of the directory.
    pub(crate) fn remove(&self, module: &str) -> Result<()> {
        fs::remove_file(self.modules().join(format!("{module}.wasm")))?;
        let sidecar = self.modules().join(format!("{module}.toml"));
        if sidecar.exists() { Ok(fs::remove_file(sidecar)?) } else { Ok(()) }
    }

    /// Puts a module into the directory of the running gateway, and waits until it serves. Returns
    /// how long that took by the gateway's own clock, in ms, or why it was refused.
    pub(crate) fn load(&self, module: &str, of: &Component) -> Result<Result<f64, String>> {
        self.put(module, of, "")?;
        // It fails where a file is refused; the list says why.
        self.command(&["reload"])?;
        match self.refusal(module)? {
            Some(reason) => Ok(Err(reason)),
            None => {
                let took = self.took(module)?.pop();
                Ok(Ok(took.with_context(|| format!("{module}: the log has no took_ms"))?))
            }
        }
    }

    /// Why a module does not serve, if it does not.
    pub(crate) fn refusal(&self, module: &str) -> Result<Option<String>> {
        let status = self.status(module)?;
        let text = |key: &str| status.get(key).and_then(Value::as_str);
        match (text("state"), text("reason")) {
            (Some("active"), _) => Ok(None),
            (_, Some(reason)) => Ok(Some(reason.to_owned())),
            (state, None) => bail!("{module} is {state:?}"),
        }
    }

    /// Linear memory of all instances of a module, in bytes, as the gateway tells it.
    pub(crate) fn linear_memory(&self, module: &str) -> Result<f64> {
        let status = self.status(module)?;
        let bytes = status.get("memory_bytes").and_then(Value::as_f64);
        bytes.with_context(|| format!("no memory_bytes in {status}"))
    }

    /// How long each load or swap of a module took so far, in ms.
    pub(crate) fn took(&self, module: &str) -> Result<Vec<f64>> {
        let of = |line: &&Value| line.get("module").and_then(Value::as_str) == Some(module);
        let log = sporegate::lines(&self.log)?;
        Ok(log.iter().filter(of).filter_map(|line| line.get("took_ms")?.as_f64()).collect())
    }

    /// Waits until so many loads and swaps of a module are done.
    pub(crate) fn wait_for(&self, module: &str, loads: usize) -> Result<()> {
        let begun = Instant::now();
        while self.took(module)?.len() < loads {
            if begun.elapsed() > LONGEST_LOAD {
                bail!("{module} does not serve; see {}", self.log.display());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn status(&self, module: &str) -> Result<Value> {
        let listed = self.command(&["list", "--json"])?;
        let said = String::from_utf8_lossy(&listed.stderr);
        ensure!(listed.status.success(), "the gateway does not list its modules: {said}");
        let rows: Vec<Value> = serde_json::from_slice(&listed.stdout)?;
        let is_it = |row: &Value| row.get("name").and_then(Value::as_str) == Some(module);
        rows.into_iter().find(is_it).with_context(|| format!("the gateway knows no {module}"))
    }

    /// What `sporegate modules` says.
    fn command(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        without_settings(&mut command);
        command.args(["modules", "--control"]).arg(self.directory.join("control")).args(arguments);
        Ok(command.output()?)
    }

    fn modules(&self) -> PathBuf {
        self.directory.join("modules")
    }
}

/// A module's file with a mark, which makes another file of it and changes nothing else: a custom
/// section at its end.
pub(crate) fn marked(file: &[u8], mark: u8) -> Vec<u8> {
    const NAME: &[u8] = b"bench";
    let length = NAME.len() as u8;
    let mut file = file.to_vec();
    file.extend([0, length + 2, length]);
    file.extend(NAME);
    file.push(mark);
    file
}

/// The path on which a module serves its clients.
pub(crate) fn path(module: &str) -> String {
    format!("/websocket/{module}")
}
