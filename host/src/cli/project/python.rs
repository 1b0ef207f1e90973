//! Python: an interpreter with venv, and componentize-py, which is installed beside the SDK.

use std::path::Path;
use std::process::Command;

use sporegate::config::ProjectConfig;

use super::recipe::{Recipe, made};
use super::tool::Step;

/// As in `guest-sdk/python/pyproject.toml`.
const COMPONENTIZE: &str = "componentize-py==0.25.0";

const NO_PYTHON: &str = "install Python 3.11 or later, with venv: https://www.python.org, or apt-get install python3-venv";

pub(super) fn recipe(config: &ProjectConfig, out: &Path) -> Recipe {
    let venv = config.sdk.join(".venv");
    let program = |name: &str| venv.join("bin").join(name);
    let mut steps = Vec::new();
    if !program("componentize-py").exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&venv);
        let mut install = Command::new(program("pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check", COMPONENTIZE]);
        steps.extend([make, install].map(|command| Step { command, install: NO_PYTHON }));
    }
    let made = made(config, out);
    let mut command = Command::new(program("python"));
    command.args(["-m", "sporegate_build", "src/listener.py", "--output"]).arg(&made);
    command.env("PYTHONPATH", config.sdk.join("src")).env("PYTHONDONTWRITEBYTECODE", "1");
    steps.push(Step { command, install: NO_PYTHON });
    Recipe { steps, made }
}
