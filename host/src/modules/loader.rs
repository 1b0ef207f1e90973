//! From a file of the module directory to a module that is ready to serve. A file that cannot be
//! one is refused with its reason; the others serve.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use super::directory::{self, FoundModule, Mark, Refused, SETTLE, Unread};
use super::left::LeftStates;
use super::module::{Module, Parts};
use super::spread::Spread;
use super::started::Started;
use crate::config::{BucketName, KeyValueGrant, ModuleConfig, ModuleDefaults, ModuleName};
use crate::counters::Counters;
use crate::keyvalue::Buckets;
use crate::outbound::{Client, Outbound};
use crate::path::PathSet;
use crate::registry::Registry;
use crate::sandbox::{
    Digest256, Granted, MemoryMeter, ModuleContext, ModuleListeners, ModuleLog, Revision, Sandbox,
};

/// How often a file that is being written when the gateway starts is looked at again.
const LOOKS: u32 = 20;

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
    /// Rings when a module fails on probation.
    pub alarm: Arc<Notify>,
    /// What modules make HTTP requests with.
    pub outbound: Arc<Outbound>,
    /// What modules keep.
    pub buckets: Arc<Buckets>,
    /// What listeners left to this start.
    pub left: Arc<LeftStates>,
}

/// A module's file and sidecar as they were read, at one moment.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) config: ModuleConfig,
    pub(super) digest: Digest256,
    pub(super) bytes: Vec<u8>,
}

/// What came of reading them.
#[derive(Debug)]
pub(super) enum Reading {
    /// They are whole.
    Whole(Box<Files>),
    /// They changed meanwhile: somebody writes.
    Changing,
    /// They are no module.
    Refused(String),
}

/// What became of a directory.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Modules that started, each with what its files say.
    pub modules: Vec<LoadedModule>,
    /// Files that did not become modules.
    pub refused: Vec<Refused>,
}

/// A module with what it was made of.
#[derive(Debug)]
pub struct LoadedModule {
    /// The module.
    pub module: Arc<Module>,
    /// What its sidecar says.
    pub config: ModuleConfig,
    /// Its files.
    pub mark: Option<Mark>,
}

impl Loader {
    /// Loads every module of a directory. Fails only if the directory cannot be read.
    pub async fn load_directory(&self, directory: &Path) -> std::io::Result<Loaded> {
        let scan = directory::scan(directory)?;
        let mut loaded = Loaded { modules: Vec::new(), refused: scan.refused };
        for found in scan.found {
            match self.load(&found).await {
                Ok(module) => loaded.modules.push(module),
                Err(reason) => {
                    let FoundModule { path, mark, .. } = found;
                    loaded.refused.push(Refused { path, mark, reason });
                }
            }
        }
        Ok(loaded)
    }

    /// Loads one file: its sidecar, its code, its first instances.
    async fn load(&self, found: &FoundModule) -> Result<LoadedModule, String> {
        let Files { config, bytes, .. } = self.read_whole(found).await?;
        let revision = Arc::new(self.compile(bytes).await?);
        let module = self.start(revision, &config, None).await?.announce();
        Ok(LoadedModule { module, config, mark: found.mark })
    }

    /// Reads both files, waiting for somebody who writes them.
    pub(super) async fn read_whole(&self, found: &FoundModule) -> Result<Files, String> {
        let mut looks = 0;
        loop {
            match self.read(found).await {
                Reading::Whole(files) => return Ok(*files),
                Reading::Changing if looks < LOOKS => {
                    looks += 1;
                    tokio::time::sleep(SETTLE).await;
                }
                Reading::Changing => return Err("it is being written; try again".to_owned()),
                Reading::Refused(reason) => return Err(reason),
            }
        }
    }

    /// Reads both files. The bytes that are read are those that are used.
    pub(super) async fn read(&self, found: &FoundModule) -> Reading {
        let (path, name) = (found.path.clone(), found.name.clone());
        let (limit, defaults) = (self.sandbox.module_bytes(), self.defaults.clone());
        let read = move || read_files(&path, &name, limit, &defaults);
        match tokio::task::spawn_blocking(read).await {
            Ok(reading) => reading,
            Err(error) => Reading::Refused(format!("reading it failed: {error}")),
        }
    }

    /// Compiles off the threads that serve clients.
    pub(super) async fn compile(&self, bytes: Vec<u8>) -> Result<Revision, String> {
        Revision::compile(&self.sandbox, bytes).await.map_err(|error| error.to_string())
    }

