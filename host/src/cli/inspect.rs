//! `sporegate inspect`: what a module is, and what it may do and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use sporegate::config::{ModuleConfig, ModuleDefaults, ModuleName};
use sporegate::sandbox::{Inspection, ModuleKind, inspect};

use super::Outcome;

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The file: a component or a core module.
    module: PathBuf,
}

pub(super) fn run(args: &InspectArgs) -> Outcome {
    let shown = args.module.display();
    let file = std::fs::read(&args.module)
        .with_context(|| format!("{shown}: cannot be read; name a .wasm file"))?;
    let inspection = inspect(&file).with_context(|| shown.to_string())?;
    let kind = match inspection.kind {
        ModuleKind::Component => "component",
        ModuleKind::CoreModule => "core module (made a component when it is loaded)",
    };
    println!("file      {shown}");
    println!("kind      {kind}");
    println!("size      {} bytes", inspection.bytes);
    println!("sha256    {}", inspection.digest);
    println!("world     {}", world(&inspection));
    println!("imports");
    for import in &inspection.imports {
        match import.granted {
            Some(what) => println!("  granted {}: {what}", import.name),
            None => println!("  REFUSED {}: no listener is granted it", import.name),
        }
    }
    println!("exports");
    for export in &inspection.exports {
        println!("  {export}");
    }
    for missing in &inspection.missing {
        println!("  MISSING {missing}");
    }
    if !inspection.is_listener() {
        println!("result    not a listener of this gateway: see REFUSED and MISSING above");
        return Ok(ExitCode::FAILURE);
    }
    print_grants(args)?;
    Ok(ExitCode::SUCCESS)
}

fn world(inspection: &Inspection) -> &'static str {
    match (inspection.missing.is_empty(), inspection.hands_over_state) {
        (true, true) => "sporegate:gateway/stateful-listener",
        (true, false) => "sporegate:gateway/listener",
        (false, _) => "unknown: exports of a listener are missing",
    }
}

/// What the module may do where it lies, by its sidecar or the convention.
fn print_grants(args: &InspectArgs) -> anyhow::Result<()> {
    let name = ModuleName::of_file(&args.module)?;
    let sidecar = args.module.with_extension("toml");
    let config = ModuleConfig::load(&name, &sidecar, &ModuleDefaults::default())?;
    let why = if sidecar.exists() {
        format!("{} and the defaults", sidecar.display())
    } else {
        "the convention: no sidecar beside it".to_owned()
    };
    let paths: Vec<&str> = config.paths.iter().map(|path| path.as_str()).collect();
    let limits = &config.limits;
    println!("may do    by {why}");
    println!("  paths   {}", paths.join(", "));
    println!(
        "  run     {} instance(s), per {:?} call budget: {} ms CPU, {:?} in all",
        config.run.instances, config.run.lifetime, limits.cpu_ticks, limits.call_timeout
    );
    println!(
        "  limits  {} bytes of memory, {} host calls, {} sends and {} bytes per call, {} listeners",
        limits.memory_bytes, limits.host_calls, limits.sends, limits.send_bytes, limits.listeners
    );
    println!("result    a listener: copy it into the module directory");
    Ok(())
}
