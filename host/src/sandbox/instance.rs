//! One running copy of a module. A call that does not return normally, for whatever reason, ends
//! the instance: its memory may be half-way through anything, so its store is never used again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Lift, Lower, TypedFunc};

use super::bindings::Listener;
use super::call::{Called, ClientParts, DisconnectCall, MessageCall, Outcome};
use super::component::Revision;
use super::cpu_clock;
use super::effects::Effects;
use super::failure::{CallFailure, LimitBreach, TrapCause, classify};
use super::handover::{HandoverFuncs, Snapshot};
use super::state::{Entry, InstanceState, ModuleContext};
use super::store::{hostcall_bytes, new_store};
use super::ticker::TICK;
use crate::limits::ModuleLimits;
use crate::session::Session;

/// What a state takes besides its data.
const HANDOVER_SLACK_BYTES: usize = 64 << 10;

/// A call that runs longer than this moves its module to fibers, which can be interrupted.
const MAX_DIRECT_CPU: Duration = Duration::from_millis(2);

/// A `start` that was short once and now uses more than this is made again on a fiber.
const MAX_DIRECT_START_TICKS: u32 = 20;

/// A module that may use more CPU time than this in one call is never entered directly: neither
/// its time-out nor those who wait for what it flushed could interrupt it.
const MAX_DIRECT_BUDGET: Duration = Duration::from_millis(100);

/// One instance in its own store.
pub struct Instance {
    listener: Listener,
    handover: Option<HandoverFuncs>,
    cell: Cell,
}

/// What one call may use up, and how it is made.
#[derive(Clone, Copy)]
struct Budget {
    cpu_ticks: u32,
    timeout: Duration,
    entry: Entry,
}

/// What a start makes of a revision.
struct Made {
    listener: Listener,
    handover: Option<HandoverFuncs>,
    answer: Result<(), String>,
}

/// A store, and whether the guest in it may be entered.
struct Cell {
    revision: Arc<Revision>,
    store: Store<InstanceState>,
    condition: Condition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Clean,
    /// A call has begun. Found before a call, it means that the last one never came back.
    InCall,
    /// The same, of a call that had flushed some of what it asked for.
    InFlushedCall,
}

impl Instance {
    /// Makes an instance and calls its `start`: on the caller's stack where that was short before,
    /// else on a fiber.
    pub async fn start(
        revision: &Arc<Revision>,
        context: &Arc<ModuleContext>,
    ) -> Result<Called<Self>, CallFailure> {
        if revision.is_quick() && revision.starts_quickly.load(Ordering::Relaxed) {
            let mut store = new_store(revision, context);
            let made = start_directly(&mut store, revision);
            let has_more = ticks(context.limits.start_timeout) > MAX_DIRECT_START_TICKS;
            if !store.data().call.is_overspent() || !has_more {
                return Self::started(store, revision, made);
            }
            // It was cut short, and may take longer than that: nothing of it has happened.
            revision.starts_quickly.store(false, Ordering::Relaxed);
        }
        let mut store = new_store(revision, context);
        let made = start_on_fiber(&mut store, revision).await;
        let quick = store.data().call.cpu() <= MAX_DIRECT_CPU;
        revision.starts_quickly.store(quick, Ordering::Relaxed);
        Self::started(store, revision, made)
    }

    fn started(
        mut store: Store<InstanceState>,
        revision: &Arc<Revision>,
        made: wasmtime::Result<Made>,
    ) -> Result<Called<Self>, CallFailure> {
        let Made { listener, handover, answer } = made.map_err(|error| {
            let memory_refused = store.data_mut().memory.take_refused();
            start_failure(classify(&error, memory_refused))
        })?;
        if let Err(refusal) = answer {
            let detail = format!("start returned an error: {refusal}");
            return Err(CallFailure::Ended { cause: TrapCause::Start, detail });
        }
        let effects = store.data_mut().commit_start();
        let cell = Cell { revision: Arc::clone(revision), store, condition: Condition::Clean };
        Ok(Called { answer: Self { listener, handover, cell }, effects })
    }

    /// Whether the last call came back, so that the next one may be made.
    pub fn is_usable(&self) -> bool {
        self.cell.condition == Condition::Clean
    }

    /// Whether nothing has happened of a call that ended it, so that it can be made elsewhere.
    pub fn left_no_trace(&self) -> bool {
        self.cell.condition != Condition::InFlushedCall
    }

    /// What it is an instance of.
    pub fn revision(&self) -> &Arc<Revision> {
        &self.cell.revision
    }

