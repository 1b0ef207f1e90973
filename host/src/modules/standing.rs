//! Whether a module may be called, and how long it is on probation.
//!
//! ```text
//! OnProbation --enough calls, or time--> Serving --retire--> Retired
//!     |                                                        ^
//!     +--an instance ended--> Condemned --rolled back----------+
//!                                 +--there is nothing to go back to--> Serving
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Notify, watch};

use crate::sandbox::CallFailure;

/// Whether a module may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It serves; one failure and it is condemned.
    OnProbation,
    /// It serves.
    Serving,
    /// It has failed on probation, for this reason: its calls wait for what comes of it.
    Condemned(Arc<str>),
    /// Others serve in its place, or nobody.
    Retired,
}

/// The standing of one module.
#[derive(Debug)]
pub(super) struct Standing {
    health: watch::Sender<Health>,
    /// Calls until the end of probation; none when it is over, which is all that a call looks at.
    calls: AtomicU32,
    alarm: Arc<Notify>,
}

impl Standing {
    /// One that serves. `alarm` rings when it is condemned.
    pub(super) fn new(alarm: Arc<Notify>) -> Self {
        Self { health: watch::Sender::new(Health::Serving), calls: AtomicU32::new(0), alarm }
    }

    pub(super) fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// From now on the first call that ends its instance condemns the module, for so many calls.
    pub(super) fn put_on_probation(&self, calls: u32) {
        self.calls.store(calls, Ordering::Relaxed);
        if calls > 0 {
            self.health.send_replace(Health::OnProbation);
        }
    }

    /// Whether a failure would condemn it, or has.
    pub(super) fn is_on_trial(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_condemned(&self) -> bool {
        self.is_on_trial() && matches!(*self.health.borrow(), Health::Condemned(_))
    }

    /// One call of its probation went well.
    pub(super) fn served(&self) {
        let one_less = |calls: u32| calls.checked_sub(1);
        if self.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) == Ok(1) {
            self.settle();
        }
    }

    /// Ends probation, or a sentence that could not be carried out: it goes on to serve.
    pub(super) fn settle(&self) {
        self.health.send_if_modified(|health| match health {
            Health::OnProbation | Health::Condemned(_) => {
                *health = Health::Serving;
                true
            }
            Health::Serving | Health::Retired => false,
        });
        self.calls.store(0, Ordering::Relaxed);
    }

    /// Others serve in its place, or nobody.
    pub(super) fn retire(&self) {
        self.health.send_replace(Health::Retired);
    }

    /// Rings the alarm and waits for what comes of it. Returns whether others serve now.
    pub(super) async fn condemn(&self, failure: &CallFailure) -> bool {
        let reason = failure.to_string();
        self.health.send_if_modified(|health| {
            let first = *health == Health::OnProbation;
            if first {
                *health = Health::Condemned(reason.into());
            }
            first
        });
        self.alarm.notify_one();
        self.is_retired_in_the_end().await
    }

    /// Waits until a condemned module is retired or goes on, and returns whether it is retired.
    pub(super) async fn is_retired_in_the_end(&self) -> bool {
        let mut health = self.health.subscribe();
        let decided = health.wait_for(|health| !matches!(health, Health::Condemned(_))).await;
        // The sender is in `self`.
        decided.is_ok_and(|health| *health == Health::Retired)
    }
}
