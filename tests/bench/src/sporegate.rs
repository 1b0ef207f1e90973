//! The gateway under test: its configuration, its modules, its paths.
//!
//! Invariant: it runs as it ships. Only what would disturb the counting (greeting, keep-alive) is
//! off, and the connection limit is high enough.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::bench::{Bench, Contender, require};
use crate::limit::{Limit, TOKEN, TOKENS};
use crate::server::{Launch, without_settings};

/// What holds for all, after the settings of its own.
pub(crate) const CONFIG: &str = r#"listen = "127.0.0.1:0"
modules = "modules"
greeting = false
keep_alive = false
max_connections = 30000

[sandbox]
cache = "cache"

[[paths]]
pattern = "/*"
anonymous = true
"#;

/// Every limit of a client, and the metrics: high enough that none is reached.
const ALL_LIMITS: &str = r#"
[limits]
messages = "json"
message_rate = 1000000
byte_rate = "1GiB"
idle_timeout = "1h"
lifetime = "1h"
slow_client = "drop-oldest"

[metrics]
listen = "127.0.0.1:0"
"#;

/// Instead of the settings of these names: clients may come back, and nothing is ended for want of
/// room or time.
const SESSIONS: &str = r#"greeting = true
reconnect_timeout = "1h"
reconnect_sessions = 100000
reconnect_memory = "4GiB"
"#;

/// Beside them: a thousand clients of one address come again and again.
const SESSION_LIMITS: &str = r#"
[limits]
connect_rate = 0
outbox_messages = 100000
outbox_size = "64MiB"
"#;

/// Where they are kept, below the home of the gateway.
const STORE: &str = "sessions";

/// The gateway with one thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// The echo listener.
    Echo,
    /// The echo listener with two instances, between which the clients are divided.
    EchoTwice,
    /// The echo listener with all limits and metrics on.
    EchoLimited,
    /// The echo listener beside fifteen others.
    EchoOfMany,
    /// The echo listener with a fresh instance for every message.
    EchoPerCall,
    /// The echo built into the gateway for this comparison.
    Native,
    /// The listener that parses and writes JSON.
    Json,
    /// A listener that sends what it gets to everybody else.
    FanOut,
    /// An echo with a state of 1 MiB, whose revisions are swapped.
    Swapped,
    /// The echo listener beside a module that is told to misbehave.
    BesideHostile,
    /// The echo listener, while other modules are loaded.
    Loading,
    /// The echo listener with one limit on.
    With(&'static Limit),
    /// Clients who are away, and the listeners that send to them.
    Sessions,
    /// The same with the sessions on the disk, too.
    StoredSessions,
}

impl Gateway {
    /// Name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "Sporegate, WASM echo",
            Self::EchoTwice => "Sporegate, WASM echo, 2 instances",
            Self::EchoLimited => "Sporegate, WASM echo, all limits and metrics",
            Self::EchoOfMany => "Sporegate, WASM echo, 16 modules",
            Self::EchoPerCall => "Sporegate, WASM echo, lifetime = call",
            Self::Native => "Sporegate, native echo",
            Self::Json => "Sporegate, WASM JSON listener",
            Self::FanOut => "Sporegate, WASM broadcast",
            Self::Swapped => "Sporegate, swapped WASM echo",
            Self::BesideHostile => "Sporegate, WASM echo beside a hostile module",
            Self::Loading => "Sporegate, WASM echo beside modules that are loaded",
            Self::With(limit) => limit.name,
            Self::Sessions => "Sporegate, sessions in memory",
            Self::StoredSessions => "Sporegate, sessions on the disk",
        }
    }

    /// What it takes to run it; writes its directory anew.
    pub(crate) fn contender(self, bench: &Bench) -> Result<Contender> {
        require(&bench.sporegate)?;
        let home = home(bench, self);
        let modules = home.join("modules");
        if modules.exists() {
            fs::remove_dir_all(&modules)?;
        }
        let compiled = home.join("cache");
        // Sessions outlive the process that had them.
        if store(&home).exists() {
            fs::remove_dir_all(store(&home))?;
        }
        // What an earlier run has compiled is what is measured here.
        if self == Self::Loading && compiled.exists() {
            fs::remove_dir_all(compiled)?;
        }
        fs::create_dir_all(&modules).with_context(|| format!("creating {}", modules.display()))?;
        let limits = match self {
            Self::EchoLimited => ALL_LIMITS,
            Self::Sessions | Self::StoredSessions => SESSION_LIMITS,
            _ => "",
        };
        let control = match self {
            Self::Swapped | Self::Loading => "control = \"control\"\n",
            _ => "",
        };
        let folder = format!("reconnect_folder = {:?}\n", home.canonicalize()?.join(STORE));
        let sessions = || CONFIG.replace("greeting = false\n", SESSIONS);
        let config = match self {
            Self::With(limit) => limit.config(),
            Self::Sessions => sessions() + limits,
            Self::StoredSessions => folder + &sessions() + limits,
            _ => format!("{control}{CONFIG}{limits}"),
        };
        fs::write(home.join("sporegate.toml"), config)?;
        if let Self::With(_) = self {
            fs::write(home.join("tokens.toml"), TOKENS)?;
        }
        for (name, listener, sidecar) in self.modules() {
            install(bench, &modules, &name, listener, sidecar)?;
        }
        if self == Self::Swapped {
            put_revision(bench, &home, "echo-0")?;
        }
        let path = match self {
            Self::Echo
            | Self::EchoTwice
            | Self::EchoLimited
            | Self::EchoOfMany
            | Self::EchoPerCall
            | Self::BesideHostile
            | Self::Loading => "echo".to_owned(),
            Self::With(_) => format!("echo?access_token={TOKEN}"),
            Self::Swapped => "tally".to_owned(),
            Self::Native => "__native_echo".to_owned(),
            Self::Json => "json-echo".to_owned(),
            Self::FanOut => "fanout".to_owned(),
            Self::Sessions | Self::StoredSessions => "probe".to_owned(),
        };
        let env = match self {
            Self::Native => vec![("SPOREGATE_TEST_NATIVE_ECHO", "1".to_owned())],
            _ => Vec::new(),
        };
        let config = home.join("sporegate.toml");
        let command = vec![
            bench.sporegate.clone().into(),
            "serve".into(),
            "--config".into(),
            config.canonicalize()?.into(),
        ];
        let launch = Launch { name: self.name(), command, env, log: bench.log(self.name())? };
        Ok(Contender { launch, path: format!("/websocket/{path}") })
    }

    /// Name, prebuilt listener and sidecar of each module.
    fn modules(self) -> Vec<(String, &'static str, Option<&'static str>)> {
        match self {
            Self::Echo | Self::EchoLimited | Self::Native | Self::Loading | Self::With(_) => {
                vec![("echo".to_owned(), "echo", None)]
            }
            Self::EchoOfMany => (0..15)
                .map(|other| (format!("other-{other}"), "echo", None))
                .chain([("echo".to_owned(), "echo", None)])
                .collect(),
            Self::EchoTwice => {
                vec![("echo".to_owned(), "echo", Some("[run]\ninstances = 2\n"))]
            }
            Self::EchoPerCall => {
                vec![("echo".to_owned(), "echo", Some("[run]\nlifetime = \"call\"\n"))]
            }
            Self::Json => vec![("json-echo".to_owned(), "json-echo", None)],
            Self::FanOut => vec![("fanout".to_owned(), "fanout", None)],
            Self::Swapped => vec![("tally".to_owned(), "tally", None)],
            Self::Sessions | Self::StoredSessions => {
                ["fanout", "probe"].map(|name| (name.to_owned(), name, None)).into()
            }
            Self::BesideHostile => vec![
                ("echo".to_owned(), "echo", None),
                ("probe".to_owned(), "probe", None),
                ("tireless".to_owned(), "probe", Some("[run]\nbreaker_failures = 0\n")),
            ],
        }
    }
}

