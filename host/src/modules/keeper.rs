//! Keeps what serves in step with the module directory: loads what is new, swaps what has changed,
//! drains what is gone, goes back where a new revision fails. One change of a module at a time;
//! what changes meanwhile is seen afterwards, so that a storm of changes comes to a few swaps.
//!
//! Invariant: no module is read before its files have kept still for [`SETTLE`], and none is made
//! of other bytes than those that were read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::change::{Change, Making, Task};
use super::directory::{self, FoundModule, Refused, SETTLE};
use super::kept::Kept;
use super::loader::{Loaded, Loader};
use super::orders::{Asked, Command, KeeperHandle, Refusal};
use super::outcome::{Changed, Outcome};
use super::reload::Reloading;
use super::standing::Health;
use super::status::State;
use super::table::ModuleTable;
use crate::config::nearest;

/// Time between two looks at the directory.
const LOOK: Duration = Duration::from_millis(250);

/// Whether the directory is looked at without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Several times a second.
    On,
    /// Only on [`KeeperHandle::reload`].
    Off,
}

/// The task that changes modules.
#[derive(Debug)]
pub struct Keeper {
    loader: Arc<Loader>,
    table: Arc<ModuleTable>,
    directory: PathBuf,
    watch: Watch,
    modules: BTreeMap<String, Kept>,
    changes: JoinSet<(String, Changed)>,
    commands: mpsc::Receiver<Command>,
    /// Who waits until a look has had its consequences.
    reloading: Vec<Reloading>,
}

impl Keeper {
    /// A keeper of what was loaded when the gateway started.
    pub fn new(
        loader: Arc<Loader>,
        table: Arc<ModuleTable>,
        directory: PathBuf,
        watch: Watch,
        loaded: Loaded,
    ) -> (Self, KeeperHandle) {
        let (handle, commands) = KeeperHandle::new();
        let served = loaded.modules.into_iter();
        let mut modules: BTreeMap<String, Kept> =
            served.map(|it| (it.module.name().to_string(), Kept::serving(it))).collect();
        for refused in loaded.refused.into_iter().filter(Refused::is_named_as_module) {
            modules
                .entry(refused.module_name())
                .or_insert_with(|| Kept::refused(refused.mark, refused.reason));
        }
        let keeper = Self {
            loader,
            table,
            directory,
            watch,
            modules,
            changes: JoinSet::new(),
            commands,
            reloading: Vec::new(),
        };
        (keeper, handle)
    }

