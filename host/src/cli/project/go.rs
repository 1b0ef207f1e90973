//! Go: the script of its SDK builds the package in the folder of the project, and says what to install
//! where Go is missing.

use std::path::Path;
use std::process::Command;

use anyhow::bail;
use sporegate::config::ProjectConfig;

use super::recipe::{Recipe, made};
use super::tool::Step;

pub(super) fn recipe(root: &Path, config: &ProjectConfig, out: &Path) -> anyhow::Result<Recipe> {
    let manifest = root.join("go.mod");
    if !manifest.is_file() {
        let sdk = config.sdk.display();
        bail!(
            "{}: there is no such file; make it with `go mod init {name}`, `go mod edit -require=sporegate@v0.0.0 -replace=sporegate={sdk}`",
            manifest.display(),
            name = config.name.as_str(),
        );
    }
    let made = made(config, out);
    let mut command = Command::new(config.sdk.join("sporegate-go"));
    command.arg("-o").arg(&made).arg(".");
    let install = "it lies in the SDK of the project; `sporegate new` writes it";
    Ok(Recipe { steps: vec![Step { command, install }], made })
}
