//! `sporegate build`: from the sources of a listener to a component that a gateway takes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::project::{Built, Project};
use super::runtime::{Asks, Signals};
use super::{Outcome, output, runtime};

pub(super) const HELP: &str = "\
Reads `sporegate.project.toml` in the folder, runs the tools of its language, makes a component of
what they make, and checks it as `sporegate inspect` does. The component is put into
`build/NAME.wasm`, and the sidecar `NAME.toml` of the project, if there is one, beside it. Where a
tool is missing it is said how to install it. Exit code 0: the component is there. 1: it is not,
and that of before is as it was.";

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// Folder of the project.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(super) fn run(args: &BuildArgs) -> Outcome {
    let project = Project::find(&args.dir)?;
    let built = runtime::block_on(async {
        let mut signals = Signals::catch()?;
        let mut building = std::pin::pin!(project.build());
        loop {
            tokio::select! {
                built = &mut building => return built,
                asks = signals.next() => match asks {
                    Asks::Stop(signal) => bail!("stopped by {signal}"),
                    Asks::Reload => {}
                }
            }
        }
    })?;
    output::text(&describe(&project, &built))?;
    Ok(ExitCode::SUCCESS)
}

/// What was built, and where it is.
pub(super) fn describe(project: &Project, built: &Built) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let near = |path: &PathBuf| path.strip_prefix(&here).unwrap_or(path).display().to_string();
    let kind = match built.hands_over_state {
        true => "a listener that hands its state over",
        false => "a listener",
    };
    let mut text = format!(
        "built {name}, {kind} in {language}: {bytes} bytes\n  {component}\n",
        name = project.name(),
        language = project.language().title(),
        bytes = built.bytes,
        component = near(&built.component),
    );
    if let Some(sidecar) = &built.sidecar {
        text.push_str(&format!("  {}\n", near(sidecar)));
    }
    text
}
