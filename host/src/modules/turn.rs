//! What comes of a call: its answer with the turn at its instance, or why there is none.

use super::slot::{Hold, Retired};
use crate::counters::Counters;
use crate::sandbox::{CallFailure, Called};

/// A call that succeeded. Its instance takes the next one only when this is gone, so that what one
/// call asked for happens before what the next one asks for.
#[derive(Debug)]
pub struct Turn<'a, T> {
    called: Called<T>,
    counters: &'a Counters,
    _hold: Hold<'a>,
}

impl<'a, T> Turn<'a, T> {
    pub(super) fn new(called: Called<T>, counters: &'a Counters, hold: Hold<'a>) -> Self {
        Self { called, counters, _hold: hold }
    }

    /// Makes what the call asked for happen, and gives its answer. What it sent to clients who are
    /// away outlives the process before anybody else learns of the call.
    pub async fn finish(mut self) -> T {
        let counter = &self.counters.messages_queued;
        if let Some(store) = self.called.effects.apply_to_absent(counter) {
            // Rare, and its room is not needed before. Where it fails, the store says so itself.
            Box::pin(store.settled()).await;
        }
        self.called.effects.apply(counter);
        self.called.answer
    }
}

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Missed {
    /// It was made, and failed.
    #[error(transparent)]
    Failed(#[from] CallFailure),
    /// Nothing of it has happened, and the module is no longer the one to make it: whoever listens
    /// now is.
    #[error("another revision has taken over")]
    Retired,
    /// The module pauses, because it keeps ending its instances.
    #[error("the module pauses after too many failures")]
    Unavailable,
}

impl From<Retired> for Missed {
    fn from(_: Retired) -> Self {
        Self::Retired
    }
}

impl Missed {
    /// The failure, if it is one; else it is what the caller is told.
    pub(super) fn into_failure(self) -> Result<CallFailure, Self> {
        match self {
            Self::Failed(failure) => Ok(failure),
            Self::Retired | Self::Unavailable => Err(self),
        }
    }
}
