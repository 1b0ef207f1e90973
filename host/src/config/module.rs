//! How one module runs, what it may use up, and where: its sidecar, a TOML file beside it. A
//! module without one gets the convention, the path of its name and all below.

use std::path::Path;
use std::time::Duration;

use super::error::{ConfigError, Place, Problem, ProblemKind};
use super::file;
use super::grants::{self, Grants};
use super::module_name::ModuleName;
use super::reader::{Input, SettingRow, read_all};
use super::section::Section;
use super::units::ByteSize;
use super::value::Word;
use crate::limits::ModuleLimits;
use crate::path::PathPattern;

/// What a sidecar says, with all defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleConfig {
    /// Name of the module.
    pub name: ModuleName,
    /// Paths granted to it, at least one; `/<name>/*` by convention, which includes `/<name>`.
    pub paths: Vec<PathPattern>,
    /// How it runs.
    pub run: Run,
    /// What it may use up.
    pub limits: ModuleLimits,
    /// What it is granted besides its clients.
    pub grants: Grants,
}

/// What holds where a sidecar says nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleDefaults {
    /// The `[sandbox.defaults.run]` section.
    pub run: Run,
    /// The `[sandbox.defaults.limits]` section.
    pub limits: ModuleLimits,
}

/// The `[run]` section: how a module's instances live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of instances, 1 to 64.
    pub instances: usize,
    /// What decides which instance a message goes to; equal keys meet the same one.
    pub affinity: Affinity,
    /// How long an instance lives.
    pub lifetime: Lifetime,
    /// Calls for which a revision that takes over from another is on probation: one that ends its
    /// instance brings the other back. Zero: there is no probation.
    pub probation_calls: u32,
    /// After this long probation is over, too.
    pub probation_time: Duration,
    /// Whether a revision that takes no state may follow on one that has some.
    pub drop_state: bool,
    /// Calls in a row that end their instance, after which the module pauses; zero: it never does.
    pub breaker_failures: u32,
    /// Its longest pause.
    pub breaker_pause: Duration,
}

/// The key by which messages are spread over instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Id of the client.
    Client,
    /// User name; anonymous clients go by their id.
    User,
    /// Connect path.
    Path,
}

/// How long an instance lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it fails or is replaced: its memory is its state.
    Instance,
    /// One call: each meets a fresh one.
    Call,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            instances: 1,
            affinity: Affinity::Client,
            lifetime: Lifetime::Instance,
            probation_calls: 100,
            probation_time: Duration::from_secs(30),
            drop_state: false,
            breaker_failures: 5,
            breaker_pause: Duration::from_secs(30),
        }
    }
}

impl Default for ModuleDefaults {
    fn default() -> Self {
        Self { run: Run::default(), limits: default_limits() }
    }
}

impl ModuleConfig {
    /// Most entries of `paths`.
    pub const MAX_PATHS: usize = 64;

    /// Reads the sidecar of a module; where there is no such file, the convention holds.
    ///
    /// # Errors
    /// The file exists and cannot be read or is no regular file, or [`Self::parse`] fails.
    pub fn load(
        name: &ModuleName,
        sidecar: &Path,
        defaults: &ModuleDefaults,
    ) -> Result<Self, ConfigError> {
        let text = file::read(sidecar, file::Role::Sidecar)?;
        Self::parse(name, &text, sidecar, defaults)
    }

    /// Reads the text of a sidecar. `file` is for messages.
    ///
    /// # Errors
    /// All problems found in the text.
    pub fn parse(
        name: &ModuleName,
        text: &str,
        file: &Path,
        defaults: &ModuleDefaults,
    ) -> Result<Self, ConfigError> {
        let Said { paths, run, limits, grants } = Self::read(text, file, defaults)?.0;
        let paths = match paths {
            Some(paths) => paths,
            None => vec![convention(name, file)?],
        };
        Ok(Self { name: name.clone(), paths, run, limits, grants })
    }

    fn read(
        text: &str,
        file: &Path,
        defaults: &ModuleDefaults,
    ) -> Result<(Said, Vec<SettingRow>), ConfigError> {
        let input = Input { file: Some(file), text, variables: None, flags: &[] };
        read_all(input, |top| {
            let paths: Option<Vec<PathPattern>> = top.optional("paths", "[\"/<name>/*\"]");
            match paths.as_ref().map_or(1, Vec::len) {
                0 => top
                    .bad("paths", "it must grant at least one path; leave it out for `/<name>/*`"),
                1..=Self::MAX_PATHS => {}
                _ => top.bad("paths", format!("it has more than {} entries", Self::MAX_PATHS)),
            }
            let run = top.section("run", |run| read_run(run, &defaults.run));
            let limits = top.section("limits", |limits| read_limits(limits, &defaults.limits));
            Said { paths, run, limits, grants: grants::read(top) }
        })
    }

