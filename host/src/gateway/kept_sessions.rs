//! The store of sessions, as the gateway finds and leaves it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::keyvalue::{Bucket, Buckets, Saver, StoredValue};
use crate::modules::{LeftStates, ModuleTable};
use crate::store::{Found, OpenError, Store};

/// Opens the store and says what was found in it.
pub(super) fn open_store(folder: &Path) -> Result<(Option<Arc<Store>>, Found), OpenError> {
    let (store, found) = Store::open(folder)?;
    if let Some(aside) = &found.aside {
        let aside = aside.display();
        tracing::error!("the store of sessions cannot be read; it was put aside as {aside}");
    }
    if found.damaged > 0 {
        let damaged = found.damaged;
        tracing::error!(damaged, "sessions or states in the store are damaged: they are lost");
    }
    if found.damaged_values > 0 {
        let damaged = found.damaged_values;
        tracing::error!(damaged, "values of modules in the store are damaged: they are lost");
    }
    let (sessions, states, clean) = (found.sessions.len(), found.states.len(), found.clean);
    if sessions + states > 0 {
        tracing::info!(sessions, states, clean, "going on with what was left");
    }
    Ok((Some(Arc::new(store)), found))
}

/// The buckets of modules, with what was found in the store, which follows them.
pub(super) fn buckets(store: Option<&Arc<Store>>, found: Vec<StoredValue>) -> Arc<Buckets> {
    let saver = store.map(|store| {
        // Else the buckets that it knows would keep it alive.
        let store = Arc::downgrade(store);
        let saver: Saver = Arc::new(move |bucket: &Arc<Bucket>| {
            if let Some(store) = store.upgrade() {
                store.save(Arc::clone(bucket));
            }
        });
        saver
    });
    Arc::new(Buckets::new(found, saver))
}

/// Time for the last writes, also of a gateway that has none left: without them the next start would
/// take it for one that crashed.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// Leaves states and sessions to the next start, until the time is over. Returns whether it was
/// enough.
pub(super) async fn leave(
    store: &Store,
    left: &LeftStates,
    modules: &ModuleTable,
    deadline: Instant,
) -> bool {
    let collected = timeout_at(deadline, left.collect(modules)).await;
    if collected.is_err() {
        tracing::error!(
            "no time was left for the states of listeners: the next start begins without"
        );
    }
    let in_time = collected.is_ok();
    let last = deadline.max(Instant::now() + LAST_WRITES);
    let closed = timeout_at(last, store.close(collected.unwrap_or_default())).await;
    if closed.is_err() {
        tracing::error!(
            "no time was left for the store of sessions: the next start finds it as after a crash"
        );
    }
    in_time && closed.is_ok()
}
