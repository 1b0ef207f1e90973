//! `sporegate check`: everything that `serve` would read, without serving.

use std::process::ExitCode;

use sporegate::gateway::Gateway;

use super::{ConfigArgs, Outcome, logging, runtime};

pub(super) fn run(args: &ConfigArgs) -> Outcome {
    let config = args.load()?;
    logging::start(&config.log)?;
    for warning in &config.warnings {
        println!("warning: {warning}");
    }
    let report = runtime::block_on(async { Ok(Gateway::check(&config).await?) })?;
    for module in &report.loaded.modules {
        println!("ok: module {}: paths {}", module.name(), module.context().grants);
    }
    for refused in &report.loaded.refused {
        println!("refused: {refused}");
    }
    if report.loaded.refused.is_empty() {
        println!("ok: configuration and {} modules", report.loaded.modules.len());
        Ok(ExitCode::SUCCESS)
    } else {
        println!(
            "{} of {} modules refused",
            report.loaded.refused.len(),
            report.loaded.refused.len() + report.loaded.modules.len()
        );
        Ok(ExitCode::FAILURE)
    }
}
