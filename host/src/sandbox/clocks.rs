//! The clocks of guests: they show whole milliseconds. What happens on the machine in less, such as
//! how long an access to memory takes, tells secrets of others; a guest can still count for itself.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// All that a clock shows is a multiple of this.
const STEP: Duration = Duration::from_millis(1);

/// Time of the day.
#[derive(Debug)]
pub(super) struct WallClock;

/// Time since the guest first used WASI, and a step: the runtime of Go takes zero for a clock that is
/// broken.
#[derive(Debug)]
pub(super) struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        STEP
    }

    fn now(&self) -> Duration {
        // Before the epoch it is the epoch.
        whole_steps(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl HostMonotonicClock for MonotonicClock {
    fn resolution(&self) -> u64 {
        nanoseconds(STEP)
    }

    fn now(&self) -> u64 {
        nanoseconds(whole_steps(self.origin.elapsed().saturating_add(STEP)))
    }
}

fn whole_steps(time: Duration) -> Duration {
    let rest = time.subsec_nanos() % STEP.subsec_nanos();
    time.saturating_sub(Duration::from_nanos(rest.into()))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_shows_zero() {
        assert!(MonotonicClock::new().now() > 0);
    }

    #[test]
    fn times_are_cut_to_whole_milliseconds() {
        for (nanos, shown) in [
            (0, 0),
            (999_999, 0),
            (1_000_000, 1_000_000),
            (7_001_999_999, 7_001_000_000),
            (7_999_999_999, 7_999_000_000),
        ] {
            assert_eq!(whole_steps(Duration::from_nanos(nanos)), Duration::from_nanos(shown));
        }
    }
}
