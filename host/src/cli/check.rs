//! `sporegate check`: everything that `serve` would read, without serving.

use std::process::ExitCode;

use anyhow::bail;
use sporegate::gateway::Gateway;
use sporegate::sandbox::Compiler;

use super::{ConfigArgs, Outcome, logging, output, runtime};

pub(super) const HELP: &str = "\
Reads settings, keys and token files, compiles every module and runs its `start`, as `serve` does.
Exit code 0: all is well. 1: something would not work, and each such thing is named.";

pub(super) fn run(args: &ConfigArgs) -> Outcome {
    let config = args.load()?;
    logging::start(&config.log)?;
    for warning in &config.warnings {
        output::line(format_args!("warning: {warning}"))?;
    }
    let compiler = Compiler::this_program()?.in_foreground();
    let checked = runtime::block_on(async { Ok(Gateway::check(&config, &compiler).await?) });
    let loaded = checked?.loaded;
    for module in &loaded.modules {
        let module = &module.module;
        let paths = &module.context().grants;
        output::line(format_args!("ok: module {}: paths {paths}", module.name()))?;
    }
    for refused in &loaded.refused {
        output::line(format_args!("refused: {refused}"))?;
    }
    let (good, bad) = (loaded.modules.len(), loaded.refused.len());
    if bad > 0 {
        bail!("{bad} of {} modules refused; each is named above with the reason", good + bad);
    }
    output::line(format_args!("ok: configuration; modules: {good}"))?;
    Ok(ExitCode::SUCCESS)
}
