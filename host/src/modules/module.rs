//! One module with its instances: which instance a session belongs to, and when a fresh one takes
//! over. Another revision is another `Module`; see `swap`.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use super::breaker::{Breaker, Leave, Patience, Phase};
use super::slot::{Expect, Hold, Retired, Slot};
use super::spread::Spread;
use super::standing::{Health, Standing};
use super::started::Started;
use super::turn::{Missed, Turn};

use crate::config::{Affinity, Lifetime, Run};
use crate::counters::ModuleCounters;
use crate::sandbox::{
    CallFailure, Called, Digest256, DisconnectCall, Instance, MessageCall, ModuleContext, Outcome,
    Revision,
};
use crate::session::Session;

/// What calls of a module that pauses are counted under.
const UNAVAILABLE: &str = "unavailable";

/// Every cause under which a call that does not succeed is counted.
pub fn call_failures() -> Vec<&'static str> {
    CallFailure::causes().chain([UNAVAILABLE]).collect()
}

/// A loaded module.
#[derive(Debug)]
pub struct Module {
    context: Arc<ModuleContext>,
    counters: Arc<ModuleCounters>,
    digest: Digest256,
    file_bytes: usize,
    /// None once it is retired: idle connections may know it for long.
    revision: ArcSwapOption<Revision>,
    run: Run,
    slots: Box<[Slot]>,
    spread: Spread,
    standing: Arc<Standing>,
    breaker: Arc<Breaker>,
}

/// What a module is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What its instances share.
    pub context: Arc<ModuleContext>,
    /// What they are made of.
    pub revision: Arc<Revision>,
    /// How they live.
    pub run: Run,
    /// How keys are spread over them; that of a predecessor, so that each key finds its state.
    pub spread: Spread,
    /// Rings when the module is condemned.
    pub alarm: Arc<Notify>,
}

impl Module {
    /// Starts every instance; the first failure fails the module. The listeners that `start`
    /// registered are in the context afterwards.
    pub async fn start(parts: Parts) -> Result<Started, CallFailure> {
        let Parts { context, revision, run, .. } = &parts;
        let mut instances = Vec::with_capacity(run.instances);
        let mut effects = Vec::with_capacity(run.instances);
        for _ in 0..run.instances.max(1) {
            let started = Instance::start(revision, context).await?;
            effects.push(started.effects);
            instances.push(match run.lifetime {
                Lifetime::Instance => Some(Box::new(started.answer)),
                Lifetime::Call => None,
            });
        }
        Ok(Started { module: Arc::new(Self::of(parts, instances)), effects })
    }

    /// A module with instances that exist, in the order of their places.
    pub(super) fn of(parts: Parts, instances: Vec<Option<Box<Instance>>>) -> Self {
        let Parts { context, revision, run, spread, alarm } = parts;
        Self {
            counters: context.counters.module(&context.name),
            context,
            digest: revision.digest(),
            file_bytes: revision.file_bytes(),
            revision: ArcSwapOption::new(Some(revision)),
            run,
            slots: instances.into_iter().map(Slot::new).collect(),
            spread,
            standing: Arc::new(Standing::new(alarm)),
            breaker: Arc::new(Breaker::new(patience(run))),
        }
    }

    /// One that goes on with the instances of another, its probation and its pauses.
    pub(super) fn succeeding(&self, parts: Parts, instances: Vec<Option<Box<Instance>>>) -> Self {
        let breaker = match patience(parts.run) == patience(self.run) {
            true => Arc::clone(&self.breaker),
            false => Arc::new(Breaker::new(patience(parts.run))),
        };
        let standing = Arc::clone(&self.standing);
        Self { standing, breaker, ..Self::of(parts, instances) }
    }

    /// Name of the module.
    pub fn name(&self) -> &Arc<str> {
        &self.context.name
    }

    /// What is counted for it.
    pub fn counters(&self) -> &ModuleCounters {
        &self.counters
    }

