//! What the figures were taken on.

use std::fs;
use std::process::Command;

/// A Markdown list: processor, memory, kernel, versions, date.
pub(crate) fn describe() -> String {
    let mut lines = vec![
        format!("- Date: {}", now()),
        format!("- Processor: {} x {}", processors(), proc_value("/proc/cpuinfo", "model name")),
        format!("- Memory: {}", proc_value("/proc/meminfo", "MemTotal")),
        format!("- Kernel: {}", first_line("uname", &["-sr"])),
        format!("- Load average at the end: {}", load_average()),
    ];
    for (name, program, arguments) in [
        ("Rust", "rustc", &["--version"] as &[&str]),
        ("Node", "node", &["--version"]),
        ("Commit", "git", &["describe", "--always", "--dirty"]),
    ] {
        lines.push(format!("- {name}: {}", first_line(program, arguments)));
    }
    lines.join("\n")
}

/// The date and time, for people.
pub(crate) fn now() -> String {
    first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// The first line with the key `name`, without it.
fn proc_value(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':'))
        .map_or("unknown", |(_, value)| value.trim())
        .to_owned()
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    match String::from_utf8_lossy(&text).lines().next() {
        Some(line) => line.to_owned(),
        None => "unknown".to_owned(),
    }
}