    /// Works until `stop`. Changes that have begun are given up then.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let alarm = Arc::clone(&self.loader.alarm);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = looks.tick() => self.tick().await,
                () = alarm.notified() => self.judge(),
                Some(command) = self.commands.recv() => self.obey(command),
                Some(done) = self.changes.join_next_with_id() => match done {
                    Ok((_, (name, changed))) => self.note(&name, changed),
                    // It was given up, or has panicked, which the runtime has reported.
                    Err(error) => self.note_given_up(error.id()),
                }
            }
        }
        self.changes.shutdown().await;
        self.settle_all();
    }

    /// Makes no module wait for a judgement any more: nobody is left to give it.
    fn settle_all(&self) {
        self.table.modules().iter().for_each(|module| module.standing().settle());
    }

    async fn tick(&mut self) {
        for kept in self.modules.values_mut() {
            kept.end_probation_in_time();
        }
        let is_unread = self.modules.values().any(Kept::is_pending);
        if self.watch == Watch::On || is_unread || !self.reloading.is_empty() {
            self.look().await;
        }
        for asked in self.reloading.extract_if(.., |asked| asked.is_over(&self.modules)) {
            asked.answer(&self.modules);
        }
    }

    /// Compares the directory with what is known, and begins what follows from it.
    async fn look(&mut self) {
        let directory = self.directory.clone();
        let scan = match tokio::task::spawn_blocking(move || directory::scan(&directory)).await {
            Ok(Ok(scan)) => scan,
            Ok(Err(error)) => {
                let directory = self.directory.display();
                tracing::warn!(%directory, %error, "cannot look at the modules; they go on");
                let reason = format!("module directory {directory}: {error}; what serves goes on");
                self.reloading.drain(..).for_each(|asked| asked.fail(&reason));
                return;
            }
            Err(_) => return,
        };
        self.modules.values_mut().for_each(|kept| kept.set_pending(false));
        let now = Instant::now();
        let mut gone: Vec<String> = self.modules.keys().cloned().collect();
        for found in scan.found {
            gone.retain(|name| name != found.name.as_str());
            self.consider(found, now);
        }
        // What is no module file by its name was told when the gateway started.
        for refused in scan.refused.into_iter().filter(Refused::is_named_as_module) {
            let name = refused.module_name();
            gone.retain(|known| *known != name);
            let kept = self.modules.entry(name.clone()).or_default();
            if kept.is_disabled() {
                continue;
            }
            if kept.seen != refused.mark {
                tracing::error!(module = name, "module refused: {}", refused.reason);
                kept.seen = refused.mark;
                kept.set(State::Rejected(refused.reason.as_str().into()));
                for asked in &mut self.reloading {
                    asked.note_refused(&name, &refused.reason);
                }
            }
            if let Some(reply) = kept.reply.take() {
                let _ = reply.send(Err(Refusal::Failed(refused.reason)));
            }
        }
        for name in gone {
            self.begin_removal(&name, now);
        }
    }

    /// Begins to load a module whose files have changed and keep still.
    fn consider(&mut self, found: FoundModule, now: Instant) {
        let kept = self.modules.entry(found.name.as_str().to_owned()).or_default();
        kept.missing_since = None;
        if kept.is_disabled() || kept.seen == found.mark {
            return;
        }
        let still = kept.still_since(found.mark, now);
        if kept.is_busy() || still < SETTLE {
            kept.set_pending(true);
            return;
        }
        kept.seen = found.mark;
        let change = Change::Load {
            found: Box::new(found),
            serving: kept.serving.clone(),
            config: kept.config.clone().map(Box::new),
            rejected: kept.rejected.clone().map(Box::new),
        };
        self.begin(change);
    }

    fn begin_removal(&mut self, name: &str, now: Instant) {
        let Some(kept) = self.modules.get_mut(name) else { return };
        if kept.is_disabled() {
            return;
        }
        if kept.is_busy() {
            kept.set_pending(true);
            return;
        }
        // A file that is replaced may be away for a moment.
        if now.duration_since(*kept.missing_since.get_or_insert(now)) < SETTLE {
            kept.set_pending(true);
            return;
        }
        match kept.serving.take() {
            Some(module) => {
                kept.set(State::Draining);
                tracing::info!(module = name, "its file is gone: draining");
                self.begin(Change::Remove { module });
            }
            None => drop(self.modules.remove(name)),
        }
    }

    fn begin(&mut self, change: Change) {
        let name = change.name();
        let (loader, table) = (Arc::clone(&self.loader), Arc::clone(&self.table));
        let task = Task::of(&change);
        let kept = self.modules.entry(name.clone()).or_default();
        let handle = self.changes.spawn(async move { (name, change.make(&loader, &table).await) });
        kept.change = Some(Making { handle, task, since: Instant::now() });
    }

    /// Goes back where a module was condemned.
    fn judge(&mut self) {
        let condemned: Vec<(String, Arc<str>)> = self
            .modules
            .iter()
            .filter_map(|(name, kept)| match kept.serving.as_ref()?.health() {
                Health::Condemned(reason) => Some((name.clone(), reason)),
                Health::OnProbation | Health::Serving | Health::Retired => None,
            })
            .collect();
        for (name, reason) in condemned {
            match self.modules.get(&name).and_then(|kept| kept.change.as_ref()) {
                None => {}
                // Its clients wait: the new file has time.
                Some(Making { handle, task: Task::Load, .. }) => {
                    handle.abort();
                    continue;
                }
                Some(Making { task: Task::Other, .. }) => continue,
            }
            tracing::warn!(module = name, %reason, "failed on probation: going back");
            if let Err(refusal) = self.begin_rollback(&name, reason) {
                tracing::error!(module = name, "cannot go back, it goes on: {refusal}");
                let serving = self.modules.get(&name).and_then(|kept| kept.serving.as_ref());
                serving.iter().for_each(|module| module.standing().settle());
            }
        }
    }

    fn begin_rollback(&mut self, name: &str, reason: Arc<str>) -> Result<(), Refusal> {
        let kept = self.kept(name)?;
        let none = || Refusal::NoFallback(name.to_owned());
        let (from, config) = kept.serving.clone().zip(kept.config.clone()).ok_or_else(none)?;
        let to = Box::new(kept.fallback.take().ok_or_else(none)?);
        self.begin(Change::Rollback { from, config: Box::new(config), to, reason });
        Ok(())
    }

    /// A module that nothing is being done with.
    fn kept(&mut self, name: &str) -> Result<&mut Kept, Refusal> {
        if !self.modules.contains_key(name) {
            let hint = hint(name, self.modules.keys().map(String::as_str));
            return Err(Refusal::Unknown { name: name.to_owned(), hint });
        }
        match self.modules.get_mut(name) {
            Some(kept) if !kept.is_busy() => Ok(kept),
            Some(_) | None => Err(Refusal::Busy(name.to_owned())),
        }
    }

    /// Takes in what a change came to.
    fn note(&mut self, name: &str, changed: Changed) {
        let Some(kept) = self.modules.get_mut(name) else { return };
        let made = kept.change.take().filter(|made| made.task == Task::Load);
        let counters = &self.loader.counters;
        let Changed { outcome, duration } = changed;
        outcome.tell(name, duration);
        counters.swaps.increment(outcome.kind().as_str());
        if let Some(pause) = outcome.pause() {
            counters.swap_pause.record(pause);
        }
        for asked in &mut self.reloading {
            asked.note(name, &outcome, made.as_ref().map(|made| made.since));
        }
        if outcome.is_to_be_continued() {
            // Who waits for it goes on waiting.
            kept.look_again();
        } else if let Some(reply) = kept.reply.take() {
            // Whoever asked may have gone.
            let _ = reply.send(outcome.result().map_err(Refusal::Failed));
        }
        match outcome {
            Outcome::Removed if !kept.is_disabled() => drop(self.modules.remove(name)),
            outcome => kept.take_in(outcome),
        }
        // It may have been condemned while it was busy.
        self.judge();
    }

    /// A change has come to nothing; what it was for is looked at again.
    fn note_given_up(&mut self, task: tokio::task::Id) {
        let given_up =
            |kept: &&mut Kept| kept.change.as_ref().is_some_and(|made| made.handle.id() == task);
        if let Some(kept) = self.modules.values_mut().find(given_up) {
            kept.change = None;
            kept.look_again();
        }
        self.judge();
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::List(reply) => {
                let list = self.modules.iter().map(|(name, kept)| kept.status(name));
                let _ = reply.send(list.collect());
            }
            Command::Reload(reply) => self.reloading.push(Reloading::new(reply)),
            Command::Change { name, what, reply } => match self.begin_asked(&name, what) {
                Ok(kept) => kept.reply = Some(reply),
                Err(refusal) => drop(reply.send(Err(refusal))),
            },
        }
    }

    /// Begins what an operator asks for; whoever asked is told when it is done.
    fn begin_asked(&mut self, name: &str, what: Asked) -> Result<&mut Kept, Refusal> {
        match what {
            Asked::Rollback => {
                self.begin_rollback(name, "an operator asked for it".into())?;
            }
            Asked::Disable => {
                let kept = self.kept(name)?;
                let module = kept.serving.take().ok_or_else(|| not_so(name, "not serving"))?;
                kept.set(State::Disabled);
                self.begin(Change::Remove { module });
            }
            Asked::Enable => {
                let kept = self.kept(name)?;
                if kept.serving.is_some() && kept.rejected.is_none() {
                    return Err(not_so(name, "serving"));
                }
                kept.forget_refusals();
            }
        }
        self.modules.get_mut(name).ok_or_else(|| Refusal::Busy(name.to_owned()))
    }
}

/// Which module may be meant by a name that none has.
fn hint<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    // The file is what people see.
    let stem = name.strip_suffix(".wasm").unwrap_or(name);
    match nearest(stem, known) {
        Some(meant) => format!("did you mean `{meant}`? known: {all}"),
        None if all.is_empty() => "there is none at all".to_owned(),
        None => format!("known: {all}"),
    }
}

fn not_so(name: &str, state: &'static str) -> Refusal {
    Refusal::State { name: name.to_owned(), state }
}
