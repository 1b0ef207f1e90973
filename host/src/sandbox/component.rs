//! From the bytes of a file to a compiled revision. The bytes are read once by the caller; what
//! is checked is what is compiled. Precompiled code is never accepted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmtime::component::Component;

use super::artifact::Artifact;
use super::bindings::ListenerPre;
use super::compiler::invalid;
use super::description;
use super::engine::Sandbox;
use super::grants::{Grant, Needs};
use super::handover::HandoverIndices;
use super::load_error::LoadError;
use super::nesting;
use super::state::InstanceState;
use super::ticker::Ticker;
use super::wasi;

/// Version of the interface that this gateway speaks.
pub(super) const PACKAGE: &str = "sporegate:gateway";
pub(super) const VERSION: &str = "1.0.0";

/// What world `listener` exports.
pub(super) const EXPORTS: [(&str, &str); 3] = [
    ("lifecycle", "start"),
    ("message-handler", "on-message"),
    ("disconnect-handler", "on-disconnect"),
];

/// Only what is used of it becomes memory.
const STACK_BYTES: usize = 64 << 20;

const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT: [u8; 4] = [13, 0, 1, 0];
const ELF: [u8; 4] = *b"\x7fELF";

const CUT_SHORT: &str = "it is empty or cut short; build it again and copy it whole";
const PRECOMPILED: &str =
    "it is native or precompiled code, which is never loaded; give the .wasm file of it";
const UNKNOWN: &str = "it does not begin as one; give a component, or a core module made for \
                       world `listener`";

/// One compiled version of a module.
pub struct Revision {
    digest: Digest256,
    bytes: usize,
    pub(super) pre: ListenerPre<InstanceState>,
    pub(super) handover: Option<HandoverIndices>,
    /// What it imports that only a sidecar grants.
    pub(super) needs: Needs,
    /// It imports something that can wait, so it needs a stack of its own.
    pub(super) may_wait: bool,
    /// It was seen to run long; from then on it gets a stack of its own.
    pub(super) slow: AtomicBool,
    /// The last `start` was short.
    pub(super) starts_quickly: AtomicBool,
    /// Without it no call would ever be interrupted.
    pub(super) ticker: Arc<Ticker>,
}

/// SHA-256 of the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest256([u8; 32]);

impl Revision {
    /// Checks and compiles a file, or takes what was compiled of it before. That may take many
    /// seconds, on other threads than those that serve: this only waits for it.
    pub async fn compile(sandbox: &Arc<Sandbox>, file: Vec<u8>) -> Result<Self, LoadError> {
        let (sandbox, file) = (Arc::clone(sandbox), Arc::new(file));
        let cached = {
            let (sandbox, file) = (Arc::clone(&sandbox), Arc::clone(&file));
            aside(move || Ok(Self::cached(&sandbox, &file))).await?
        };
        if let Some(revision) = cached {
            return Ok(revision);
        }
        let leave = Arc::clone(&sandbox.compiling).acquire_owned().await;
        aside(move || {
            // Given back when it is done, also if nobody waits for it any more.
            let _leave = leave;
            Self::compile_here(&sandbox, &file)
        })
        .await
    }

    fn cached(sandbox: &Sandbox, file: &[u8]) -> Option<Self> {
        let cache = sandbox.cache.as_ref()?;
        let digest = Digest256::of(file);
        let name = cache.name(digest, &sandbox.engine);
        let artifact = cache.load(&name)?;
        let loaded = on_deep_stack(|| Self::link(sandbox, &artifact, digest, file.len()));
        loaded.inspect_err(|error| cache.reject(&name, error)).ok()
    }

    fn compile_here(sandbox: &Sandbox, file: &[u8]) -> Result<Self, LoadError> {
        let digest = Digest256::of(file);
        let artifact = sandbox.compiler.compile(file, &sandbox.compile_limits)?;
        let revision = on_deep_stack(|| Self::link(sandbox, &artifact, digest, file.len()))?;
        if let Some(cache) = &sandbox.cache {
            cache.store(&cache.name(digest, &sandbox.engine), &artifact);
        }
        Ok(revision)
    }

