//! One module by itself, out of no directory that is followed: for those who rehearse it.

use std::path::Path;
use std::sync::Arc;

use super::change::{Probation, replace};
use super::directory::{self, FoundModule};
use super::loader::{Files, Loader};
use super::module::Module;
use super::table::ModuleTable;
use crate::config::ModuleConfig;
use crate::sandbox::Revision;

/// A module that was read and compiled, and that can be started any number of times.
#[derive(Debug)]
pub struct Alone {
    config: ModuleConfig,
    revision: Arc<Revision>,
}

impl Loader {
    /// Reads a file and the sidecar beside it, and compiles it, as for a directory.
    ///
    /// # Errors
    /// Why it would be refused there, without the name of the file.
    pub async fn prepare(&self, path: &Path) -> Result<Alone, String> {
        let name = directory::candidate(path)?;
        let found = FoundModule { name, path: path.to_owned(), mark: None };
        let Files { config, bytes, .. } = self.read_whole(&found).await?;
        let revision = Arc::new(self.compile(bytes).await?);
        Ok(Alone { config, revision })
    }

    /// Starts it anew: its listeners are in force in no table yet.
    ///
    /// # Errors
    /// Its `start` failed.
    pub async fn start_alone(&self, alone: &Alone) -> Result<Arc<Module>, String> {
        let started = self.start(Arc::clone(&alone.revision), &alone.config, None).await?;
        Ok(started.announce())
    }

    /// Puts fresh instances of it in the place of those that serve, with their state if they hand
    /// it over: as if its file had been replaced by one that does the same.
    ///
    /// # Errors
    /// Why a swap would have been abandoned; what serves goes on.
    pub async fn renew(&self, table: &ModuleTable, alone: &Alone) -> Result<(), String> {
        let name = alone.config.name.as_str();
        let serving = table.modules().iter().find(|module| &**module.name() == name).cloned();
        let serving = serving.ok_or_else(|| format!("module `{name}` does not serve"))?;
        let (config, revision) = (&alone.config, Arc::clone(&alone.revision));
        replace(self, table, &serving, config, revision, &[], Probation::No).await?;
        Ok(())
    }
}
