//! `sporegate serve` in a process of its own: for what is seen from outside only, its logs and its
//! memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::PATIENCE;
use super::gateway::{Setup, sporegate};

/// A serving process, killed with the test.
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    announced: String,
    printed: String,
    setup: Setup,
}

impl Serving {
    /// Starts `sporegate serve` with these flags more, and waits until it listens.
    pub async fn start(setup: Setup, flags: &[&str]) -> Self {
        Self::start_as(sporegate(), setup, flags).await
    }

    /// The same in a process that may have so many file descriptors.
    pub async fn start_with_descriptors(setup: Setup, descriptors: u32) -> Self {
        Self::start_limited(setup, &format!("-n {descriptors}")).await
    }

    /// The same in a process with limits as `ulimit` of a shell has them.
    pub async fn start_limited(setup: Setup, ulimit: &str) -> Self {
        Self::start_limited_with(setup, &format!("ulimit {ulimit}")).await
    }

    /// The same after any commands of a shell.
    pub async fn start_limited_with(setup: Setup, commands: &str) -> Self {
        let program = sporegate().get_program().to_owned();
        let mut limited = Command::new("sh");
        // The shell becomes the program: the process is the one that was started.
        limited.arg("-c").arg(format!("{commands} && exec \"$@\"")).arg("sh").arg(program);
        for (name, value) in sporegate().get_envs() {
            if value.is_none() {
                limited.env_remove(name);
            }
        }
        Self::start_as(limited, setup, &[]).await
    }

    async fn start_as(mut command: Command, setup: Setup, flags: &[&str]) -> Self {
        let config = setup.write();
        let stderr = File::create(setup.directory().join("stderr")).unwrap();
        let mut child = command
            .args(["serve", "--config"])
            .arg(config)
            .arg("--modules")
            .arg(setup.modules())
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let reading = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            (stdout, line)
        });
        let (stdout, announced) = reading.await.unwrap();
        let serving = Self { child, stdout, announced, printed: String::new(), setup };
        assert!(serving.announced.starts_with("listening on "), "{}", serving.stderr());
        serving
    }

    /// `ws://127.0.0.1:port/websocket`.
    pub fn url(&self) -> &str {
        self.announced.trim_start_matches("listening on ").trim_end()
    }

    pub fn address(&self) -> SocketAddr {
        self.url().split('/').nth(2).unwrap().parse().unwrap()
    }

    /// What follows `beginning` in a line that it prints when it has started.
    pub fn told(&mut self, beginning: &str) -> String {
        loop {
            let mut line = String::new();
            self.stdout.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "no line begins with {beginning:?}: {}", self.stderr());
            self.printed += &line;
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.trim_end().to_owned();
            }
        }
    }

    /// Its module directory.
    pub fn modules(&self) -> PathBuf {
        self.setup.modules()
    }

    /// What it has logged so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.setup.directory().join("stderr")).unwrap()
    }

    /// Memory in use, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    /// The most memory that was in use since the start, or since [`Serving::forget_peak`], in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.memory_kib("VmHWM:")
    }

    /// From now on only new peaks count (`proc_pid_clear_refs(5)`).
    pub fn forget_peak(&self) {
        std::fs::write(self.proc("clear_refs"), "5").unwrap();
    }

    /// File descriptors in use.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).unwrap().count()
    }

    fn memory_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Time of processors that it has taken so far.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(self.proc("stat")).unwrap();
        // Behind the name in parentheses: user and system time are the 14th and 15th field of
        // all (proc(5)), in ticks of which Linux has a hundred in a second for all programs.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        // The shell's own: the program of this name is not everywhere.
        let kill = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until it has logged this.
    pub async fn until_logged(&self, text: &str) {
        super::until(text, || self.stderr().contains(text)).await;
    }

    /// Asks it to stop; returns how it ended and everything it has printed and logged.
    pub async fn stop(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let ended = async {
            loop {
                match self.child.try_wait().unwrap() {
                    Some(status) => return status,
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        let status = tokio::time::timeout(PATIENCE, ended).await.expect("it does not stop");
        let mut output = format!("{}{}", self.announced, self.printed);
        self.stdout.read_to_string(&mut output).unwrap();
        (status, output + &self.stderr())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
