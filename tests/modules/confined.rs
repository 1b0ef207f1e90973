//! The process that compiles, seen from outside while it works on something that takes long.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::{TestGateway, hostile, sporegate, until};

/// A gateway that compiles and never comes to serve.
struct Starting {
    gateway: Child,
    _directory: tempfile::TempDir,
}

impl Starting {
    fn new() -> Self {
        let setup = TestGateway::with()
            .sandbox("compile_time = \"10m\"\ncompile_memory = \"8GiB\"")
            .file("m.wasm", &hostile::large_function(7_000_000));
        let gateway = sporegate()
            .args(["serve", "--config"])
            .arg(setup.write())
            .arg("--modules")
            .arg(setup.modules())
            .env("SECRET_OF_THE_GATEWAY", "1")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { gateway, _directory: setup.into_directory() }
    }

    /// Its child, once that has limited itself.
    async fn compiler(&self) -> PathBuf {
        let own = format!("\nPPid:\t{}\n", self.gateway.id());
        let find = || {
            let processes = std::fs::read_dir("/proc").unwrap().flatten();
            let mut paths = processes.map(|process| process.path());
            paths.find(|path| {
                let read = |file| std::fs::read_to_string(path.join(file)).unwrap_or_default();
                read("status").contains(&own) && nice(&read("stat")) == Some(10)
            })
        };
        until("there is a child", || find().is_some()).await;
        find().unwrap()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.gateway.kill().ok();
        self.gateway.wait().ok();
    }
}

/// The 19th field of all (proc(5)), counted from behind the name in parentheses.
fn nice(stat: &str) -> Option<i32> {
    stat.rsplit(") ").next()?.split(' ').nth(16)?.parse().ok()
}

/// What open files are; nothing if only root may know.
fn links(files: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(files).into_iter().flatten().flatten();
    files.filter_map(|file| std::fs::read_link(file.path()).ok()).collect()
}

/// Whether a process has ended, if it is reaped already or not.
fn is_gone(process: &Path) -> bool {
    let status = std::fs::read_to_string(process.join("status"));
    status.map_or(true, |status| status.contains("State:\tZ"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_its_limits_and_nothing_of_the_gateway() {
    let starting = Starting::new();
    let compiler = starting.compiler().await;
    let read = |file: &str| std::fs::read_to_string(compiler.join(file)).unwrap();
    let limits = read("limits");
    for (name, value) in [
        ("Max data size", "8589934592"),
        ("Max cpu time", "600"),
        ("Max core file size", "0"),
        ("Max file size", "0"),
        ("Max open files", "32"),
    ] {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        let soft = line.and_then(|line| line.split_whitespace().next());
        assert_eq!(soft, Some(value), "{limits}");
    }
    // A process that leaves no core shows these to root only.
    if let Ok(environment) = std::fs::read(compiler.join("environ")) {
        let all = std::thread::available_parallelism().unwrap().get();
        let threads = format!("RAYON_NUM_THREADS={}\0", (all / 2).max(1));
        assert_eq!(String::from_utf8(environment).unwrap(), threads);
    }
    // Its pipes, and of other files only such as the tests have passed on to all they start.
    let inherited = links(Path::new("/proc/self/fd"));
    let open = links(&compiler.join("fd"));
    let own = |path: &&PathBuf| !inherited.contains(path);
    let pipe = |path: &PathBuf| path.to_string_lossy().starts_with("pipe:");
    let own: Vec<_> = open.iter().filter(own).collect();
    assert!(own.len() <= 3 && own.iter().all(|path| pipe(path)), "{open:?}");
    let command = read("cmdline").replace('\0', " ");
    assert!(command.starts_with("sporegate compile-module behind compile "), "{command}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_outlive_the_gateway() {
    let mut starting = Starting::new();
    let compiler = starting.compiler().await;
    // SIGKILL: the gateway cannot do anything about it.
    starting.gateway.kill().unwrap();
    starting.gateway.wait().unwrap();
    until("the child is gone", || is_gone(&compiler)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_stops_the_gateway_meanwhile_stops_both() {
    let mut starting = Starting::new();
    let compiler = starting.compiler().await;
    let kill = format!("kill -s TERM {}", starting.gateway.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    starting.gateway.wait().unwrap();
    until("the child is gone", || is_gone(&compiler)).await;
}
