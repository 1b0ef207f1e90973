//! Runs the tools of a language. What they say is seen as they say it, and none of them outlives the
//! build: each is the head of a process group, which ends with it.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// One command, and what to do if it is not there.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) command: std::process::Command,
    /// How to install it.
    pub(super) install: &'static str,
}

/// Runs a command to its end.
pub(super) async fn run(step: Step, within: &Path) -> anyhow::Result<()> {
    let program = step.command.get_program().to_string_lossy().into_owned();
    let mut command = Command::from(step.command);
    command.current_dir(within).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("`{program}` is missing; {}", step.install)
        }
        Err(error) => return Err(error).with_context(|| program),
    };
    let status = Group(child).end().await.with_context(|| program.clone())?;
    match status.code() {
        Some(0) => Ok(()),
        // Scripts of the SDKs say so, and have said what to install.
        Some(3) => bail!("`{program}`: a tool is missing; see above how to install it"),
        Some(code) => bail!("`{program}` failed with exit code {code}; see above"),
        None => bail!("`{program}` was ended by a signal"),
    }
}

/// A command with all that it starts.
struct Group(Child);

impl Group {
    async fn end(mut self) -> std::io::Result<ExitStatus> {
        self.0.wait().await
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // None: it has ended by itself.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended this very moment.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

/// Where a program is found, as a shell would.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// What a command prints, if it runs and succeeds.
pub(super) async fn ask(program: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