    /// Hands a message to its listener.
    pub async fn on_message(
        &mut self,
        call: &MessageCall<'_>,
    ) -> Result<Called<Outcome>, CallFailure> {
        let client = ClientParts::of(call.session);
        let func = self.listener.sporegate_gateway_message_handler().func_on_message();
        let budget = self.cell.budget();
        let params = (call.lower(&client),);
        let (answer,) = self.cell.enter(func, params, budget, Some(call.session)).await?;
        self.cell.finish(answer.map(Outcome::from))
    }

    /// Tells a listener that a session has ended.
    pub async fn on_disconnect(
        &mut self,
        call: &DisconnectCall<'_>,
    ) -> Result<Called<()>, CallFailure> {
        let client = ClientParts::of(call.session);
        let func = self.listener.sporegate_gateway_disconnect_handler().func_on_disconnect();
        self.cell.store.data_mut().gone = Some(call.session.id());
        let budget = self.cell.budget();
        let (answer,) = self.cell.enter(func, (call.lower(&client),), budget, None).await?;
        self.cell.store.data_mut().gone = None;
        self.cell.finish(answer)
    }

    /// Asks for the state that it leaves to its successor; none where it leaves none. Whatever
    /// else the call asks for is forgotten.
    ///
    /// # Errors
    /// `Refused` where the listener says no, or has more than `limits.state`: it goes on. `Ended`
    /// where it trapped or took longer than `limits.handover_timeout`: then its state is gone, as
    /// after any trap.
    pub async fn export_state(&mut self) -> Result<Option<Snapshot>, CallFailure> {
        let Some(HandoverFuncs { export, .. }) = self.handover else { return Ok(None) };
        let limits = &self.cell.store.data().context.limits;
        let (limit, budget) = (limits.state_bytes, handover_budget(limits));
        // All that its memory can hold: to be cut off would cost it its state.
        let copied = limits.memory_bytes.saturating_mul(2).saturating_add(HANDOVER_SLACK_BYTES);
        let usual = self.cell.store.hostcall_fuel();
        self.cell.store.set_hostcall_fuel(copied);
        let exported = self.cell.enter(export, (), budget, None).await;
        self.cell.store.set_hostcall_fuel(usual);
        let (answer,) = exported?;
        self.cell.store.data_mut().discard();
        match answer {
            Ok(snapshot) if snapshot.data.len() > limit => Err(CallFailure::Refused(format!(
                "a state of {} bytes is more than limits.state, {limit}",
                snapshot.data.len()
            ))),
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(refusal) => Err(CallFailure::Refused(refusal)),
        }
    }

    /// Gives it the state of its predecessor; nothing happens where it takes none.
    ///
    /// # Errors
    /// It must not be used after any.
    pub async fn import_state(&mut self, state: Arc<Snapshot>) -> Result<Effects, CallFailure> {
        let Some(HandoverFuncs { import, .. }) = self.handover else {
            return Ok(Effects::default());
        };
        let budget = handover_budget(&self.cell.store.data().context.limits);
        let (answer,) = self.cell.enter(import, (state,), budget, None).await?;
        Ok(self.cell.finish(answer)?.effects)
    }

    /// Goes on under other limits, and with the listeners of another record.
    pub fn adopt(&mut self, context: &Arc<ModuleContext>) {
        let state = self.cell.store.data_mut();
        state.memory.set_limit(context.limits.memory_bytes);
        state.wasi.adopt(context);
        state.context = Arc::clone(context);
        self.cell.store.set_hostcall_fuel(hostcall_bytes(context));
    }

    /// Linear memory and tables, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.cell.store.data().memory.used()
    }
}

fn handover_budget(limits: &ModuleLimits) -> Budget {
    let timeout = limits.handover_timeout;
    Budget { cpu_ticks: ticks(timeout), timeout, entry: Entry::Urgent }
}

