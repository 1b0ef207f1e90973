//! How each language is built: which commands, and what the last of them makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use sporegate::config::{Language, ProjectConfig};

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
        Language::JavaScript | Language::TypeScript | Language::Python | Language::Go => {
            bail!("not yet")
        }
    }
}

/// What does not end in the component's name, so that nobody takes it for the module.
fn made(config: &ProjectConfig, out: &Path) -> PathBuf {
    out.join(format!("{}.made", config.name.as_str()))
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
