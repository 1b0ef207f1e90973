//! `sporegate compile-module`: not for people. The other commands call it, and it does nothing else
//! than what the library says that such a process does.

use std::process::ExitCode;

use clap::Args;
use sporegate::sandbox::{CompileOrder, compile_module};

use super::{Outcome, UsageError};

#[derive(Debug, Args)]
pub(super) struct CompileModuleArgs {
    /// What to make of standard input, within which limits, and for which process.
    order: Vec<String>,
}

pub(super) fn run(args: &CompileModuleArgs) -> Outcome {
    let unknown = || UsageError("compile-module is for the other commands only".into());
    let order = CompileOrder::parse(&args.order).ok_or_else(unknown)?;
    compile_module(&order)?;
    Ok(ExitCode::SUCCESS)
}
