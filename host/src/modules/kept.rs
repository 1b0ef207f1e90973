//! What the keeper knows of one module.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use super::breaker::Phase;
use super::change::{Fallback, Making, Rejected};
use super::directory::{EXTENSION, Mark};
use super::loader::LoadedModule;
use super::module::Module;
use super::orders::Refusal;
use super::outcome::{Beside, Outcome};
use super::standing::Health;
use super::status::{ModuleStatus, State};
use crate::config::ModuleConfig;
use crate::sandbox::{CallFailure, TrapCause};

/// One module as the keeper knows it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) serving: Option<Arc<Module>>,
    /// What the sidecar of what serves said.
    pub(super) config: Option<ModuleConfig>,
    pub(super) fallback: Option<Fallback>,
    pub(super) rejected: Option<Rejected>,
    /// The files that were last acted upon.
    pub(super) seen: Option<Mark>,
    pub(super) missing_since: Option<Instant>,
    /// What is being done with it.
    pub(super) change: Option<Making>,
    pub(super) reply: Option<oneshot::Sender<Result<(), Refusal>>>,
    /// Its files are to be looked at again.
    pending: bool,
    still: Option<(Option<Mark>, Instant)>,
    /// The file that has moved last, by its extension.
    restless: &'static str,
    probation_until: Option<Instant>,
    state: State,
    since: SystemTime,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            serving: None,
            config: None,
            fallback: None,
            rejected: None,
            seen: None,
            missing_since: None,
            change: None,
            reply: None,
            pending: false,
            still: None,
            restless: EXTENSION,
            probation_until: None,
            state: State::Loading,
            since: SystemTime::now(),
        }
    }
}

impl Kept {
    /// One that was loaded when the gateway started.
    pub(super) fn serving(loaded: LoadedModule) -> Self {
        let LoadedModule { module, config, mark } = loaded;
        Self {
            serving: Some(module),
            config: Some(config),
            seen: mark,
            state: State::Active,
            ..Self::default()
        }
    }

    /// One that was refused then.
    pub(super) fn refused(mark: Option<Mark>, reason: String) -> Self {
        Self { seen: mark, state: State::Rejected(reason.into()), ..Self::default() }
    }

    pub(super) fn set(&mut self, state: State) {
        if self.state != state {
            (self.state, self.since) = (state, SystemTime::now());
        }
    }

    /// Whether something is being done with it.
    pub(super) fn is_busy(&self) -> bool {
        self.change.is_some()
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.state == State::Disabled
    }

    /// How long the files have looked like this.
    pub(super) fn still_since(&mut self, mark: Option<Mark>, now: Instant) -> Duration {
        match self.still {
            Some((known, since)) if known == mark => return now.duration_since(since),
            Some((Some(known), _)) => {
                self.restless = mark.map_or(EXTENSION, |mark| mark.difference(&known));
            }
            Some((None, _)) | None => {}
        }
        self.still = Some((mark, now));
        Duration::ZERO
    }

    /// Its files are read again as if nobody had seen them.
    pub(super) fn look_again(&mut self) {
        self.seen = None;
        self.pending = true;
    }

    /// The same, and as if nothing was known of them.
    pub(super) fn forget_refusals(&mut self) {
        self.rejected = None;
        self.look_again();
        self.set(State::Loading);
    }

    /// Whether its files are to be looked at again.
    pub(super) fn is_pending(&self) -> bool {
        self.pending
    }

    pub(super) fn set_pending(&mut self, pending: bool) {
        self.pending = pending;
    }

    /// The file that has moved last, by its extension.
    pub(super) fn restless_file(&self) -> &'static str {
        self.restless
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Probation ends after its time, too.
    pub(super) fn end_probation_in_time(&mut self) {
        if self.probation_until.is_none_or(|until| Instant::now() < until) || self.is_busy() {
            return;
        }
        self.probation_until = None;
        if let Some(module) = self.serving.as_ref().filter(|it| it.health() == Health::OnProbation)
        {
            module.standing().settle();
            tracing::info!(module = &**module.name(), "probation is over");
        }
        if let Some(fallback) = &mut self.fallback {
            fallback.forget_states();
        }
    }

    /// Takes in what a change came to.
    pub(super) fn take_in(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Unchanged => self.set(State::Active),
            Outcome::Changing | Outcome::Removed => {}
            Outcome::Loaded { module, config }
            | Outcome::Adjusted { module, config, file: Beside::Same } => {
                self.serve(module, *config);
                self.set(State::Active);
            }
            // What is wrong with the file is so still.
            Outcome::Adjusted { module, config, file: Beside::Refused } => {
                (self.serving, self.config) = (Some(module), Some(*config));
            }
            Outcome::Swapped { module, config, before, .. } => {
                self.probation_until = Some(Instant::now() + config.run.probation_time);
                self.serve(module, *config);
                self.fallback = Some(*before);
                // Since when this revision serves.
                (self.state, self.since) = (State::Active, SystemTime::now());
            }
            Outcome::Refused { rejected, reason } => {
                let has_failed = rejected.as_ref().is_some_and(|it| it.config.is_none());
                if let Some(rejected) = rejected {
                    self.rejected = Some(*rejected);
                }
                self.set(match has_failed {
                    true => State::RolledBack(reason),
                    false => State::Rejected(reason),
                });
            }
            Outcome::RolledBack { module, left, config, before, .. } => {
                let reason = Arc::clone(&left.reason);
                self.serve(module, *config);
                self.fallback = before.map(|before| *before);
                self.probation_until = None;
                self.rejected = Some(*left);
                (self.state, self.since) = (State::RolledBack(reason), SystemTime::now());
            }
            Outcome::Stuck { to, .. } => {
                if let Some(serving) = &self.serving {
                    serving.standing().settle();
                }
                self.fallback = Some(*to);
            }
        }
    }

    fn serve(&mut self, module: Arc<Module>, config: ModuleConfig) {
        self.serving = Some(module);
        self.config = Some(config);
        self.rejected = None;
    }

    /// As operators see it.
    pub(super) fn status(&self, name: &str) -> ModuleStatus {
        let module = self.serving.as_deref();
        let failures = |cause| module.map_or(0, |module| module.counters().failures.of(cause));
        ModuleStatus {
            name: name.to_owned(),
            state: if self.is_busy() && !self.is_ending() {
                State::Loading
            } else {
                self.state.clone()
            },
            since: self.since,
            revision: module.map(|module| module.digest().to_string()),
            on_probation: module.is_some_and(|module| module.health() == Health::OnProbation),
            pauses: module.is_some_and(|module| module.phase() != Phase::Closed),
            can_roll_back: self.fallback.is_some(),
            calls: module.map_or(0, |module| module.counters().calls.get()),
            errors: failures(CallFailure::REFUSED),
            traps: TrapCause::ALL.map(|cause| failures(cause.as_str())).iter().sum(),
            instances: module.map_or(0, |module| module.run().instances),
            memory_bytes: module.map_or(0, |module| module.context().used.used()),
            queue: module.map_or(0, Module::in_line),
        }
    }

    fn is_ending(&self) -> bool {
        matches!(self.state, State::Draining | State::Disabled)
    }
}