    /// Every setting of a sidecar, with the built-in defaults.
    pub fn settings() -> Vec<SettingRow> {
        let read = Self::read("", Path::new("module.toml"), &ModuleDefaults::default());
        read.map(|(_, rows)| rows).unwrap_or_default()
    }
}

/// What is in a sidecar.
struct Said {
    paths: Option<Vec<PathPattern>>,
    run: Run,
    limits: ModuleLimits,
    grants: Grants,
}

fn convention(name: &ModuleName, file: &Path) -> Result<PathPattern, Problem> {
    PathPattern::parse(&format!("/{name}/*")).map_err(|error| Problem {
        place: Place::File(file.to_owned()),
        kind: ProblemKind::Conflict { why: format!("the path of module `{name}`: {error}") },
    })
}

pub(super) fn read_run(run: &mut Section<'_, '_>, default: &Run) -> Run {
    let instances = u32::try_from(default.instances).unwrap_or(1);
    let pauses = Duration::from_millis(100)..=Duration::from_secs(3_600);
    let times = Duration::ZERO..=Duration::from_secs(86_400);
    let instances = run.read_in("instances", instances, 1..=64);
    Run {
        instances: usize::try_from(instances).unwrap_or(1),
        affinity: run.read("affinity", default.affinity),
        lifetime: run.read("lifetime", default.lifetime),
        probation_calls: run.read_in("probation_calls", default.probation_calls, 0..=1_000_000),
        probation_time: run.read_in("probation_time", default.probation_time, times),
        drop_state: run.read("drop_state", default.drop_state),
        breaker_failures: run.read_in("breaker_failures", default.breaker_failures, 0..=1_000_000),
        breaker_pause: run.read_in("breaker_pause", default.breaker_pause, pauses),
    }
}

pub(super) fn default_limits() -> ModuleLimits {
    ModuleLimits {
        memory_bytes: ByteSize::mib(64).as_len(),
        cpu_ticks: 50,
        call_timeout: Duration::from_secs(5),
        start_timeout: Duration::from_secs(10),
        state_bytes: ByteSize::mib(16).as_len(),
        handover_timeout: Duration::from_secs(1),
        host_calls: 10_000,
        sends: 1_000,
        send_bytes: ByteSize::mib(4).as_len(),
        listeners: 1_024,
        log_lines_per_second: 100,
    }
}

pub(super) fn read_limits(limits: &mut Section<'_, '_>, default: &ModuleLimits) -> ModuleLimits {
    let size = |bytes: usize| ByteSize::bytes(u64::try_from(bytes).unwrap_or(u64::MAX));
    let ms = Duration::from_millis(1);
    let minute = Duration::from_secs(60);
    let memory =
        limits.read_in("memory", size(default.memory_bytes), ByteSize::kib(64)..=ByteSize::gib(4));
    let cpu = limits.read_in("cpu", ms.saturating_mul(default.cpu_ticks), ms..=minute);
    let timeouts = ms..=minute.saturating_mul(10);
    let call_timeout = limits.read_in("timeout", default.call_timeout, timeouts.clone());
    let start_timeout = limits.read_in("start_timeout", default.start_timeout, timeouts);
    let state_sizes = ByteSize::bytes(0)..=ByteSize::gib(1);
    let state = limits.read_in("state", size(default.state_bytes), state_sizes);
    let handover_timeout =
        limits.read_in("handover_timeout", default.handover_timeout, ms..=minute);
    let host_calls = limits.read_in("host_calls", default.host_calls, 1..=100_000_000);
    let sends = limits.read_in("sends", default.sends, 0..=1_000_000);
    let sizes = ByteSize::bytes(0)..=ByteSize::gib(1);
    let send_bytes = limits.read_in("send_bytes", size(default.send_bytes), sizes);
    let listeners = u32::try_from(default.listeners).unwrap_or(u32::MAX);
    let listeners = limits.read_in("listeners", listeners, 1..=65_536);
    let log_rate = limits.read_in("log_rate", default.log_lines_per_second, 0..=100_000);
    ModuleLimits {
        memory_bytes: memory.as_len(),
        cpu_ticks: u32::try_from(cpu.as_millis()).unwrap_or(u32::MAX),
        call_timeout,
        start_timeout,
        state_bytes: state.as_len(),
        handover_timeout,
        host_calls,
        sends,
        send_bytes: send_bytes.as_len(),
        listeners: usize::try_from(listeners).unwrap_or(usize::MAX),
        log_lines_per_second: log_rate,
    }
}

impl Word for Affinity {
    const CHOICE: &'static str = "`client`, `user` or `path`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("client", Self::Client), ("user", Self::User), ("path", Self::Path)];
}

impl Word for Lifetime {
    const CHOICE: &'static str = "`instance` or `call`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("instance", Self::Instance), ("call", Self::Call)];
}
