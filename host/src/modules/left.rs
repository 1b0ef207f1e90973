//! What listeners leave to the next start of the gateway, by `state-handover`: exported when all
//! their clients have gone, imported before the first one comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::module::Module;
use super::spread::Spread;
use super::started::Started;
use super::swap::describe;
use super::table::ModuleTable;
use crate::config::{Lifetime, Run};
use crate::sandbox::{CallFailure, Snapshot};
use crate::store::LeftState;

/// What was left, by module. Each is given to the first start of its module, and kept until then.
#[derive(Debug, Default)]
pub struct LeftStates(Mutex<BTreeMap<String, Vec<LeftState>>>);

/// What was left to one module.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) spread: Spread,
    states: Vec<(usize, Arc<Snapshot>)>,
}

impl LeftStates {
    /// What was found.
    pub fn new(found: Vec<LeftState>) -> Self {
        let mut states: BTreeMap<String, Vec<LeftState>> = BTreeMap::new();
        for state in found {
            states.entry(state.module.clone()).or_default().push(state);
        }
        Self(Mutex::new(states))
    }

    /// What was left to a module that runs like this. What was left to one that ran otherwise could
    /// not be divided anew: it is lost, and that is told.
    pub(super) fn of(&self, module: &str, run: Run) -> Option<Left> {
        let mut all = self.lock();
        let states = all.get(module)?;
        let first = states.first()?;
        let now = describe(run);
        if first.run != now {
            let before = &first.run;
            tracing::error!(
                module,
                "the state that was left to it is lost: it ran as {before}, and runs as {now}"
            );
            all.remove(module);
            return None;
        }
        let snapshot = |state: &LeftState| {
            let LeftState { place, schema, media_type, data, .. } = state.clone();
            (place as usize, Arc::new(Snapshot { schema, media_type, data }))
        };
        let spread = Spread::from_bits(first.spread);
        Some(Left { spread, states: states.iter().map(snapshot).collect() })
    }

    pub(super) fn forget(&self, module: &str) {
        self.lock().remove(module);
    }

    /// Everything that all modules leave: what they export, and what was left to those that never
    /// started. One that fails leaves nothing, and is told.
    pub async fn collect(&self, table: &ModuleTable) -> Vec<LeftState> {
        let mut all: Vec<LeftState> =
            std::mem::take(&mut *self.lock()).into_values().flatten().collect();
        for module in table.modules().iter() {
            match export(module).await {
                Ok(states) => all.extend(states),
                Err(failure) => {
                    let module = &**module.name();
                    tracing::error!(module, "it leaves no state to the next start: {failure}");
                }
            }
        }
        all
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<LeftState>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Left {
    /// Gives every instance its state.
    pub(super) async fn import(self, mut started: Started) -> Result<Started, CallFailure> {
        let module = Arc::clone(&started.module);
        for (place, state) in self.states {
            let Some(slot) = module.slots().get(place) else { continue };
            // Nobody else knows the module.
            let Ok(mut hold) = slot.claim().await else { continue };
            if let Some(instance) = hold.as_mut() {
                started.effects.push(instance.import_state(state).await?);
            }
        }
        Ok(started)
    }
}

/// The states of all instances of a module.
async fn export(module: &Module) -> Result<Vec<LeftState>, CallFailure> {
    let run = module.run();
    let mut states = Vec::new();
    if run.lifetime == Lifetime::Call {
        return Ok(states);
    }
    for (place, slot) in module.slots().iter().enumerate() {
        let Ok(mut hold) = slot.claim().await else { continue };
        let usable = hold.as_mut().filter(|instance| instance.is_usable());
        let Some(instance) = usable else { continue };
        if let Some(Snapshot { schema, media_type, data }) = instance.export_state().await? {
            states.push(LeftState {
                module: module.name().to_string(),
                run: describe(run),
                spread: module.spread().bits(),
                place: u32::try_from(place).unwrap_or(u32::MAX),
                schema,
                media_type,
                data,
            });
        }
    }
    Ok(states)
}
