//! What all modules share: their memory together, the compile cache, and the defaults of their
//! sidecars.

use std::path::PathBuf;
use std::time::Duration;

use super::module::{self, ModuleDefaults};
use super::section::Section;
use super::units::ByteSize;
use super::value::{Fault, Raw, Value};

/// The `[sandbox]` section.
#[derive(Clone, Debug, PartialEq)]
pub struct SandboxConfig {
    /// Memory of all instances of all modules together, in bytes.
    pub memory_bytes: usize,
    /// Where compiled modules are kept.
    pub cache: CompileCache,
    /// Largest module file, in bytes; a larger one is refused.
    pub max_module_bytes: u64,
    /// Memory of the process that compiles a module, in bytes; more, and the module is refused.
    pub compile_memory_bytes: u64,
    /// Processor time to compile a module; more, and it is refused.
    pub compile_time: Duration,
    /// What holds for a module whose sidecar says nothing else.
    pub defaults: ModuleDefaults,
}

/// Where compiled modules are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileCache {
    /// In the user's cache directory.
    Auto,
    /// Nowhere: each start compiles anew.
    Off,
    /// In this directory.
    Dir(PathBuf),
}

pub(super) fn read(sandbox: &mut Section<'_, '_>) -> SandboxConfig {
    let memory =
        sandbox.read_in("memory", ByteSize::gib(1), ByteSize::mib(1)..=ByteSize::gib(1024));
    let cache = sandbox.read("cache", CompileCache::Auto);
    let largest = ByteSize::kib(1)..=ByteSize::mib(256);
    let max_module_size = sandbox.read_in("max_module_size", ByteSize::mib(32), largest);
    let memories = ByteSize::mib(256)..=ByteSize::gib(1024);
    let compile_memory = sandbox.read_in("compile_memory", ByteSize::gib(2), memories);
    let times = Duration::from_secs(1)..=Duration::from_secs(3_600);
    let compile_time = sandbox.read_in("compile_time", Duration::from_secs(60), times);
    let defaults = sandbox.section("defaults", |section| ModuleDefaults {
        run: section.section("run", |run| module::read_run(run, &module::Run::default())),
        limits: section.section("limits", |limits| {
            let read = module::read_limits(limits, &module::default_limits());
            if read.memory_bytes > memory.as_len() && limits.place_of("memory").is_some() {
                limits.bad(
                    "memory",
                    format!("one instance cannot have more than [sandbox] memory ({memory})"),
                );
            }
            read
        }),
    });
    let (memory_bytes, max_module_bytes) = (memory.as_len(), max_module_size.get());
    let compile_memory_bytes = compile_memory.get();
    SandboxConfig {
        memory_bytes,
        cache,
        max_module_bytes,
        compile_memory_bytes,
        compile_time,
        defaults,
    }
}

impl Value for CompileCache {
    const EXPECTED: &'static str = "\"auto\", \"off\", or a directory";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.string(Self::EXPECTED)? {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => PathBuf::read(raw).map(Self::Dir),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Auto => "\"auto\"".to_owned(),
            Self::Off => "\"off\"".to_owned(),
            Self::Dir(dir) => dir.text(),
        }
    }
}
