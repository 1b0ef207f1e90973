//! One change of one module, from the files to the table. It is made in a task of its own, so that
//! a module that takes long to compile holds up no other.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::AbortHandle;

use super::directory::FoundModule;
use super::loader::{Files, Loader, Reading};
use super::module::Module;
use super::outcome::{Beside, Changed, Outcome};
use super::standing::Health;
use super::swap::{self, Inheritance, Swapped};
use super::table::ModuleTable;
use crate::config::{ModuleConfig, Run};
use crate::sandbox::{Digest256, Revision, Snapshot};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Change {
    /// Makes what serves what the files say.
    Load {
        found: Box<FoundModule>,
        serving: Option<Arc<Module>>,
        config: Option<Box<ModuleConfig>>,
        /// Not tried again.
        rejected: Option<Box<Rejected>>,
    },
    /// Drains what serves.
    Remove { module: Arc<Module> },
    /// Goes back to what served before.
    Rollback { from: Arc<Module>, config: Box<ModuleConfig>, to: Box<Fallback>, reason: Arc<str> },
}

/// Which kind of change is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// It may be given up at any time: what serves goes on.
    Load,
    /// It is let alone.
    Other,
}

impl Task {
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::Load { .. } => Self::Load,
            Change::Remove { .. } | Change::Rollback { .. } => Self::Other,
        }
    }
}

/// A change that is being made.
#[derive(Debug)]
pub(super) struct Making {
    pub(super) handle: AbortHandle,
    pub(super) task: Task,
    pub(super) since: Instant,
}

/// What was refused, and need not be tried again.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    pub(super) digest: Digest256,
    /// With which settings; with any, where the revision itself has failed.
    pub(super) config: Option<ModuleConfig>,
    pub(super) reason: Arc<str>,
}

/// What served before, to go back to.
#[derive(Debug)]
pub(super) struct Fallback {
    pub(super) revision: Arc<Revision>,
    config: ModuleConfig,
    /// What it handed over, by place.
    states: Vec<Option<Arc<Snapshot>>>,
}

impl Change {
    /// Name of the module.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Load { found, .. } => found.name.as_str().to_owned(),
            Self::Remove { module } => module.name().to_string(),
            Self::Rollback { from, .. } => from.name().to_string(),
        }
    }

    /// Makes it.
    pub(super) async fn make(self, loader: &Loader, table: &ModuleTable) -> Changed {
        let began = Instant::now();
        let outcome = match self {
            Self::Load { found, serving, config, rejected } => match loader.read(&found).await {
                Reading::Changing => Outcome::Changing,
                Reading::Refused(reason) => {
                    Outcome::Refused { rejected: None, reason: reason.into() }
                }
                Reading::Whole(files) => {
                    let before = serving.zip(config.map(|config| *config));
                    load(loader, table, *files, before, rejected.map(|it| *it)).await
                }
            },
            Self::Remove { module } => {
                // Only this module's changes retire it, and there is one at a time.
                let _ = swap::remove(table, &module).await;
                Outcome::Removed
            }
            Self::Rollback { from, config, to, reason } => {
                roll_back(loader, table, &from, *config, to, reason).await
            }
        };
        Changed { outcome, duration: began.elapsed() }
    }
}

async fn load(
    loader: &Loader,
    table: &ModuleTable,
    files: Files,
    before: Option<(Arc<Module>, ModuleConfig)>,
    rejected: Option<Rejected>,
) -> Outcome {
    let Files { config, digest, bytes } = files;
    let rejected = rejected.filter(|it| it.digest == digest);
    let refuse = |reason: String| {
        let reason: Arc<str> = reason.into();
        let rejected =
            Rejected { digest, config: Some(config.clone()), reason: Arc::clone(&reason) };
        Outcome::Refused { rejected: Some(Box::new(rejected)), reason }
    };
    let same = before
        .as_ref()
        .and_then(|(module, _)| module.revision().filter(|revision| revision.digest() == digest));
    if let Some((module, old)) = &before {
        let file = match (&same, &rejected) {
            (Some(_), _) => Some(Beside::Same),
            // What serves goes on, now or in the end: so it is told the limits before.
            (None, Some(_)) => Some(Beside::Refused),
            (None, None) => None,
        };
        if *old == config && file == Some(Beside::Same) {
            return Outcome::Unchanged;
        }
        if let Some(file) = file
            && *old != config
            && !needs_fresh_instances(old, &config)
            && let Some(revision) = module.revision()
        {
            let parts = || loader.succeeding_parts(revision, &config, module);
            return match swap::adjust(table, module, parts).await {
                Ok(module) => Outcome::Adjusted { module, config: Box::new(config.clone()), file },
                Err(error) => refuse(error.to_string()),
            };
        }
    }
    if let Some(known) =
        rejected.filter(|it| it.config.as_ref().is_none_or(|other| *other == config))
    {
        let reason = Arc::clone(&known.reason);
        return Outcome::Refused { rejected: Some(Box::new(known)), reason };
    }
    let revision = match same {
        Some(revision) => revision,
        None => match loader.compile(bytes).await {
            Ok(revision) => Arc::new(revision),
            Err(reason) => return refuse(reason),
        },
    };
    let Some((old, old_config)) = before else {
        return match loader.start(revision, &config, None).await {
            Ok(started) => {
                let module = started.publish(table);
                Outcome::Loaded { module, config: Box::new(config) }
            }
            Err(reason) => refuse(reason),
        };
    };
    match replace(loader, table, &old, &config, revision, &[], Probation::Yes).await {
        Ok((module, before, Swapped { pause, states })) => Outcome::Swapped {
            module,
            config: Box::new(config),
            before: Box::new(Fallback { revision: before, config: old_config, states }),
            pause,
        },
        Err(reason) => refuse(reason),
    }
}

