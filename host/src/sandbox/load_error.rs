//! Why a file does not become a module. What is in the file is quoted only through
//! [`excerpt`]: it may be anything.

use super::component::VERSION;
use crate::printable::excerpt;

/// Why a file is not a module of this gateway. Each says what was found and how to mend it, as one
/// line whatever the file holds.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file does not start as WebAssembly does.
    #[error("not a WebAssembly file: {found}")]
    NotWasm {
        /// What it looks like, and what to do about it.
        found: &'static str,
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
        "it imports `{}`, which a listener is not granted; listeners get sporegate:gateway@{VERSION} and wasi 0.2 clocks, random and output",
        excerpt(.name)
    )]
    Import {
        /// The import.
        name: String,
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
}
