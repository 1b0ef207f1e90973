//! Why a file does not become a module. What is in the file is quoted only through
//! [`excerpt`]: it may be anything.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::component::VERSION;
use super::grants::for_everybody;
use crate::config::{ByteSize, duration_text};
use crate::printable::excerpt;

/// Why a file is not a module of this gateway. Each says what was found and how to mend it, as one
/// line whatever the file holds.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum LoadError {
    /// The file does not start as WebAssembly does.
    #[error("not a WebAssembly file: {found}")]
    NotWasm {
        /// What it looks like, and what to do about it.
        found: String,
    },
    /// WebAssembly, but broken.
    #[error(
        "the file is damaged or not valid WebAssembly: {}; build it again and copy it whole", excerpt(.0)
    )]
    Invalid(String),
    /// A core module that cannot be made a component.
    #[error(
        "a core module that cannot be turned into a component: {}; build it against the `sporegate:gateway` WIT with wit-bindgen, or ship a component",
        excerpt(.0)
    )]
    Core(String),
    /// It asks for something that it is not granted.
    #[error(
        "it imports `{}`, which a listener is not granted; {}", excerpt(.name), for_everybody()
    )]
    Import {
        /// The import.
        name: String,
    },
    /// It asks for something that its sidecar does not grant.
    #[error(
        "it imports `{}`, which its sidecar does not grant; add `{}` and `{}` to the .toml file beside it, with what it is to reach",
        excerpt(.name), .lines[0], .lines[1]
    )]
    NotGranted {
        /// The import.
        name: String,
        /// Lines that would grant it.
        lines: [String; 2],
    },
    /// It does not export what a listener must.
    #[error(
        "it does not export `{missing}`: it was made for another world; build it for world `listener` of sporegate:gateway@{VERSION}"
    )]
    World {
        /// The first export that is missing.
        missing: String,
    },
    /// Imports or exports have the right names and the wrong types.
    #[error(
        "it does not fit world `listener` of sporegate:gateway@{VERSION}: {}; build it against that version",
        excerpt(.0)
    )]
    Mismatch(String),
    /// The compiler was stopped by its limit of time.
    #[error(
        "compiling it takes more than {} of processor time, or ten times that by the clock; make it smaller or its functions simpler, or raise sandbox.compile_time",
        duration_text(*.limit)
    )]
    CompileTime {
        /// The limit of processor time.
        limit: Duration,
    },
    /// The compiler was refused more memory.
    #[error(
        "compiling it takes more than {} of memory; make it smaller or its functions simpler, or raise sandbox.compile_memory",
        ByteSize::bytes(*.limit_bytes)
    )]
    CompileMemory {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// What was made of it is too large.
    #[error(
        "compiled, it has more than {}, its memory images included; make it smaller, or raise sandbox.max_module_size, of which this is a multiple",
        ByteSize::bytes(*.limit_bytes)
    )]
    CodeSize {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The compiler was ended by a signal that is none of its limits.
    #[error(
        "the compiler crashed on it ({how}{}{}), which harms nothing else; build it again, with other versions of its tools",
        if .complaint.is_empty() { "" } else { ": " },
        excerpt(.complaint)
    )]
    CompilerCrash {
        /// The signal.
        how: String,
        /// What it said before.
        complaint: String,
    },
    /// The compiler itself failed, whatever the file is.
    #[error("the compiler failed: {}; it says nothing about the file", excerpt(.0))]
    Compiler(String),
}
