//! What the host keeps beside one instance: the record of the call in progress and the limits
//! that it counts against. It never holds anything of another module.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::HasData;

use super::effects::Effects;
use super::failure::LimitBreach;
use super::meter::{InstanceMemory, MemoryMeter};
use super::module_log::ModuleLog;
use super::registrations::{Crowded, ListenerChanges, ModuleListeners};
use super::ticker::TICK;
use super::wasi::Wasi;
use crate::counters::Counters;
use crate::keyvalue::Grant;
use crate::limits::ModuleLimits;
use crate::outbound::Client;
use crate::path::PathSet;
use crate::registry::Registry;
use crate::session::{ClientId, Session};

/// What is left of a call's time when what it waits for has taken too long; at most a tenth of it.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// What all instances of a module share.
#[derive(Debug)]
pub struct ModuleContext {
    /// Name of the module: the stem of its file.
    pub name: Arc<str>,
    /// Path under which clients connect.
    pub base_path: Arc<str>,
    /// Paths that the module may see and reach.
    pub grants: Arc<PathSet>,
    /// What it may use up.
    pub limits: ModuleLimits,
    /// The clients.
    pub registry: Arc<Registry>,
    /// The memory budget of the whole gateway.
    pub memory: Arc<MemoryMeter>,
    /// What the instances of the module have of it.
    pub used: Arc<MemoryMeter>,
    /// What the gateway counts.
    pub counters: Arc<Counters>,
    /// Listeners in force.
    pub listeners: ModuleListeners,
    /// What the module prints.
    pub log: Arc<ModuleLog>,
    /// What its sidecar says in `[config]`.
    pub values: BTreeMap<String, String>,
    /// Makes its HTTP requests, if it is granted any.
    pub http: Option<Arc<Client>>,
    /// The buckets that it may open, if it is granted any.
    pub keyvalue: Option<Grant>,
}

/// Data of one store.
pub(super) struct InstanceState {
    pub(super) context: Arc<ModuleContext>,
    pub(super) memory: InstanceMemory,
    pub(super) call: CallRecord,
    /// The client whose end the call is about, if it is about one.
    pub(super) gone: Option<ClientId>,
    pub(super) wasi: Wasi,
}

/// The call in progress.
#[derive(Debug, Default)]
pub(super) struct CallRecord {
    /// The client whose message it is, if it is about one: nearly every answer goes to it.
    pub(super) caller: Option<Arc<Session>>,
    pub(super) effects: Effects,
    pub(super) listener_changes: ListenerChanges,
    host_calls: u32,
    sends: u32,
    send_bytes: usize,
    cpu: Duration,
    /// What of `cpu` the host used since the last tick.
    host_cpu: Duration,
    tick_limit: u32,
    entry: Entry,
    is_start: bool,
    flushed: bool,
    /// When its time is nearly over, where it can wait for others.
    until: Option<Instant>,
}

/// How a guest is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Entry {
    /// On the caller's stack: fastest, and cannot be suspended.
    #[default]
    Direct,
    /// On a stack of its own: it yields to others at every tick, and may wait.
    Fiber,
    /// The same, but it begins to yield only after some ticks.
    Urgent,
}

impl InstanceState {
    pub(super) fn new(context: Arc<ModuleContext>) -> Self {
        let memory = InstanceMemory::new(
            context.limits.memory_bytes,
            [Arc::clone(&context.used), Arc::clone(&context.memory)],
        );
        let wasi = Wasi::new(&context);
        Self { context, memory, call: CallRecord::default(), gone: None, wasi }
    }

    /// The client that the call is about, if it is about one.
    pub(super) fn about(&self) -> Option<ClientId> {
        self.gone.or_else(|| self.call.caller.as_ref().map(|caller| caller.id()))
    }

    /// Starts the record of a call that may use `tick_limit` ticks of CPU time.
    pub(super) fn begin(&mut self, tick_limit: u32, entry: Entry, caller: Option<&Arc<Session>>) {
        let caller = caller.cloned();
        self.call = CallRecord { caller, tick_limit, entry, ..CallRecord::default() };
    }

    /// Starts the record of a `start`.
    pub(super) fn begin_start(&mut self, tick_limit: u32, entry: Entry) {
        self.begin(tick_limit, entry, None);
        self.call.listener_changes = ListenerChanges::of_start();
        self.call.is_start = true;
    }

