//! From a module directory to running modules. A file that cannot be a module is refused with
//! its reason; the others serve.

use std::path::Path;
use std::sync::Arc;

use super::directory::{self, FoundModule, Refused};
use super::module::Module;
use crate::config::{ModuleConfig, ModuleDefaults};
use crate::counters::Counters;
use crate::path::PathSet;
use crate::registry::Registry;
use crate::sandbox::{ModuleContext, ModuleLog, Revision, Sandbox};

/// What every module is loaded with.
#[derive(Debug)]
pub struct Loader {
    /// The engine.
    pub sandbox: Arc<Sandbox>,
    /// The clients that modules will see.
    pub registry: Arc<Registry>,
    /// What the gateway counts.
    pub counters: Arc<Counters>,
    /// Path under which clients connect.
    pub base_path: Arc<str>,
    /// What holds where a sidecar says nothing.
    pub defaults: ModuleDefaults,
}

/// What became of a directory.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Modules that started.
    pub modules: Vec<Arc<Module>>,
    /// Files that did not become modules.
    pub refused: Vec<Refused>,
}

impl Loader {
    /// Loads every module of a directory. Fails only if the directory cannot be read.
    pub async fn load_directory(&self, directory: &Path) -> std::io::Result<Loaded> {
        let scan = directory::scan(directory)?;
        let mut loaded = Loaded { modules: Vec::new(), refused: scan.refused };
        for found in scan.found {
            match self.load(&found).await {
                Ok(module) => loaded.modules.push(Arc::new(module)),
                Err(reason) => loaded.refused.push(Refused { path: found.path, reason }),
            }
        }
        Ok(loaded)
    }

    /// Loads one file: its sidecar, its code, its first instances.
    async fn load(&self, found: &FoundModule) -> Result<Module, String> {
        let sidecar = found.path.with_extension("toml");
        let config = ModuleConfig::load(&found.name, &sidecar, &self.defaults)
            .map_err(|error| error.to_string())?;
        let revision = self.compile(&found.path).await?;
        let name: Arc<str> = found.name.as_str().into();
        let log = Arc::new(ModuleLog::new(Arc::clone(&name), config.limits.log_lines_per_second));
        let context = ModuleContext {
            name,
            base_path: Arc::clone(&self.base_path),
            grants: Arc::new(config.paths.into_iter().collect::<PathSet>()),
            limits: config.limits,
            registry: Arc::clone(&self.registry),
            memory: Arc::clone(self.sandbox.memory()),
            counters: Arc::clone(&self.counters),
            listeners: Default::default(),
            log,
        };
        let started = Module::start(Arc::new(context), Arc::new(revision), config.run).await;
        started.map_err(|failure| failure.to_string())
    }

    /// Reads the file once: what is checked is what is compiled.
    async fn compile(&self, path: &Path) -> Result<Revision, String> {
        let (path, limit) = (path.to_owned(), self.sandbox.module_bytes());
        let reading = tokio::task::spawn_blocking(move || directory::read(&path, limit));
        let file = reading.await.map_err(|error| format!("cannot be read: {error}"))??;
        Revision::compile(&self.sandbox, file).await.map_err(|error| error.to_string())
    }
}
