//! One revision of a module takes over from another, while its clients stay connected.
//!
//! ```text
//! old: called ... | all places claimed |                         | retired: who waits goes on
//!                 |                    | export -> import -> put |          to the new one
//! new: started    |                    |                         | called ...
//! ```
//!
//! Invariant: between the last call of the old revision and the first of the new one there is no
//! call of either, and until the table is changed everything can be given up: the old one then goes
//! on where it was. Between the two nothing is waited for but the handover, which has its time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::module::{Module, Parts};
use super::slot::{Expect, Hold, Slot};
use super::started::Started;
use super::table::ModuleTable;
use crate::config::{Lifetime, Run};
use crate::sandbox::{CallFailure, Instance, Snapshot};

/// What a swap came to.
#[derive(Debug)]
pub(super) struct Swapped {
    /// How long nobody was called.
    pub(super) pause: Duration,
    /// What the old instances left to the new ones, by place; empty where nothing was handed over.
    pub(super) states: Vec<Option<Arc<Snapshot>>>,
}

/// Why the old revision goes on.
#[derive(Debug, thiserror::Error)]
pub(super) enum SwapError {
    /// The state of a key could not be brought to where its messages will go.
    #[error(
        "it hands its state over and its [run] changes: the state of {old} could not be divided anew among {new}; undo the change of [run], or restart the gateway, which begins without state"
    )]
    Places {
        /// How the old revision runs.
        old: String,
        /// How the new one would.
        new: String,
    },
    /// The old revision did not say its state.
    #[error("export-state of the revision that serves: {0}")]
    Export(CallFailure),
    /// The new one did not take it.
    #[error("import-state of the new revision: {0}")]
    Import(CallFailure),
    /// Somebody else has retired the old revision meanwhile.
    #[error("the module was swapped or removed meanwhile")]
    Retired,
}

/// What a new revision begins with.
#[derive(Debug)]
pub(super) enum Inheritance<'a> {
    /// What the old instances export; in a place without one, or whose export fails, what is kept
    /// for it here.
    Exported {
        /// Kept from an earlier handover, by place.
        kept: &'a [Option<Arc<Snapshot>>],
    },
    /// Nothing: the old revision is the first, or hands nothing over.
    Nothing,
}

/// Puts a started module in the place of another one.
pub(super) async fn exchange(
    table: &ModuleTable,
    old: &Module,
    mut new: Started,
    inheritance: Inheritance<'_>,
) -> Result<Swapped, SwapError> {
    let mut holds = claim_all(old).await?;
    let began = Instant::now();
    let states = match inheritance {
        Inheritance::Nothing => Vec::new(),
        Inheritance::Exported { kept } => hand_over(&mut holds, &mut new, kept).await?,
    };
    new.publish(table);
    // Their memory goes last: with several places nobody waits for that of the others.
    let instances = take_instances(&mut holds);
    retire(old, holds);
    let pause = began.elapsed();
    drop(instances);
    Ok(Swapped { pause, states })
}

/// Goes on with the same instances under other limits.
pub(super) async fn adjust(
    table: &ModuleTable,
    old: &Module,
    make: impl FnOnce() -> Parts,
) -> Result<Arc<Module>, SwapError> {
    let mut holds = claim_all(old).await?;
    // Made now: nobody changes the listeners any more.
    let parts = make();
    let mut instances = take_instances(&mut holds);
    for instance in instances.iter_mut().flatten() {
        instance.adopt(&parts.context);
    }
    let module = Arc::new(old.succeeding(parts, instances));
    table.put(Arc::clone(&module));
    holds.into_iter().for_each(Hold::retire);
    old.forget_code();
    Ok(module)
}

/// Ends a module: what it was called for has been answered, and nothing more comes.
pub(super) async fn remove(table: &ModuleTable, old: &Module) -> Result<(), SwapError> {
    // First, so that nobody new stands in line.
    table.take_out(old.name());
    let mut holds = Vec::with_capacity(old.slots().len());
    for slot in old.slots() {
        holds.push(take_last(slot).await?);
    }
    retire(old, holds);
    Ok(())
}

/// Waits for a turn after everybody who is in line.
async fn take_last(slot: &Slot) -> Result<Hold<'_>, SwapError> {
    loop {
        let hold = slot.take(Expect::LongCall).await.map_err(|_| SwapError::Retired)?;
        if slot.in_line() == 0 {
            return Ok(hold);
        }
        drop(hold);
        tokio::task::yield_now().await;
    }
}

/// Whether each key would find its state.
pub(super) fn check_places(before: Run, after: Run) -> Result<(), SwapError> {
    let keyed = before.instances > 1 || after.instances > 1;
    let moved = before.instances != after.instances
        || before.lifetime != after.lifetime
        || (keyed && before.affinity != after.affinity);
    // One instance has all the state there is; a fresh one for each call has none.
    if !moved || before.lifetime == Lifetime::Call {
        return Ok(());
    }
    Err(SwapError::Places { old: describe(before), new: describe(after) })
}

/// How a module runs, in words.
pub(super) fn describe(run: Run) -> String {
    let Run { instances, affinity, lifetime, .. } = run;
    match lifetime {
        Lifetime::Call => "a fresh instance for each call".to_owned(),
        Lifetime::Instance if instances == 1 => "one instance".to_owned(),
        Lifetime::Instance => format!("{instances} instances by {affinity:?}").to_lowercase(),
    }
}

async fn claim_all(module: &Module) -> Result<Vec<Hold<'_>>, SwapError> {
    let mut holds = Vec::with_capacity(module.slots().len());
    for slot in module.slots() {
        holds.push(slot.claim().await.map_err(|_| SwapError::Retired)?);
    }
    Ok(holds)
}

fn take_instances(holds: &mut [Hold<'_>]) -> Vec<Option<Box<Instance>>> {
    holds.iter_mut().map(|hold| hold.take()).collect()
}

fn retire(module: &Module, holds: Vec<Hold<'_>>) {
    holds.into_iter().for_each(Hold::retire);
    module.set_retired();
}

async fn hand_over(
    holds: &mut [Hold<'_>],
    new: &mut Started,
    kept: &[Option<Arc<Snapshot>>],
) -> Result<Vec<Option<Arc<Snapshot>>>, SwapError> {
    let mut states = Vec::with_capacity(holds.len());
    for (place, (hold, slot)) in holds.iter_mut().zip(new.module.slots()).enumerate() {
        let kept = kept.get(place).cloned().flatten();
        let state = export(hold, kept).await?;
        if let Some(state) = &state {
            let mut to = slot.claim().await.map_err(|_| SwapError::Retired)?;
            if let Some(instance) = to.as_mut() {
                let imported = instance.import_state(Arc::clone(state)).await;
                new.effects.push(imported.map_err(SwapError::Import)?);
            }
        }
        states.push(state);
    }
    Ok(states)
}

async fn export(
    hold: &mut Hold<'_>,
    kept: Option<Arc<Snapshot>>,
) -> Result<Option<Arc<Snapshot>>, SwapError> {
    let exported = match hold.as_mut() {
        Some(instance) if instance.is_usable() => instance.export_state().await,
        // It has failed, and its state is gone.
        Some(_) | None => return Ok(kept),
    };
    if hold.as_ref().is_some_and(|instance| !instance.is_usable()) {
        **hold = None;
    }
    match (exported, kept) {
        (Ok(exported), kept) => Ok(exported.map(Arc::new).or(kept)),
        (Err(_), Some(kept)) => Ok(Some(kept)),
        (Err(failure), None) => Err(SwapError::Export(failure)),
    }
}