    /// Starts a module of a revision, to follow on another one if there is one.
    pub(super) async fn start(
        &self,
        revision: Arc<Revision>,
        config: &ModuleConfig,
        before: Option<&Module>,
    ) -> Result<Started, String> {
        revision
            .needs()
            .check(Granted::by(&config.grants))
            .map_err(|refusal| refusal.to_string())?;
        let Some(before) = before else { return self.start_first(revision, config).await };
        let parts = self.parts(revision, config, before.spread());
        Module::start(parts).await.map_err(|failure| failure.to_string())
    }

    /// Starts one that follows on no other: with what an earlier process left, if there is that.
    async fn start_first(
        &self,
        revision: Arc<Revision>,
        config: &ModuleConfig,
    ) -> Result<Started, String> {
        let left = self.left.of(config.name.as_str(), config.run);
        let spread = left.as_ref().map_or_else(Spread::random, |left| left.spread);
        let start = || Module::start(self.parts(Arc::clone(&revision), config, spread));
        let started = start().await.map_err(|failure| failure.to_string())?;
        let Some(left) = left else { return Ok(started) };
        // Whatever comes of it: it is for one start, and this is it.
        self.left.forget(config.name.as_str());
        match left.import(started).await {
            Ok(started) => Ok(started),
            Err(failure) => {
                let module = config.name.as_str();
                tracing::error!(module, "the state that was left to it is lost: {failure}");
                start().await.map_err(|failure| failure.to_string())
            }
        }
    }

    /// What a module with these settings is made of; without listeners yet.
    pub(super) fn parts(
        &self,
        revision: Arc<Revision>,
        config: &ModuleConfig,
        spread: Spread,
    ) -> Parts {
        let context = Arc::new(self.context(config, ModuleListeners::default(), None));
        Parts { context, revision, run: config.run, spread, alarm: Arc::clone(&self.alarm) }
    }

    /// The same for one that goes on with the instances, and so the listeners, of another.
    pub(super) fn succeeding_parts(
        &self,
        revision: Arc<Revision>,
        config: &ModuleConfig,
        before: &Module,
    ) -> Parts {
        let listeners = before.context().listeners.succeeding();
        let used = Arc::clone(&before.context().used);
        Parts {
            context: Arc::new(self.context(config, listeners, Some(used))),
            revision,
            run: config.run,
            spread: before.spread(),
            alarm: Arc::clone(&self.alarm),
        }
    }

    fn context(
        &self,
        config: &ModuleConfig,
        listeners: ModuleListeners,
        used: Option<Arc<MemoryMeter>>,
    ) -> ModuleContext {
        let name: Arc<str> = config.name.as_str().into();
        let log = ModuleLog::new(Arc::clone(&name), config.limits.log_lines_per_second);
        ModuleContext {
            base_path: Arc::clone(&self.base_path),
            grants: Arc::new(config.paths.iter().cloned().collect::<PathSet>()),
            limits: config.limits.clone(),
            registry: Arc::clone(&self.registry),
            memory: Arc::clone(self.sandbox.memory()),
            used: used.unwrap_or_else(|| Arc::new(MemoryMeter::new(usize::MAX))),
            counters: Arc::clone(&self.counters),
            http: config.grants.http.as_ref().map(|grant| {
                let counters = self.counters.module(&name);
                Arc::new(Client::new(
                    Arc::clone(&name),
                    grant,
                    counters,
                    Arc::clone(&self.outbound),
                ))
            }),
            keyvalue: config.grants.keyvalue.as_ref().map(|KeyValueGrant { buckets, limits }| {
                self.buckets.grant(&name, buckets.iter().map(BucketName::as_str), *limits)
            }),
            values: config.grants.values.clone(),
            name,
            listeners,
            log: Arc::new(log),
        }
    }
}

fn read_files(path: &Path, name: &ModuleName, limit: u64, defaults: &ModuleDefaults) -> Reading {
    let sidecar = path.with_extension(directory::SIDECAR_EXTENSION);
    let config = ModuleConfig::load(name, &sidecar, defaults);
    let bytes = directory::read(path, limit);
    match (config, bytes) {
        (Ok(config), Ok(bytes)) => {
            let digest = Digest256::of(&bytes);
            Reading::Whole(Box::new(Files { config, digest, bytes }))
        }
        (_, Err(Unread::Changing)) => Reading::Changing,
        (Err(error), _) => Reading::Refused(error.to_string()),
        (_, Err(Unread::Refused(reason))) => Reading::Refused(reason),
    }
}
