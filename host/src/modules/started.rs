//! A module that is ready and that nobody knows yet.
//!
//! Invariant: nothing that its first calls asked for happens before it is known.

use std::sync::Arc;

use super::module::Module;
use super::table::ModuleTable;
use crate::sandbox::Effects;

/// A module that is ready and that nobody knows yet.
#[derive(Debug)]
pub struct Started {
    /// The module.
    pub module: Arc<Module>,
    /// What its first calls asked for; it happens when the module is known.
    pub effects: Vec<Effects>,
}

impl Started {
    /// Puts it into the table, in the place of the one of its name.
    pub(super) fn publish(self, table: &ModuleTable) -> Arc<Module> {
        table.put(Arc::clone(&self.module));
        self.announce()
    }

    /// It is known, or will be before there is a client: what its first calls asked for happens.
    pub(super) fn announce(self) -> Arc<Module> {
        let Self { module, effects } = self;
        for mut effects in effects {
            effects.apply(&module.context().counters.messages_queued);
        }
        module
    }
}