    /// Checks what it asks for and offers, and joins it with what it is granted.
    fn link(
        sandbox: &Sandbox,
        artifact: &Artifact,
        digest: Digest256,
        bytes: usize,
    ) -> Result<Self, LoadError> {
        let component = artifact.load(&sandbox.engine).map_err(invalid)?;
        let imports = check_imports(sandbox, &component)?;
        check_exports(&component)?;
        let pre = sandbox
            .linker
            .instantiate_pre(&component)
            .and_then(ListenerPre::new)
            .map_err(|error| LoadError::Mismatch(format!("{error:#}")))?;
        Ok(Self {
            digest,
            bytes,
            pre,
            handover: HandoverIndices::of(&component),
            needs: imports.needs,
            may_wait: imports.may_wait,
            slow: AtomicBool::new(false),
            starts_quickly: AtomicBool::new(false),
            ticker: Arc::clone(sandbox.ticker()),
        })
    }

    /// SHA-256 of the file it was made from.
    pub fn digest(&self) -> Digest256 {
        self.digest
    }

    /// What it imports that only a sidecar grants.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Whether its instances hand their state over.
    pub fn hands_over_state(&self) -> bool {
        self.handover.is_some()
    }

    /// Whether its calls neither wait nor were ever seen to run long.
    pub fn is_quick(&self) -> bool {
        !self.may_wait && !self.slow.load(Ordering::Relaxed)
    }

    /// Size of the file it was made from, in bytes.
    pub fn file_bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revision").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Digest256 {
    /// Digest of a file.
    pub fn of(file: &[u8]) -> Self {
        Self(Sha256::digest(file).into())
    }

    pub(super) fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Digest256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs what takes long on a thread that serves nobody.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    let failed = |error: tokio::task::JoinError| LoadError::Compiler(error.to_string());
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// Runs what recurses with what a file holds. Its stack holds what `nesting` lets through, and a
/// panic of it is an error of the file.
pub(super) fn on_deep_stack<T: Send>(
    work: impl FnOnce() -> Result<T, LoadError> + Send,
) -> Result<T, LoadError> {
    let builder = std::thread::Builder::new().name("sporegate-load".into());
    std::thread::scope(|scope| {
        match builder.stack_size(STACK_BYTES).spawn_scoped(scope, work).map(|work| work.join()) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(LoadError::Invalid("the compiler panicked".into())),
            Err(error) => Err(LoadError::Invalid(format!("no thread to read it: {error}"))),
        }
    })
}

fn not_wasm(found: &str) -> LoadError {
    LoadError::NotWasm { found: found.to_owned() }
}

/// The bytes of a component: the file itself, or a component made of the core module in it.
///
/// # Errors
/// Why it would be refused as a module.
pub fn componentize(file: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, LoadError> {
    match (file.first_chunk::<4>(), file.get(4..8)) {
        (None, _) => Err(not_wasm(CUT_SHORT)),
        (Some(&ELF), _) => Err(not_wasm(PRECOMPILED)),
        (Some(b"\0asm"), Some(kind)) if kind == COMPONENT => {
            nesting::check(file).map_err(LoadError::Invalid)?;
            Ok(file.into())
        }
        (Some(b"\0asm"), Some(kind)) if kind == CORE_MODULE => encode(file).map(Into::into),
        (Some(b"\0asm"), _) => Err(LoadError::Invalid("unknown version in the header".into())),
        (Some(_), _) => Err(not_wasm(UNKNOWN)),
    }
}

fn encode(core: &[u8]) -> Result<Vec<u8>, LoadError> {
    wasmparser::validate(core).map_err(|error| LoadError::Invalid(error.to_string()))?;
    nesting::check(core).map_err(LoadError::Invalid)?;
    description::check(core, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER).map_err(LoadError::Core)?;
    wit_component::ComponentEncoder::default()
        .module(core)
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| LoadError::Core(format!("{error:#}")))
}

struct Imports {
    may_wait: bool,
    needs: Needs,
}

fn check_imports(sandbox: &Sandbox, component: &Component) -> Result<Imports, LoadError> {
    let (mut may_wait, mut needs) = (false, Needs::default());
    for (name, _) in component.component_type().imports(&sandbox.engine) {
        let grant = Grant::of(name).ok_or_else(|| LoadError::Import { name: name.to_owned() })?;
        needs.note(name, grant);
        may_wait |= wasi::WAITING.iter().any(|interface| name.starts_with(interface));
    }
    Ok(Imports { may_wait, needs })
}

fn check_exports(component: &Component) -> Result<(), LoadError> {
    for (interface, function) in EXPORTS {
        let interface = format!("{PACKAGE}/{interface}@{VERSION}");
        component
            .get_export_index(None, &interface)
            .and_then(|index| component.get_export_index(Some(&index), function))
            .ok_or_else(|| LoadError::World { missing: format!("{interface}#{function}") })?;
    }
    Ok(())
}
