//! How each language is built: which commands, and what the last of them makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use sporegate::config::{Language, ProjectConfig};

use super::go;
use super::python;
use super::rust;
use super::tool::Step;

/// Commands, one after the other.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) steps: Vec<Step>,
    /// The component or core module that is there afterwards.
    pub(super) made: PathBuf,
}

pub(super) async fn recipe(
    root: &Path,
    config: &ProjectConfig,
    out: &Path,
) -> anyhow::Result<Recipe> {
    match config.language {
        Language::Rust => rust::recipe(root).await,
        Language::C => c(root, config, out),
        Language::Go => go::recipe(root, config, out),
        Language::JavaScript => Ok(javascript(config, "src/listener.js", out)),
        Language::TypeScript => Ok(typescript(config, out)),
        Language::Python => Ok(python::recipe(config, out)),
    }
}

/// What does not end in the component's name, so that nobody takes it for the module.
pub(super) fn made(config: &ProjectConfig, out: &Path) -> PathBuf {
    out.join(format!("{}.made", config.name.as_str()))
}

const NO_NODE: &str = "install Node 20 or later: https://nodejs.org, or apt-get install nodejs npm";

fn javascript(config: &ProjectConfig, source: &str, out: &Path) -> Recipe {
    let made = made(config, out);
    let mut command = Command::new("node");
    command.arg(config.sdk.join("bin/sporegate-js.mjs")).args(["build", source, "-o"]).arg(&made);
    let build = Step { command, install: NO_NODE };
    let mut steps = npm(config, "esbuild", &["--omit=dev"]);
    steps.push(build);
    Recipe { steps, made }
}

/// The same, after the types were checked.
fn typescript(config: &ProjectConfig, out: &Path) -> Recipe {
    let mut command = Command::new(config.sdk.join("node_modules/.bin/tsc"));
    command.args(["--project", "."]);
    let check = Step { command, install: NO_NODE };
    let Recipe { steps, made } = javascript(config, "src/listener.ts", out);
    let install = npm(config, "typescript", &[]);
    let build = steps.into_iter().last();
    Recipe { steps: install.into_iter().chain([check]).chain(build).collect(), made }
}

/// Installs what the SDK is built with, in the versions of its lock file, where it is not there yet.
fn npm(config: &ProjectConfig, wanted: &str, more: &[&str]) -> Vec<Step> {
    if config.sdk.join("node_modules").join(wanted).exists() {
        return Vec::new();
    }
    let mut command = Command::new("npm");
    command.arg("--prefix").arg(&config.sdk);
    command.args(["ci", "--no-audit", "--no-fund"]).args(more);
    vec![Step { command, install: NO_NODE }]
}

fn c(root: &Path, config: &ProjectConfig, out: &Path) -> anyhow::Result<Recipe> {
    let folder = root.join("src");
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    if sources.is_empty() {
        bail!("{}: no source NAME.c in this folder", folder.display());
    }
    let made = made(config, out);
    let mut command = Command::new(config.sdk.join("sporegate-cc"));
    // Whoever hands its state over says so by what it defines.
    let is_stateful = sources.iter().any(|source| {
        std::fs::read_to_string(source).is_ok_and(|text| text.contains("sporegate_export_state"))
    });
    if is_stateful {
        command.arg("--stateful");
    }
    command.arg("-o").arg(&made).args(sources);
    let install = "it lies in the SDK of the project; `sporegate new` writes it";
    Ok(Recipe { steps: vec![Step { command, install }], made })
}
