//! Stops calling a module that keeps ending its instances, and tries it again from time to time.
//!
//! ```text
//! Closed --so many failures in a row--> Open --its time is over--> Trying --success--> Closed
//!    ^                                   ^                            |
//!    |                                   +--failure: twice as long----+
//!    +--a success forgets earlier failures
//! ```
//!
//! A failure is a call that ended its instance; an error that the listener returned is none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The first pause of a module that keeps failing; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// When a module is not called any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// Failures in a row after which it pauses; zero: never.
    pub(super) failures: u32,
    /// The longest pause.
    pub(super) longest_pause: Duration,
}

/// The breaker of one module.
#[derive(Debug)]
pub(super) struct Breaker {
    patience: Patience,
    state: Mutex<State>,
    /// Whether a look at the state is worth its while; a module in good health costs only this.
    troubled: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct State {
    failures: u32,
    pause: Duration,
    phase: Phase,
}

/// Whether a module is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is.
    Closed,
    /// It is not, until then.
    Open {
        /// The end of the pause.
        until: Instant,
    },
    /// One call finds out whether it is well again; the others are refused until then.
    Trying,
}

/// Leave to make one call. Whoever has it tells how the call went, or drops it and has made none.
#[derive(Debug)]
pub(super) struct Leave<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
}

impl Breaker {
    pub(super) fn new(patience: Patience) -> Self {
        let state = State { failures: 0, pause: FIRST_PAUSE, phase: Phase::Closed };
        Self { patience, state: Mutex::new(state), troubled: AtomicBool::new(false) }
    }

    /// Leave to make a call now, if there is one.
    pub(super) fn admit(&self) -> Option<Leave<'_>> {
        if !self.troubled.load(Ordering::Relaxed) {
            return Some(Leave { breaker: self, is_trial: false });
        }
        let mut state = self.lock();
        match state.phase {
            Phase::Closed => Some(Leave { breaker: self, is_trial: false }),
            Phase::Open { until } if Instant::now() >= until => {
                state.phase = Phase::Trying;
                Some(Leave { breaker: self, is_trial: true })
            }
            Phase::Open { .. } | Phase::Trying => None,
        }
    }

    fn succeeded(&self) {
        if self.troubled.load(Ordering::Relaxed) {
            let mut state = self.lock();
            *state = State { failures: 0, pause: FIRST_PAUSE, phase: Phase::Closed };
            self.troubled.store(false, Ordering::Relaxed);
        }
    }

    fn failed(&self) -> Option<Duration> {
        let mut state = self.lock();
        self.troubled.store(true, Ordering::Relaxed);
        state.failures = state.failures.saturating_add(1);
        let pauses = self.patience.failures > 0
            && (state.failures >= self.patience.failures || state.phase == Phase::Trying);
        // A call that was under way when the pause began says nothing new.
        if !pauses || matches!(state.phase, Phase::Open { .. }) {
            return None;
        }
        let pause = state.pause.min(self.patience.longest_pause);
        state.pause = pause.saturating_mul(2);
        state.phase = Phase::Open { until: Instant::now() + pause };
        Some(pause)
    }

    /// The next call tries again.
    fn undecided(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Trying {
            state.phase = Phase::Open { until: Instant::now() };
        }
    }

    /// Whether the module is called now.
    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// The call came back.
    pub(super) fn succeeded(mut self) {
        self.is_trial = false;
        self.breaker.succeeded();
    }

    /// The call ended its instance. Returns the pause that begins, if one does.
    pub(super) fn failed(mut self) -> Option<Duration> {
        self.is_trial = false;
        self.breaker.failed()
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.breaker.undecided();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker) -> Option<Duration> {
        breaker.admit().unwrap().failed()
    }

    const PATIENCE: Patience = Patience { failures: 3, longest_pause: Duration::from_millis(350) };

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_each_pause_is_longer_up_to_the_longest() {
        let breaker = Breaker::new(PATIENCE);
        assert_eq!((fail(&breaker), fail(&breaker)), (None, None));
        for pause in [100, 200, 350, 350] {
            let pause = Duration::from_millis(pause);
            assert_eq!(fail(&breaker), Some(pause));
            assert!(breaker.admit().is_none());
            tokio::time::advance(pause - Duration::from_millis(1)).await;
            assert!(breaker.admit().is_none());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_tries_it_and_a_success_closes_it_for_all() {
        let breaker = Breaker::new(PATIENCE);
        for _ in 0..3 {
            fail(&breaker);
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        let trial = breaker.admit().unwrap();
        assert_eq!(breaker.phase(), Phase::Trying);
        assert!(breaker.admit().is_none(), "one at a time");
        trial.succeeded();
        assert_eq!(breaker.phase(), Phase::Closed);
        assert!(breaker.admit().is_some());
        // And all is forgotten.
        assert_eq!(fail(&breaker), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_was_not_made_leaves_the_next_one_to_try() {
        let breaker = Breaker::new(PATIENCE);
        for _ in 0..3 {
            fail(&breaker);
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        drop(breaker.admit().unwrap());
        assert!(breaker.admit().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_between_failures_keeps_it_closed() {
        let breaker = Breaker::new(PATIENCE);
        for _ in 0..20 {
            assert_eq!(fail(&breaker), None);
            assert_eq!(fail(&breaker), None);
            breaker.admit().unwrap().succeeded();
        }
        assert_eq!(breaker.phase(), Phase::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_number_of_failures_it_never_opens() {
        let breaker = Breaker::new(Patience { failures: 0, ..PATIENCE });
        for _ in 0..100 {
            assert_eq!(fail(&breaker), None);
            assert!(breaker.admit().is_some());
        }
    }
}
