//! `sporegate inspect`: what a module is, and what it may do and why. Nothing of it is run.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use sporegate::config::{
    Affinity, BucketName, ByteSize, Config, FlagOverrides, Grants, HttpGrant, KeyValueGrant,
    Lifetime, ModuleConfig, ModuleName, duration_text,
};
use sporegate::gateway;
use sporegate::printable::excerpt;
use sporegate::sandbox::{Compiler, Granted, Inspection, ModuleKind, inspect};

use super::config_args::FileArg;
use super::{Outcome, output};

pub(super) const HELP: &str = "\
Reads the types of the module and the sidecar beside it (`chat.toml` beside `chat.wasm`); runs
nothing. Exit code 0: the gateway would take it as a listener. 1: it would not, and it says why.";

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The file: a component or a core module.
    module: PathBuf,
    #[command(flatten)]
    config: FileArg,
}

pub(super) fn run(args: &InspectArgs) -> Outcome {
    let config = args.config.load(FlagOverrides::default())?;
    let shown = args.module.display();
    let file = read(&args.module, config.sandbox.max_module_bytes)?;
    let limits = gateway::compile_limits(&config);
    let inspection = inspect(&file, &Compiler::this_program()?.in_foreground(), &limits);
    let inspection = inspection.with_context(|| shown.to_string())?;
    let sidecar = sidecar(&args.module, &config);
    let granted =
        sidecar.as_ref().map_or_else(|_| Granted::default(), |module| Granted::by(&module.grants));
    output::text(&describe(&args.module, &inspection, granted))?;
    if !inspection.is_listener(granted) {
        bail!("{shown}: not a listener of this gateway: see REFUSED, NEEDS and MISSING above");
    }
    output::text(&grants(&args.module, &sidecar?))?;
    Ok(ExitCode::SUCCESS)
}

fn sidecar(path: &Path, config: &Config) -> anyhow::Result<ModuleConfig> {
    let name = ModuleName::of_file(path)?;
    let sidecar = path.with_extension("toml");
    Ok(ModuleConfig::load(&name, &sidecar, &config.sandbox.defaults)?)
}

fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let unreadable = |error| anyhow!("{shown}: cannot be read: {error}; name a .wasm file");
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        bail!("{shown}: not a regular file; name a .wasm file");
    }
    if metadata.len() > limit {
        let (bytes, limit) = (metadata.len(), ByteSize::bytes(limit));
        bail!(
            "{shown}: {bytes} bytes, more than {limit}; strip it, or raise sandbox.max_module_size in the file of --config"
        );
    }
    std::fs::read(path).map_err(unreadable)
}

fn describe(path: &Path, inspection: &Inspection, granted: Granted) -> String {
    let kind = match inspection.kind {
        ModuleKind::Component => "component",
        ModuleKind::CoreModule => "core module (made a component when it is loaded)",
    };
    let mut text = format!(
        "file      {}\nkind      {kind}\nsize      {} bytes\nsha256    {}\nworld     {}\nimports\n",
        path.display(),
        inspection.bytes,
        inspection.digest,
        world(inspection)
    );
    for import in &inspection.imports {
        let name = excerpt(&import.name);
        // Writing to a string cannot fail.
        let _ = match (import.granted, import.need.filter(|need| !need.is_met(granted))) {
            (Some(what), None) => writeln!(text, "  granted {name}: {what}"),
            (Some(what), Some(need)) => {
                let [table, line] = need.lines();
                let sidecar = path.with_extension("toml");
                let sidecar = sidecar.display();
                writeln!(
                    text,
                    "  NEEDS   {name}: {what}; add to {sidecar}\n            {table}\n            {line}"
                )
            }
            (None, _) => writeln!(text, "  REFUSED {name}: no listener is granted it"),
        };
    }
    text.push_str("exports\n");
    for export in &inspection.exports {
        let _ = writeln!(text, "  {}", excerpt(export));
    }
    for missing in &inspection.missing {
        let _ = writeln!(text, "  MISSING {missing}");
    }
    for advice in inspection.advice() {
        let _ = writeln!(text, "to mend   {advice}");
    }
    text
}

fn world(inspection: &Inspection) -> &'static str {
    match (inspection.missing.is_empty(), inspection.hands_over_state) {
        (true, true) => "sporegate:gateway/stateful-listener",
        (true, false) => "sporegate:gateway/listener",
        (false, _) => "unknown: exports of a listener are missing",
    }
}

/// What the module may do where it lies, and which file says so.
fn grants(path: &Path, module: &ModuleConfig) -> String {
    let sidecar = path.with_extension("toml");
    let why = if sidecar.exists() {
        format!("what {} says, and the defaults for the rest", sidecar.display())
    } else {
        format!("the defaults, for there is no {}", sidecar.display())
    };
    let paths: Vec<&str> = module.paths.iter().map(|path| path.as_str()).collect();
    let (run, limits) = (&module.run, &module.limits);
    let instances = match (run.lifetime, run.instances, run.affinity) {
        (Lifetime::Call, ..) => "a fresh instance for each call".to_owned(),
        (Lifetime::Instance, 1, _) => "one instance, its memory is kept".to_owned(),
        (Lifetime::Instance, many, Affinity::Client) => format!("{many} instances, by client"),
        (Lifetime::Instance, many, Affinity::User) => format!("{many} instances, by user"),
        (Lifetime::Instance, many, Affinity::Path) => format!("{many} instances, by path"),
    };
    format!(
        "may do    by {why}\n  \
           paths   see, send to and close the clients on {paths}\n  \
           run     {instances}\n  \
           memory  {memory} in an instance\n  \
           call    {cpu} ms of CPU time, {wall} in all; {start} for the first\n  \
           effects {calls} calls of the gateway, {sends} sends, {bytes} sent, in one call\n  \
           other   {listeners} listeners, {lines} log lines per second\n\
         {more}result    a listener: copy it into the module directory\n",
        paths = paths.join(", "),
        memory = size(limits.memory_bytes),
        cpu = limits.cpu_ticks,
        wall = duration_text(limits.call_timeout),
        start = duration_text(limits.start_timeout),
        calls = limits.host_calls,
        sends = limits.sends,
        bytes = size(limits.send_bytes),
        listeners = limits.listeners,
        lines = limits.log_lines_per_second,
        more = beyond(&module.grants),
    )
}

/// What the sidecar grants besides clients, a line for each kind.
fn beyond(grants: &Grants) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(HttpGrant { hosts, private, limits }) = &grants.http {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let hosts = if hosts.is_empty() { "nobody".to_owned() } else { hosts.join(", ") };
        let and = if private.is_empty() { "" } else { ", also at private addresses that it names" };
        let (requests, bytes) = (limits.requests, ByteSize::bytes(limits.response_bytes));
        let _ = writeln!(
            text,
            "  http    call {hosts}{and}; {requests} requests at a time, responses up to {bytes}"
        );
    }
    if let Some(KeyValueGrant { buckets, limits }) = &grants.keyvalue {
        let names: Vec<&str> = buckets.iter().map(BucketName::as_str).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let bytes = size(limits.bucket_bytes);
        let _ = writeln!(text, "  buckets {names}; {} keys and {bytes} in each", limits.keys);
    }
    if !grants.values.is_empty() {
        // Their values may be secrets.
        let names: Vec<&str> = grants.values.keys().map(String::as_str).collect();
        let _ = writeln!(text, "  config  values {}", excerpt(&names.join(", ")));
    }
    text
}

fn size(bytes: usize) -> ByteSize {
    ByteSize::bytes(bytes as u64)
}