/// Where a gateway has its configuration and modules.
pub(crate) fn home(bench: &Bench, gateway: Gateway) -> PathBuf {
    let name = match gateway {
        Gateway::With(limit) => limit.directory(),
        _ => format!("{gateway:?}").to_lowercase(),
    };
    bench.out.join("gateway").join(name)
}

/// Where a gateway with this home keeps sessions.
pub(crate) fn store(home: &Path) -> PathBuf {
    home.join(STORE)
}

/// Puts a revision of the listener `tally` in place that behaves in this manner.
pub(crate) fn put_revision(bench: &Bench, home: &Path, manner: &str) -> Result<()> {
    put(home, "tally", &revision(bench, manner)?)
}

/// A revision of the listener `tally`; another manner makes another file of it.
pub(crate) fn revision(bench: &Bench, manner: &str) -> Result<Vec<u8>> {
    const MARK: &[u8] = b"manner:first";
    let mut file = fs::read(prebuilt(bench, "tally")?)?;
    let at = file.windows(MARK.len()).position(|window| window == MARK);
    let mut text = format!("manner:{manner}").into_bytes();
    text.resize(text.len().max(MARK.len()), b'.');
    let place = at.and_then(|at| file.get_mut(at..at + text.len()));
    place.context("tally.wasm has no mark")?.copy_from_slice(&text);
    Ok(file)
}

/// Puts a file into the module directory, whole at once.
pub(crate) fn put(home: &Path, module: &str, file: &[u8]) -> Result<()> {
    let new = home.join(format!("{module}.new"));
    fs::write(&new, file)?;
    fs::rename(new, home.join("modules").join(format!("{module}.wasm")))?;
    Ok(())
}

/// Has the gateway look at its modules, and waits until all that follows is done.
pub(crate) fn reload(bench: &Bench, home: &Path) -> Result<()> {
    let mut command = Command::new(&bench.sporegate);
    without_settings(&mut command);
    command.args(["modules", "--control"]).arg(home.join("control")).arg("reload");
    let asked = command.output()?;
    let said = String::from_utf8_lossy(&asked.stderr);
    ensure!(asked.status.success(), "the gateway does not look at its modules: {said}");
    Ok(())
}

/// What a gateway has logged, line by line.
pub(crate) fn log(bench: &Bench, gateway: Gateway) -> Result<Vec<Value>> {
    lines(&bench.log(gateway.name())?)
}

/// What a gateway has logged into this file.
pub(crate) fn lines(log: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(log)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The prebuilt `listener`.
pub(crate) fn prebuilt(bench: &Bench, listener: &str) -> Result<PathBuf> {
    let file = format!("{listener}.wasm");
    let wasm = bench.listeners.iter().map(|directory| directory.join(&file)).find(|f| f.exists());
    wasm.with_context(|| format!("{file} is in none of {:?}", bench.listeners))
}

/// Puts the prebuilt `listener` into the directory as the module `name`.
fn install(
    bench: &Bench,
    modules: &Path,
    name: &str,
    listener: &str,
    sidecar: Option<&str>,
) -> Result<()> {
    let wasm = prebuilt(bench, listener)?;
    fs::copy(&wasm, modules.join(format!("{name}.wasm")))?;
    if let Some(sidecar) = sidecar {
        fs::write(modules.join(format!("{name}.toml")), sidecar)?;
    }
    Ok(())
}