impl Cell {
    /// Runs one call within the module's budget. On every way out but the normal one the
    /// instance stays marked as in a call, and is not used again.
    async fn enter<Params, Answer>(
        &mut self,
        func: TypedFunc<Params, Answer>,
        params: Params,
        budget: Budget,
        caller: Option<&Arc<Session>>,
    ) -> Result<Answer, CallFailure>
    where
        Params: ComponentNamedList + Lower + Send + Sync,
        Answer: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        self.condition = Condition::InCall;
        let Budget { cpu_ticks, timeout, entry } = budget;
        let state = self.store.data_mut();
        state.begin(cpu_ticks, entry, caller);
        if self.revision.needs.http() {
            state.call.set_time(timeout);
        }
        self.store.set_epoch_deadline(1);
        self.revision.ticker.guest_runs();
        let result = match entry {
            Entry::Direct => {
                cpu_clock::begin(self.store.data().memory.used());
                func.call(&mut self.store, params)
            }
            Entry::Fiber | Entry::Urgent => {
                let call = cpu_clock::on_fiber(func.call_async(&mut self.store, params));
                tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| {
                    Err(wasmtime::Error::new(LimitBreach::Timeout { limit: timeout }))
                })
            }
        };
        // A handover is always on a fiber, and says nothing of the other calls.
        if entry == Entry::Direct && self.store.data().call.cpu() > MAX_DIRECT_CPU {
            self.revision.slow.store(true, Ordering::Relaxed);
        }
        match result {
            Ok(answer) => {
                self.condition = Condition::Clean;
                Ok(answer)
            }
            Err(error) => {
                let state = self.store.data_mut();
                if state.call.has_flushed() {
                    self.condition = Condition::InFlushedCall;
                }
                // The store is dropped later; the promises it made to clients end now.
                state.discard();
                Err(classify(&error, state.memory.take_refused()))
            }
        }
    }

    /// Of a call for a message or a disconnect.
    fn budget(&self) -> Budget {
        let limits = &self.store.data().context.limits;
        let (cpu_ticks, timeout) = (limits.cpu_ticks, limits.call_timeout);
        let brief = TICK.saturating_mul(cpu_ticks) <= MAX_DIRECT_BUDGET.min(timeout);
        let entry = if brief && self.revision.is_quick() { Entry::Direct } else { Entry::Fiber };
        Budget { cpu_ticks, timeout, entry }
    }

    /// Takes what the call recorded; of a refused one, nothing is kept.
    fn finish<T>(&mut self, answer: Result<T, String>) -> Result<Called<T>, CallFailure> {
        let state = self.store.data_mut();
        match answer {
            Ok(answer) => match state.commit() {
                Ok(effects) => Ok(Called { answer, effects }),
                Err(crowded) => Err(CallFailure::Refused(crowded.to_string())),
            },
            Err(refusal) => {
                state.discard();
                Err(CallFailure::Refused(refusal))
            }
        }
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("condition", &self.cell.condition).finish_non_exhaustive()
    }
}

fn start_directly(store: &mut Store<InstanceState>, revision: &Revision) -> wasmtime::Result<Made> {
    let limit = ticks(store.data().context.limits.start_timeout).min(MAX_DIRECT_START_TICKS);
    store.data_mut().begin_start(limit, Entry::Direct);
    store.set_epoch_deadline(1);
    revision.ticker.guest_runs();
    cpu_clock::begin(0);
    let instance = revision.pre.instance_pre().instantiate(&mut *store)?;
    let (listener, handover) = functions(store, revision, &instance)?;
    let start = listener.sporegate_gateway_lifecycle().func_start();
    let (answer,) = start.call(store, ())?;
    Ok(Made { listener, handover, answer })
}

async fn start_on_fiber(
    store: &mut Store<InstanceState>,
    revision: &Revision,
) -> wasmtime::Result<Made> {
    let timeout = store.data().context.limits.start_timeout;
    store.data_mut().begin_start(ticks(timeout), Entry::Fiber);
    store.data_mut().call.set_time(timeout);
    store.set_epoch_deadline(1);
    revision.ticker.guest_runs();
    let made = async {
        let instance = revision.pre.instance_pre().instantiate_async(&mut *store).await?;
        let (listener, handover) = functions(store, revision, &instance)?;
        let start = listener.sporegate_gateway_lifecycle().func_start();
        let (answer,) = start.call_async(&mut *store, ()).await?;
        Ok(Made { listener, handover, answer })
    };
    tokio::time::timeout(timeout, cpu_clock::on_fiber(made))
        .await
        .unwrap_or_else(|_| Err(wasmtime::Error::new(LimitBreach::Timeout { limit: timeout })))
}

/// The functions that are called later.
fn functions(
    store: &mut Store<InstanceState>,
    revision: &Revision,
    instance: &wasmtime::component::Instance,
) -> wasmtime::Result<(Listener, Option<HandoverFuncs>)> {
    let listener = revision.pre.load(&mut *store, instance)?;
    let handover = revision.handover.map(|it| it.load(&mut *store, instance)).transpose()?;
    Ok((listener, handover))
}

/// Ticks of one millisecond in `limit`.
fn ticks(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis()).unwrap_or(u32::MAX)
}

/// Whatever ends an instance before it was ready counts as a failed start; the detail keeps why.
fn start_failure(failure: CallFailure) -> CallFailure {
    match failure {
        CallFailure::Refused(detail) => CallFailure::Ended { cause: TrapCause::Start, detail },
        CallFailure::Ended { cause, detail } => {
            CallFailure::Ended { cause: TrapCause::Start, detail: format!("{cause}: {detail}") }
        }
    }
}
