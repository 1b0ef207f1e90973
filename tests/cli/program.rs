//! One run of the command, away from the settings of the surroundings, killed with its test.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::{PATIENCE, sporegate};

/// A run to be.
pub struct Program(Command);

/// A run that goes on; its standard error is kept until it ends.
pub struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs it with nothing to read.
pub async fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    Program::new(args).run("").await
}

impl Program {
    pub fn new<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::from(sporegate());
        command.args(args).kill_on_drop(true);
        // Modules are compiled once for all tests, and even with this no backtrace is shown.
        command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env("RUST_BACKTRACE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn within(mut self, directory: &Path) -> Self {
        self.0.current_dir(directory);
        self
    }

    pub fn writing_to(mut self, out: impl Into<Stdio>) -> Self {
        self.0.stdout(out);
        self
    }

    pub fn complaining_to(mut self, err: impl Into<Stdio>) -> Self {
        self.0.stderr(err);
        self
    }

    /// The same program, started with its standard error closed.
    pub fn without_standard_error(self) -> Self {
        let own = self.0.as_std();
        let mut command = Command::new("sh");
        // The shell becomes the program: the process is the one that was started.
        command.args(["-c", "exec \"$@\" 2>&-", "sh"]).arg(own.get_program()).args(own.get_args());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(command)
    }

    /// Runs to the end with this input.
    pub async fn run(mut self, input: &str) -> Ended {
        let mut child = self.0.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writing = async {
            // It need not read all.
            stdin.write_all(input.as_bytes()).await.ok();
            drop(stdin);
        };
        let ending = async { tokio::join!(writing, child.wait_with_output()).1.unwrap() };
        let output = tokio::time::timeout(PATIENCE, ending).await.expect("it does not end");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Starts it; it goes on until a signal.
    pub fn start(mut self) -> Running {
        let mut child = self.0.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Running { child, out }
    }
}

impl Running {
    /// The next line of standard output.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        let reading = tokio::time::timeout(PATIENCE, self.out.read_line(&mut line));
        reading.await.expect("no line").unwrap();
        line.trim_end().to_owned()
    }

    /// Lines of standard output up to the first that is this one.
    pub async fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut lines = vec![self.line().await];
        while lines.last().is_some_and(|line| line != last) {
            let line = self.line().await;
            lines.push(line);
        }
        lines
    }

    /// The URL in its first line, `listening on URL`.
    pub async fn url(&mut self) -> String {
        let line = self.line().await;
        line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned()
    }

    pub async fn type_line(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it has ended").to_string();
        // The shell's own: the program of this name is not everywhere.
        let kill = format!("kill -s {name} {pid}");
        let status = std::process::Command::new("sh").args(["-c", &kill]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end while its input goes on.
    pub async fn ended_by_itself(mut self) -> Ended {
        let stdin = self.child.stdin.take();
        let ended = self.ended().await;
        drop(stdin);
        ended
    }

    /// Waits for the end; there is no more input.
    pub async fn ended(mut self) -> Ended {
        drop(self.child.stdin.take());
        let ending = async {
            let mut out = String::new();
            let (read, output) =
                tokio::join!(self.out.read_to_string(&mut out), self.child.wait_with_output());
            read.unwrap();
            (out, output.unwrap())
        };
        let (out, output) = tokio::time::timeout(PATIENCE, ending).await.expect("it does not end");
        let err = String::from_utf8(output.stderr).unwrap();
        Ended { code: output.status.code(), out, err }
    }
}

impl Ended {
    /// It went well: exit code 0, and what it printed.
    pub fn ok(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.out
    }

    /// It failed with this exit code and one paragraph that has all of these parts.
    pub fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let error = self.error();
        assert!(!error.contains("\n\n"), "more than a paragraph: {error}");
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
    }

    /// What follows the log: the error, from `error: ` on.
    pub fn error(&self) -> &str {
        for trouble in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.err.contains(trouble), "{}", self.err);
        }
        let at = if self.err.starts_with("error: ") { Some(0) } else { None };
        let at = at.or_else(|| self.err.find("\nerror: ").map(|newline| newline + 1));
        let at = at.unwrap_or_else(|| panic!("no error is told: {:?}", self.err));
        self.err[at..].trim_end()
    }
}