    /// What its instances share.
    pub fn context(&self) -> &Arc<ModuleContext> {
        &self.context
    }

    /// SHA-256 of the file it was made from.
    pub fn digest(&self) -> Digest256 {
        self.digest
    }

    /// Size of the file it was made from, in bytes.
    pub fn file_bytes(&self) -> usize {
        self.file_bytes
    }

    /// What its instances are made of; none once it is retired.
    pub fn revision(&self) -> Option<Arc<Revision>> {
        self.revision.load_full()
    }

    /// How its instances live.
    pub fn run(&self) -> Run {
        self.run
    }

    /// How keys are spread over its instances.
    pub(super) fn spread(&self) -> Spread {
        self.spread
    }

    /// Whether it pauses after failures.
    pub fn phase(&self) -> Phase {
        self.breaker.phase()
    }

    /// Whether it may be called.
    pub fn health(&self) -> Health {
        self.standing.health()
    }

    /// Calls that wait for an instance now.
    pub fn in_line(&self) -> usize {
        self.slots.iter().map(Slot::in_line).sum()
    }

    /// The places of its instances.
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whether it may be called, and its probation.
    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The places are retired: whoever waits goes elsewhere, and the code may go.
    pub(super) fn set_retired(&self) {
        self.forget_code();
        self.standing.retire();
    }

    /// Another goes on in its place, with its instances and its standing.
    pub(super) fn forget_code(&self) {
        self.revision.store(None);
    }

    /// Calls the instance that the message belongs to, waiting for it in line.
    pub async fn on_message(&self, call: &MessageCall<'_>) -> Result<Turn<'_, Outcome>, Missed> {
        let mut hold = self.hold(call.session).await?;
        // Now, not before the line: it may have failed meanwhile.
        let leave = self.breaker.admit().ok_or_else(|| self.count_unavailable())?;
        self.count_call();
        let in_call = call.session.enter_call();
        let result = match self.ready(&mut hold).await {
            Ok(instance) => instance.on_message(call).await,
            Err(missed) => Err(missed.into_failure()?),
        };
        self.count_failure(&result);
        self.tell(leave, &result);
        let turn = self.turn(hold, result);
        drop(in_call);
        self.judge(turn).await
    }

    /// Calls the instance that the session belonged to, waiting for it in line.
    pub async fn on_disconnect(&self, call: &DisconnectCall<'_>) -> Result<Turn<'_, ()>, Missed> {
        let mut hold = self.hold(call.session).await?;
        self.count_call();
        // Whoever pauses hears of it all the same: there is no second time.
        let result = match self.ready(&mut hold).await {
            Ok(instance) => instance.on_disconnect(call).await,
            Err(missed) => Err(missed.into_failure()?),
        };
        self.count_failure(&result);
        let turn = self.turn(hold, result);
        self.judge(turn).await
    }

    /// The instance of a place; a fresh one where there is none, or only one whose last call
    /// never came back.
    async fn ready<'a>(
        &self,
        place: &'a mut Option<Box<Instance>>,
    ) -> Result<&'a mut Instance, Missed> {
        if place.as_ref().is_some_and(|instance| !instance.is_usable()) {
            *place = None;
        }
        match place {
            Some(instance) => Ok(instance),
            empty => {
                let revision = self.revision().ok_or(Missed::Retired)?;
                let mut started = Box::pin(Instance::start(&revision, &self.context)).await?;
                started.effects.apply(&self.context.counters.messages_queued);
                Ok(empty.insert(Box::new(started.answer)))
            }
        }
    }

    fn count_call(&self) {
        self.context.counters.calls.increment();
        self.counters.calls.increment();
    }

    fn count_failure<T>(&self, result: &Result<Called<T>, CallFailure>) {
        let Err(failure) = result else { return };
        let counters = &self.context.counters;
        match failure {
            CallFailure::Refused(_) => counters.calls_refused.increment(),
            CallFailure::Ended { .. } => counters.calls_ended.increment(),
        }
        self.counters.failures.increment(failure.cause());
    }

