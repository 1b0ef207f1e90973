//! How a call of a guest can fail. The only question a caller has is whether the instance lives.

use std::fmt;
use std::time::Duration;

use wasmtime::{Trap, WasmBacktrace};

use crate::printable::excerpt;

/// Frames of a guest's stack that are told.
const SHOWN_FRAMES: usize = 16;

/// A call that did not succeed. Nothing that it asked for has happened, except what it flushed.
/// Shown as one line of limited length, whatever the guest, or a client through it, has said.
#[derive(Debug, thiserror::Error)]
pub enum CallFailure {
    /// The listener itself returned an error; its instance goes on.
    #[error("the listener refused: {}", excerpt(.0))]
    Refused(String),
    /// The instance is gone.
    #[error("{cause}: {}", excerpt(.detail))]
    Ended {
        /// What ended it: a closed set, fit for a metric label.
        cause: TrapCause,
        /// The guest's stack or the engine's words, for the log.
        detail: String,
    },
}

impl CallFailure {
    /// The cause of a call that its listener answered with an error.
    pub const REFUSED: &'static str = "refused";

    /// Every [`Self::cause`] there is.
    pub fn causes() -> impl Iterator<Item = &'static str> {
        [Self::REFUSED].into_iter().chain(TrapCause::ALL.map(TrapCause::as_str))
    }

    /// Why it failed: a closed set, fit for a metric label.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Refused(_) => Self::REFUSED,
            Self::Ended { cause, .. } => cause.as_str(),
        }
    }
}

/// What ended an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrapCause {
    /// A trap of the guest's own making: unreachable, out-of-bounds, division by zero…
    Trap,
    /// The guest's stack is full.
    StackOverflow,
    /// The CPU budget of a call is spent.
    CpuTime,
    /// The wall-clock limit of a call has passed.
    Timeout,
    /// A growth of memory was refused, and the guest could not go on.
    Memory,
    /// Too many calls of the host in one call.
    HostCalls,
    /// The instance could not be made, or `start` failed.
    Start,
}

impl TrapCause {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Trap,
        Self::StackOverflow,
        Self::CpuTime,
        Self::Timeout,
        Self::Memory,
        Self::HostCalls,
        Self::Start,
    ];

    /// Stable name, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::StackOverflow => "stack-overflow",
            Self::CpuTime => "cpu-time",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::HostCalls => "host-calls",
            Self::Start => "start",
        }
    }
}

impl fmt::Display for TrapCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Raised inside a call by the limits of the gateway; travels through the engine as an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum LimitBreach {
    #[error("more than {limit_ms} ms of CPU time in one call")]
    CpuTime { limit_ms: u32 },
    #[error("more than {limit} calls of the gateway in one call")]
    HostCalls { limit: u32 },
    #[error("no answer within {limit:?}")]
    Timeout { limit: Duration },
}

/// Sorts an error of the engine.
pub(super) fn classify(error: &wasmtime::Error, memory_refused: bool) -> CallFailure {
    let cause = match error.downcast_ref::<LimitBreach>() {
        Some(LimitBreach::CpuTime { .. }) => TrapCause::CpuTime,
        Some(LimitBreach::HostCalls { .. }) => TrapCause::HostCalls,
        Some(LimitBreach::Timeout { .. }) => TrapCause::Timeout,
        None => match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => TrapCause::StackOverflow,
            // A guest that cannot get memory usually aborts.
            _ if memory_refused => TrapCause::Memory,
            _ => TrapCause::Trap,
        },
    };
    CallFailure::Ended { cause, detail: detail(error) }
}

/// The root cause, then where the guest was, the innermost function first: one line, whatever
/// the guest calls its functions.
fn detail(error: &wasmtime::Error) -> String {
    let mut text = error.root_cause().to_string();
    if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
        // Frames are `number: address - module!function`; a title and advice stand around them.
        let trace = trace.to_string();
        let lines = trace.lines().filter(|line| line.contains(" - ")).take(SHOWN_FRAMES);
        let function = |line: &str| line.rsplit(" - ").next().unwrap_or(line).trim().to_owned();
        let functions: Vec<String> = lines.map(function).collect();
        if !functions.is_empty() {
            text.push_str(", in ");
            text.push_str(&functions.join(" < ").replace("<unknown>!", ""));
        }
    }
    text
}
