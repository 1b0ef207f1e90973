//! The store of sessions, as the gateway finds it.

use std::path::Path;
use std::sync::Arc;

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
    let (sessions, states, clean) = (found.sessions.len(), found.states.len(), found.clean);
    if sessions + states > 0 {
        tracing::info!(sessions, states, clean, "going on with what was left");
    }
    Ok((Some(Arc::new(store)), found))
}
