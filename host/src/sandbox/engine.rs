//! One engine for all modules. Its settings were measured; each says why it is not the default.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::bindings::Listener;
use super::bindings::granted::Granted;
use super::cache::Cache;
use super::compiler::{CompileLimits, Compiler};
use super::http;
use super::meter::MemoryMeter;
use super::state::InstanceState;
use super::ticker::Ticker;

const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// Modules that are compiled at a time. One that takes long does not hold up another; with more,
/// a directory of large ones would take all cores and much memory.
const MAX_COMPILING: usize = 2;

/// Largest linear memory, in bytes: all that a 32-bit guest can address. The limits of modules
/// are counted, not reserved.
const MAX_MEMORY_BYTES: usize = 4 << 30;

/// What the engine is built from.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// Memory of all instances together, in bytes.
    pub memory_bytes: usize,
    /// Where compiled code is kept between runs.
    pub cache: CompileCache,
    /// Who compiles.
    pub compiler: Compiler,
    /// What compiling may take.
    pub compile_limits: CompileLimits,
}

/// Where compiled code is kept between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileCache {
    /// Every start compiles anew.
    Off,
    /// In this directory. One that other users can reach is refused.
    Directory(PathBuf),
}

/// The engine with everything that modules may be linked to.
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<InstanceState>,
    pub(super) cache: Option<Cache>,
    pub(super) compiler: Compiler,
    pub(super) compile_limits: CompileLimits,
    /// Leave to compile.
    pub(super) compiling: Arc<Semaphore>,
    memory: Arc<MemoryMeter>,
    ticker: Arc<Ticker>,
}

/// Why no engine could be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The compile cache directory cannot be used.
    #[error("compile cache {path}: {source}; choose another with `sandbox.cache`, or \"off\"")]
    Cache {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The engine itself refused its settings, or a thread could not be started.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
}

impl Sandbox {
    /// Builds the engine and starts its clock.
    pub fn new(settings: &SandboxSettings) -> Result<Self, SandboxError> {
        let engine = build_engine()?;
        let mut linker = Linker::new(&engine);
        let linked = Listener::add_to_linker::<_, InstanceState>(&mut linker, |state| state)
            .and_then(|()| wasmtime_wasi::p2::add_to_linker_async(&mut linker))
            .and_then(|()| http::link(&mut linker))
            .and_then(|()| Granted::add_to_linker::<_, InstanceState>(&mut linker, |state| state));
        linked.map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let cache = match &settings.cache {
            CompileCache::Off => None,
            CompileCache::Directory(path) => Some(
                Cache::open(path)
                    .map_err(|source| SandboxError::Cache { path: path.clone(), source })?,
            ),
        };
        let ticker = Ticker::start(engine.clone())
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        let ticker = Arc::new(ticker);
        let memory = Arc::new(MemoryMeter::new(settings.memory_bytes));
        Ok(Self {
            engine,
            linker,
            cache,
            compiler: settings.compiler.clone(),
            compile_limits: settings.compile_limits,
            compiling: Arc::new(Semaphore::new(MAX_COMPILING)),
            memory,
            ticker,
        })
    }

    /// The clock by which CPU time is limited. It runs as long as somebody holds it; everything
    /// that can enter a guest does.
    pub(super) fn ticker(&self) -> &Arc<Ticker> {
        &self.ticker
    }

    /// The memory budget that all modules share.
    pub fn memory(&self) -> &Arc<MemoryMeter> {
        &self.memory
    }

    /// Largest file that is read as a module, in bytes.
    pub fn module_bytes(&self) -> u64 {
        self.compile_limits.module_bytes
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("ticker", &self.ticker).finish_non_exhaustive()
    }
}

fn build_engine() -> Result<Engine, SandboxError> {
    let mut config = config();
    let mut refusal = String::new();
    for instances in [1_000, 200, 40] {
        config.allocation_strategy(pooling(instances));
        match Engine::new(&config) {
            Ok(engine) => return Ok(engine),
            Err(error) => refusal = format!("{error:#}"),
        }
    }
    tracing::warn!(reason = %refusal, "no room for pooled instances; allocating on demand, which makes a fresh instance slower");
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))
}

/// An engine that makes code for [`Sandbox`], and runs none: it reserves no room for instances.
pub(super) fn compiling_engine() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// What decides about the code that is made. Where instances lie in memory does not.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // On, it costs 3 to 4 times as much per warm call, for asynchronous exports that this
        // version of the interface does not have.
        .concurrency_support(false)
        // Fuel would cost as much and count instructions, not time.
        .epoch_interruption(true);
    config
}

/// Slots are reserved address space, not memory; how many there can be depends on the system.
fn pooling(instances: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(4))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_memory_size(MAX_MEMORY_BYTES)
        .table_elements(65_536)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(4 << 20)
        // Resetting only dirty pages makes a fresh instance 6 times as fast as mapping anew;
        // without it, keeping pages resident is slower than keeping none.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES);
    InstanceAllocationStrategy::Pooling(pool)
}