async fn roll_back(
    loader: &Loader,
    table: &ModuleTable,
    from: &Module,
    config: ModuleConfig,
    to: Box<Fallback>,
    reason: Arc<str>,
) -> Outcome {
    let digest = from.digest();
    let revision = Arc::clone(&to.revision);
    let has_failed = matches!(from.health(), Health::Condemned(_));
    // Of one that serves well only its own state will do.
    let kept = if has_failed { &to.states[..] } else { &[] };
    match replace(loader, table, from, &to.config, revision, kept, Probation::No).await {
        Ok((module, before, Swapped { pause, .. })) => {
            let Fallback { config: back, .. } = *to;
            Outcome::RolledBack {
                module,
                left: Box::new(Rejected { digest, config: None, reason }),
                config: Box::new(back),
                // Nobody wants to go back to one that has failed.
                before: (!has_failed)
                    .then(|| Box::new(Fallback { revision: before, config, states: Vec::new() })),
                pause,
            }
        }
        Err(error) => Outcome::Stuck { to, reason: error.into() },
    }
}

/// Whether the next revision is tried, or known to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probation {
    Yes,
    No,
}

/// It may be a mistake, or a file that is only half there: what was there last is missing first.
const DROPS_STATE: &str = "the revision that serves has a state to hand over, and this one takes \
                           none (it does not export `state-handover`); set run.drop_state = true \
                           in the sidecar if that is meant";

/// Starts a revision and puts it in the place of another; returns what it took over from.
pub(super) async fn replace(
    loader: &Loader,
    table: &ModuleTable,
    old: &Module,
    config: &ModuleConfig,
    revision: Arc<Revision>,
    kept: &[Option<Arc<Snapshot>>],
    probation: Probation,
) -> Result<(Arc<Module>, Arc<Revision>, Swapped), String> {
    let before = old.revision().ok_or("the module was removed meanwhile")?;
    let hands_over = before.hands_over_state() && revision.hands_over_state();
    if before.hands_over_state()
        && !hands_over
        && probation == Probation::Yes
        && !config.run.drop_state
    {
        return Err(DROPS_STATE.to_owned());
    }
    if hands_over {
        swap::check_places(old.run(), config.run).map_err(|error| error.to_string())?;
    }
    let started = loader.start(revision, config, Some(old)).await?;
    let module = Arc::clone(&started.module);
    if probation == Probation::Yes {
        module.standing().put_on_probation(config.run.probation_calls);
    }
    let inheritance =
        if hands_over { Inheritance::Exported { kept } } else { Inheritance::Nothing };
    match swap::exchange(table, old, started, inheritance).await {
        Ok(swapped) => Ok((module, before, swapped)),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a change of settings reaches further than limits.
fn needs_fresh_instances(old: &ModuleConfig, new: &ModuleConfig) -> bool {
    let places = |run: &Run| (run.instances, run.affinity, run.lifetime);
    // A `start` may have read what is in `[config]`, and is to refuse what it cannot use.
    old.paths != new.paths || old.grants != new.grants || places(&old.run) != places(&new.run)
}

impl Fallback {
    /// Forgets the state: it is too old by now.
    pub(super) fn forget_states(&mut self) {
        self.states = Vec::new();
    }

    /// What it handed over, in bytes.
    pub(super) fn state_bytes(&self) -> usize {
        self.states.iter().flatten().map(|state| state.data.len()).sum()
    }
}
