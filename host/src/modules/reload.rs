//! Who has asked for a look at the module directory, and what he is told: what came of it for each
//! module.
//!
//! Invariant: nobody waits for files that do not keep still longer than [`PATIENCE`], nor for what
//! changes after it was acted upon. What else he waits for, the changes themselves, has its limits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::kept::Kept;
use super::orders::Refusal;
use super::outcome::{Kind, Outcome};
use super::status::State;

/// So long files may take to keep still.
const PATIENCE: Duration = Duration::from_secs(5);

/// The result where files do not.
const RESTLESS: &str = "restless";

/// What came of a look at the directory for one module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upshot {
    /// The module.
    pub module: String,
    /// What its files came to, as changes are counted; where they were refused before, and are so
    /// still, the module's state; `restless` where they do not keep still.
    pub result: String,
    /// SHA-256 of the file of what serves since, in hexadecimal; none where that is as before.
    pub revision: Option<String>,
    /// Why, where what the files say does not serve.
    pub reason: Option<String>,
    /// Whether that is so against the will of who asked.
    pub failed: bool,
}

/// Who has asked, and waits.
#[derive(Debug)]
pub(super) struct Reloading {
    since: Instant,
    reply: oneshot::Sender<Result<Vec<Upshot>, Refusal>>,
    /// Modules whose files were read since, and acted upon.
    settled: BTreeSet<String>,
    upshots: Vec<Upshot>,
}

impl Reloading {
    /// Begins with this moment.
    pub(super) fn new(reply: oneshot::Sender<Result<Vec<Upshot>, Refusal>>) -> Self {
        Self { since: Instant::now(), reply, settled: BTreeSet::new(), upshots: Vec::new() }
    }

    /// A change came to this. `read` is when a change that reads the files began.
    pub(super) fn note(&mut self, name: &str, outcome: &Outcome, read: Option<Instant>) {
        if read.is_some_and(|read| read >= self.since) && !outcome.is_to_be_continued() {
            self.settled.insert(name.to_owned());
        }
        self.upshots.extend(Upshot::of(name, outcome));
    }

    /// A file was refused by its looks.
    pub(super) fn note_refused(&mut self, name: &str, reason: &str) {
        self.upshots.push(Upshot::refused(name, reason));
    }

    /// Whether nothing is left to wait for, after a look.
    pub(super) fn is_over(&self, modules: &BTreeMap<String, Kept>) -> bool {
        let patient = self.since.elapsed() < PATIENCE;
        modules
            .iter()
            .filter(|(name, _)| !self.settled.contains(*name))
            .all(|(_, kept)| !(kept.is_busy() || (kept.is_pending() && patient)))
    }

    /// Tells what came of it.
    pub(super) fn answer(self, modules: &BTreeMap<String, Kept>) {
        let Self { reply, settled, mut upshots, .. } = self;
        for (name, kept) in modules {
            if kept.is_pending() && !settled.contains(name) {
                let upshot = Upshot::restless(name, kept.restless_file());
                tracing::warn!(module = name, "{}", upshot.reason.as_deref().unwrap_or_default());
                upshots.push(upshot);
            } else if !upshots.iter().any(|upshot| upshot.module == *name) {
                upshots.extend(Upshot::standing(name, kept.state()));
            }
        }
        upshots.sort_by(|a, b| a.module.cmp(&b.module));
        // Whoever asked may have gone.
        let _ = reply.send(Ok(upshots));
    }

    /// The directory cannot be looked at.
    pub(super) fn fail(self, reason: &str) {
        let _ = self.reply.send(Err(Refusal::Failed(reason.to_owned())));
    }
}

impl Upshot {
    fn of(name: &str, outcome: &Outcome) -> Option<Self> {
        let reason = outcome.result().err();
        let (revision, reason, failed) = match outcome {
            Outcome::Changing => return None,
            Outcome::Loaded { module, .. } | Outcome::Swapped { module, .. } => {
                (Some(module.digest()), None, false)
            }
            Outcome::RolledBack { module, left, .. } => {
                (Some(module.digest()), Some(left.reason.to_string()), true)
            }
            Outcome::Unchanged
            | Outcome::Adjusted { .. }
            | Outcome::Refused { .. }
            | Outcome::Stuck { .. }
            | Outcome::Removed => (None, reason.clone(), reason.is_some()),
        };
        let result = outcome.kind().as_str().to_owned();
        let revision = revision.map(|revision| revision.to_string());
        Some(Self { module: name.to_owned(), result, revision, reason, failed })
    }

    fn refused(name: &str, reason: &str) -> Self {
        Self::without_effect(name, Kind::Refused.as_str(), reason, true)
    }

    /// Of a file that was refused before.
    fn standing(name: &str, state: &State) -> Option<Self> {
        // Who has rolled back wanted it so, or has been told.
        let failed = matches!(state, State::Rejected(_));
        Some(Self::without_effect(name, state.name(), state.reason()?, failed))
    }

    fn restless(name: &str, file: &str) -> Self {
        let reason = format!(
            "{name}.{file} does not keep still; it is read when nobody has written to it for a moment"
        );
        Self::without_effect(name, RESTLESS, &reason, true)
    }

    fn without_effect(name: &str, result: &str, reason: &str, failed: bool) -> Self {
        let (module, result, reason) = (name.to_owned(), result.to_owned(), reason.to_owned());
        Self { module, result, revision: None, reason: Some(reason), failed }
    }
}