    /// Counts one call of the host; every function of the gateway's own interface starts with it.
    /// Those of WASI are not counted: what they take counts as CPU time.
    pub(super) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        let limit = self.context.limits.host_calls;
        self.call.host_calls += 1;
        if self.call.host_calls > limit {
            return Err(wasmtime::Error::new(LimitBreach::HostCalls { limit }));
        }
        Ok(())
    }

    /// Puts the call's changes of listeners in force and hands out its effects. If other calls
    /// have left no room for the changes, there is nothing of either.
    pub(super) fn commit(&mut self) -> Result<Effects, Crowded> {
        self.wasi.end_call();
        let CallRecord { effects, listener_changes, .. } = std::mem::take(&mut self.call);
        self.context.listeners.apply(listener_changes, self.context.limits.listeners)?;
        Ok(effects)
    }

    /// The same for a `start`: only the first one of a module changes its listeners.
    pub(super) fn commit_start(&mut self) -> Effects {
        self.wasi.end_call();
        let CallRecord { effects, listener_changes, .. } = std::mem::take(&mut self.call);
        self.context.listeners.apply_start(listener_changes);
        effects
    }

    /// Forgets everything that the call recorded.
    pub(super) fn discard(&mut self) {
        self.wasi.end_call();
        self.call = CallRecord::default();
    }

    /// Counts one queued effect of `bytes`, or names the quota that is used up.
    pub(super) fn count_send(&mut self, bytes: usize) -> Result<(), &'static str> {
        let limits = &self.context.limits;
        if self.call.sends >= limits.sends {
            return Err("sends per call");
        }
        if self.call.send_bytes.saturating_add(bytes) > limits.send_bytes {
            return Err("bytes sent per call");
        }
        self.call.sends += 1;
        self.call.send_bytes += bytes;
        Ok(())
    }
}

impl CallRecord {
    /// Counts one tick during which the guest ran, or the host for it; what was measured where that
    /// is more.
    pub(super) fn count_tick(&mut self, measured: Option<Duration>) -> wasmtime::Result<()> {
        let host_cpu = std::mem::take(&mut self.host_cpu);
        let spent = measured.unwrap_or(TICK).max(TICK);
        self.spend(spent.saturating_sub(host_cpu))
    }

    /// Counts what a long call of the host took: however long it is, only one tick comes of it.
    pub(super) fn count_host_time(&mut self, spent: Duration) -> wasmtime::Result<()> {
        self.host_cpu += spent;
        self.spend(spent)
    }

    fn spend(&mut self, cpu: Duration) -> wasmtime::Result<()> {
        self.cpu += cpu;
        if self.is_overspent() {
            return Err(wasmtime::Error::new(LimitBreach::CpuTime { limit_ms: self.tick_limit }));
        }
        Ok(())
    }

    /// CPU time that the call may still use.
    pub(super) fn cpu_left(&self) -> Duration {
        TICK.saturating_mul(self.tick_limit).saturating_sub(self.cpu)
    }

    /// Whether it has used more CPU time than it may.
    pub(super) fn is_overspent(&self) -> bool {
        self.cpu > TICK.saturating_mul(self.tick_limit)
    }

    /// It has so much time from now on: what it waits for may take a little less, so that it can
    /// still say something about it.
    pub(super) fn set_time(&mut self, time: Duration) {
        self.until = Some(Instant::now() + time.saturating_sub(LAST_WORDS.min(time / 10)));
    }

    /// Until when it can wait for others.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether it is a `start`.
    pub(super) fn is_start(&self) -> bool {
        self.is_start
    }

    /// Something of the call has happened, whatever becomes of the rest.
    pub(super) fn set_flushed(&mut self) {
        self.flushed = true;
    }

    /// Whether something of the call has happened.
    pub(super) fn has_flushed(&self) -> bool {
        self.flushed
    }

    /// How the guest was entered.
    pub(super) fn entry(&self) -> Entry {
        self.entry
    }

    /// CPU time used so far.
    pub(super) fn cpu(&self) -> Duration {
        self.cpu
    }
}

impl HasData for InstanceState {
    type Data<'a> = &'a mut Self;
}
