//! What a file asks for and offers, read from its types alone: nothing is compiled or run.

use serde::{Deserialize, Serialize};

use super::compiler::{CompileLimits, Compiler, Types};
use super::component::{self, Digest256, EXPORTS, Grant, PACKAGE, VERSION};
use super::load_error::LoadError;

/// Everything that can be said of a file without running it.
#[derive(Debug)]
pub struct Inspection {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Size of the file, in bytes.
    pub bytes: usize,
    /// What it is.
    pub kind: ModuleKind,
    /// What it needs from outside.
    pub imports: Vec<Import>,
    /// What it offers.
    pub exports: Vec<String>,
    /// What a listener has to export and it does not.
    pub missing: Vec<String>,
    /// Whether it hands its state over on a swap.
    pub hands_over_state: bool,
}

/// What kind of WebAssembly a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleKind {
    /// A component.
    Component,
    /// A core module; it is made a component when it is loaded.
    CoreModule,
}

/// One import with the decision about it.
#[derive(Debug)]
pub struct Import {
    /// Name of the interface.
    pub name: String,
    /// What it gives, if a listener is granted it.
    pub granted: Option<&'static str>,
}

impl Inspection {
    /// Whether the gateway would take it as a listener, as far as the names of its imports and
    /// exports tell: what is in an interface of the right name is looked at when it is loaded.
    pub fn is_listener(&self) -> bool {
        self.missing.is_empty() && self.imports.iter().all(|import| import.granted.is_some())
    }
}

/// Reads the types of a module, as the compiler does for a gateway with these limits.
pub fn inspect(
    file: &[u8],
    compiler: &Compiler,
    limits: &CompileLimits,
) -> Result<Inspection, LoadError> {
    let Types { kind, imports, exports } = compiler.inspect(file, limits)?;
    let missing = EXPORTS
        .iter()
        .map(|(interface, _)| format!("{PACKAGE}/{interface}@{VERSION}"))
        .filter(|wanted| !exports.contains(wanted))
        .collect();
    let handover = format!("{PACKAGE}/state-handover@{VERSION}");
    Ok(Inspection {
        digest: Digest256::of(file).to_string(),
        bytes: file.len(),
        kind,
        hands_over_state: exports.contains(&handover),
        imports: imports
            .into_iter()
            .map(|name| Import { granted: component::granted(&name).map(|_| explain(&name)), name })
            .collect(),
        exports,
        missing,
    })
}

/// What a granted interface is good for.
fn explain(name: &str) -> &'static str {
    if component::granted(name) == Some(Grant::Gateway) {
        return match name {
            _ if name.contains("/clients@") => "see and reach the clients on its paths",
            _ if name.contains("/listeners@") => "choose which messages it gets",
            _ => "plain values",
        };
    }
    match name.split('/').next() {
        Some("wasi:clocks") => "tell the time",
        Some("wasi:random") => "random numbers",
        Some("wasi:filesystem") => "nothing: there are no directories behind it",
        Some("wasi:cli") => "print to its log; there are no arguments and no environment",
        Some("wasi:io") => "streams and polls of the other interfaces",
        _ => "nothing",
    }
}
