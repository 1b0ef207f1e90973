//! What a change of a module came to, for the keeper, the counters and the log.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Fallback, Rejected};
use super::module::Module;
use crate::config::ModuleConfig;

/// What a change came to, and how long all of it took.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) outcome: Outcome,
    pub(super) duration: Duration,
}

/// What a change came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The files say what is so.
    Unchanged,
    /// Somebody is writing the files.
    Changing,
    /// It serves, and nothing did before.
    Loaded { module: Arc<Module>, config: Box<ModuleConfig> },
    /// The same instances go on under other limits.
    Adjusted { module: Arc<Module>, config: Box<ModuleConfig>, file: Beside },
    /// Another revision serves.
    Swapped {
        module: Arc<Module>,
        config: Box<ModuleConfig>,
        before: Box<Fallback>,
        pause: Duration,
    },
    /// What served goes on.
    Refused { rejected: Option<Box<Rejected>>, reason: Arc<str> },
    /// What served before serves again.
    RolledBack {
        module: Arc<Module>,
        left: Box<Rejected>,
        config: Box<ModuleConfig>,
        before: Option<Box<Fallback>>,
        pause: Duration,
    },
    /// It could not be gone back.
    Stuck { to: Box<Fallback>, reason: Arc<str> },
    /// Nothing serves any more.
    Removed,
}

/// The module's file beside the settings that an adjusted module goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// That of the module.
    Same,
    /// Another, which was refused before. It is judged next, with these settings.
    Refused,
}

/// What kinds of outcome a change has, as they are counted and told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The files say what is so.
    Unchanged,
    /// Somebody is writing the files.
    Changing,
    /// It serves, and nothing did before.
    Loaded,
    /// The same instances go on under other limits.
    Adjusted,
    /// Another revision serves.
    Swapped,
    /// What served goes on.
    Refused,
    /// What served before serves again.
    RolledBack,
    /// It could not be gone back.
    Stuck,
    /// Nothing serves any more.
    Removed,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Unchanged,
        Self::Changing,
        Self::Loaded,
        Self::Adjusted,
        Self::Swapped,
        Self::Refused,
        Self::RolledBack,
        Self::Stuck,
        Self::Removed,
    ];

    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changing => "changing",
            Self::Loaded => "loaded",
            Self::Adjusted => "adjusted",
            Self::Swapped => "swapped",
            Self::Refused => "refused",
            Self::RolledBack => "rolled-back",
            Self::Stuck => "stuck",
            Self::Removed => "removed",
        }
    }
}

impl Outcome {
    /// Of which kind it is.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Unchanged => Kind::Unchanged,
            Self::Changing => Kind::Changing,
            Self::Loaded { .. } => Kind::Loaded,
            Self::Adjusted { .. } => Kind::Adjusted,
            Self::Swapped { .. } => Kind::Swapped,
            Self::Refused { .. } => Kind::Refused,
            Self::RolledBack { .. } => Kind::RolledBack,
            Self::Stuck { .. } => Kind::Stuck,
            Self::Removed => Kind::Removed,
        }
    }

    /// Whether the files are to be looked at again, before anybody is answered.
    pub(super) fn is_to_be_continued(&self) -> bool {
        matches!(self, Self::Changing | Self::Adjusted { file: Beside::Refused, .. })
    }

    /// How long nobody was called.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Swapped { pause, .. } | Self::RolledBack { pause, .. } => Some(*pause),
            Self::Unchanged
            | Self::Changing
            | Self::Loaded { .. }
            | Self::Adjusted { .. }
            | Self::Refused { .. }
            | Self::Stuck { .. }
            | Self::Removed => None,
        }
    }

    /// For who asked for it.
    pub(super) fn result(&self) -> Result<(), String> {
        match self {
            Self::Refused { reason, .. } | Self::Stuck { reason, .. } => Err(reason.to_string()),
            Self::Unchanged
            | Self::Changing
            | Self::Loaded { .. }
            | Self::Adjusted { .. }
            | Self::Swapped { .. }
            | Self::RolledBack { .. }
            | Self::Removed => Ok(()),
        }
    }

    /// Tells operators.
    pub(super) fn tell(&self, module: &str, duration: Duration) {
        let took_ms = millis(duration);
        match self {
            Self::Unchanged => tracing::debug!(module, "files touched, nothing changed"),
            Self::Changing => tracing::debug!(module, "files are being written"),
            Self::Loaded { module: new, .. } => {
                tracing::info!(module, revision = %new.digest(), took_ms, "module started");
            }
            Self::Adjusted { .. } => tracing::info!(module, took_ms, "limits changed"),
            Self::Swapped { module: new, before, pause, .. } => tracing::info!(
                module,
                revision = %new.digest(),
                before = %before.revision.digest(),
                state_bytes = before.state_bytes(),
                pause_ms = millis(*pause),
                took_ms,
                "module swapped"
            ),
            Self::Refused { reason, .. } => {
                tracing::error!(module, "module refused, what served goes on: {reason}");
            }
            Self::RolledBack { module: new, left, pause, .. } => tracing::warn!(
                module,
                revision = %new.digest(),
                left = %left.digest,
                pause_ms = millis(*pause),
                "rolled back: {}",
                left.reason
            ),
            Self::Stuck { reason, .. } => {
                tracing::error!(module, "cannot go back, it goes on: {reason}");
            }
            Self::Removed => tracing::info!(module, took_ms, "module ended"),
        }
    }
}

/// As a number in the log; those of 128 bits become text there.
fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