    fn count_unavailable(&self) -> Missed {
        self.counters.failures.increment(UNAVAILABLE);
        Missed::Unavailable
    }

    /// Tells the breaker how a call went.
    fn tell<T>(&self, leave: Leave<'_>, result: &Result<Called<T>, CallFailure>) {
        let Err(CallFailure::Ended { .. }) = result else { return leave.succeeded() };
        if let Some(pause) = leave.failed() {
            let (module, pause_ms) = (&**self.name(), pause.as_secs_f64() * 1e3);
            tracing::warn!(module, pause_ms, "it keeps failing, and pauses");
        }
    }

    /// Ends the instance if its time has come.
    fn turn<'a, T>(
        &'a self,
        mut hold: Hold<'a>,
        result: Result<Called<T>, CallFailure>,
    ) -> (Result<Turn<'a, T>, CallFailure>, Trace) {
        let trace = match hold.as_ref() {
            Some(instance) if !instance.left_no_trace() => Trace::Some,
            Some(_) | None => Trace::None,
        };
        let spent = self.run.lifetime == Lifetime::Call
            || hold.as_ref().is_some_and(|instance| !instance.is_usable());
        if spent {
            *hold = None;
        }
        let turn = result.map(|called| Turn::new(called, &self.context.counters, hold));
        (turn, trace)
    }

    /// On probation a call that ends its instance ends the module, and is made by its
    /// predecessor if nothing of it has happened.
    async fn judge<'a, T>(
        &self,
        (turn, trace): (Result<Turn<'a, T>, CallFailure>, Trace),
    ) -> Result<Turn<'a, T>, Missed> {
        if !self.standing.is_on_trial() {
            return turn.map_err(Missed::Failed);
        }
        match turn {
            Err(failure @ CallFailure::Ended { .. }) => {
                let retired = Box::pin(self.standing.condemn(&failure)).await;
                match (retired, trace) {
                    (true, Trace::None) => Err(Missed::Retired),
                    (true, Trace::Some) | (false, _) => Err(Missed::Failed(failure)),
                }
            }
            other => {
                self.standing.served();
                other.map_err(Missed::Failed)
            }
        }
    }

    /// Waits in line for the instance of a session.
    async fn hold(&self, session: &Session) -> Result<Hold<'_>, Retired> {
        let quick = self.revision.load().as_ref().is_some_and(|revision| revision.is_quick());
        let expect = match quick && self.run.lifetime == Lifetime::Instance {
            true => Expect::ShortCall,
            false => Expect::LongCall,
        };
        let slot = self.slot(session);
        let mut hold = slot.take(expect).await?;
        while self.standing.is_condemned() {
            drop(hold);
            if Box::pin(self.standing.is_retired_in_the_end()).await {
                return Err(Retired);
            }
            hold = slot.take(expect).await?;
        }
        Ok(hold)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "there is a slot, and the remainder is below their number"
    )]
    fn slot(&self, session: &Session) -> &Slot {
        if self.slots.len() == 1 {
            return &self.slots[0];
        }
        let key = match self.run.affinity {
            Affinity::Client => self.spread.of(&session.id().bits().to_le_bytes()),
            Affinity::User => match session.principal().username() {
                Some(user) => self.spread.of(user.as_bytes()),
                None => self.spread.of(&session.id().bits().to_le_bytes()),
            },
            Affinity::Path => self.spread.of(session.path().as_str().as_bytes()),
        };
        &self.slots[(key % self.slots.len() as u64) as usize]
    }
}

fn patience(run: Run) -> Patience {
    Patience { failures: run.breaker_failures, longest_pause: run.breaker_pause }
}

/// Whether something of a call has happened, though it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    None,
    Some,
}
