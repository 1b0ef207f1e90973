//! What a child is told, as arguments. It has no other settings: its environment is empty.

use std::time::Duration;

use super::{Task, Urgency};

/// The command of the executable that is called.
pub const COMMAND: &str = "compile-module";

/// What a child is to do, within which limits, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(super) urgency: Urgency,
    pub(super) task: Task,
    /// As in [`super::CompileLimits`].
    pub(super) memory_bytes: u64,
    pub(super) cpu_time: Duration,
    /// The process that started it, without which it has nothing to do.
    pub(super) parent: u32,
}

impl Order {
    /// The arguments behind [`COMMAND`].
    pub(super) fn arguments(&self) -> [String; 5] {
        let urgency = match self.urgency {
            Urgency::Usual => "usual",
            Urgency::Behind => "behind",
        };
        let task = match self.task {
            Task::Compile => "compile",
            Task::Inspect => "inspect",
        };
        [
            urgency.to_owned(),
            task.to_owned(),
            self.memory_bytes.to_string(),
            seconds(self.cpu_time).to_string(),
            self.parent.to_string(),
        ]
    }

    /// Reads the arguments behind [`COMMAND`].
    pub fn parse(arguments: &[String]) -> Option<Self> {
        let [urgency, task, memory_bytes, seconds, parent] = arguments else { return None };
        let urgency = match urgency.as_str() {
            "usual" => Urgency::Usual,
            "behind" => Urgency::Behind,
            _ => return None,
        };
        let task = match task.as_str() {
            "compile" => Task::Compile,
            "inspect" => Task::Inspect,
            _ => return None,
        };
        let cpu_time = Duration::from_secs(seconds.parse().ok()?);
        let (memory_bytes, parent) = (memory_bytes.parse().ok()?, parent.parse().ok()?);
        Some(Self { urgency, task, memory_bytes, cpu_time, parent })
    }
}

/// Processor time is limited in whole seconds.
fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_understood_with_times_rounded_up() {
        for (urgency, task, time, whole) in [
            (Urgency::Behind, Task::Compile, 1_001, 2),
            (Urgency::Usual, Task::Inspect, 60_000, 60),
        ] {
            let order = |cpu_time| Order { urgency, task, memory_bytes: 7, cpu_time, parent: 42 };
            let told = order(Duration::from_millis(time)).arguments();
            assert_eq!(Order::parse(&told), Some(order(Duration::from_secs(whole))));
        }
    }

    #[test]
    fn anything_else_is_not_understood() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for text in [
            "",
            "compile",
            "usual link 1 1 1",
            "usual compile 1 1 x",
            "behind compile 1 1 1 1",
            "compile 1 1 1",
        ] {
            assert_eq!(Order::parse(&words(text)), None, "{text}");
        }
    }
}
