//! How the gateway stops: how long it has for that in all, and over which time clients are closed.

use std::time::Duration;

use super::section::Section;
use super::units::duration_text;
use super::value::{Fault, Raw, Value};

/// The `[shutdown]` section. Delay and window together are less than the time-out, unless both are
/// zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownConfig {
    /// Bound of everything from the first signal on; then who is still there is cut off.
    pub timeout: Duration,
    /// From not being ready to the first close, so that those in front notice.
    pub delay: Duration,
    /// Time over which clients are closed, so that they do not all come back at once.
    pub window: Duration,
    /// What they are closed with.
    pub code: ShutdownCode,
}

/// A close code for a gateway that stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownCode {
    /// 1001.
    GoingAway,
    /// 1012.
    ServiceRestart,
}

const HOUR: Duration = Duration::from_secs(3_600);

/// The window where none is set, and the time-out leaves room for it.
const WINDOW: Duration = Duration::from_secs(10);

pub(super) fn read(shutdown: &mut Section<'_, '_>) -> ShutdownConfig {
    let range = Duration::ZERO..=HOUR;
    let timeout = shutdown.read_in("timeout", Duration::from_secs(30), range.clone());
    let delay = shutdown.read_in("delay", Duration::ZERO, range.clone());
    let shown = "a third of timeout - delay, at most 10s";
    let own = shutdown.optional_in("window", shown, range);
    let window = own.unwrap_or_else(|| WINDOW.min(timeout.saturating_sub(delay) / 3));
    let code = shutdown.read("code", ShutdownCode::GoingAway);
    let before_the_last_close = delay + window;
    if before_the_last_close > Duration::ZERO && before_the_last_close >= timeout {
        let [timeout, delay, window] = [timeout, delay, window].map(duration_text);
        let both = format!(
            "`shutdown.window` ({window}) and `shutdown.delay` ({delay}) together must be less \
             than `shutdown.timeout` ({timeout}), which is the time for all of it"
        );
        shutdown.conflict(&["window", "delay", "timeout"], both);
    }
    ShutdownConfig { timeout, delay, window, code }
}

impl Value for ShutdownCode {
    const EXPECTED: &'static str = "1001 or 1012";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match u32::read(raw)? {
            1001 => Ok(Self::GoingAway),
            1012 => Ok(Self::ServiceRestart),
            other => Err(Fault::refuse(
                &other.to_string(),
                "it must be 1001 (going away) or 1012 (service restart)",
            )),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::GoingAway => "1001".to_owned(),
            Self::ServiceRestart => "1012".to_owned(),
        }
    }
}
