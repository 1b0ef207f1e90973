//! What a file asks for and offers, read from its types alone: nothing is compiled or run.

use serde::{Deserialize, Serialize};

use super::compiler::{CompileLimits, Compiler, Types};
use super::component::{Digest256, EXPORTS, PACKAGE, VERSION};
use super::grants::{Grant, Granted, Need, explain};
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
    /// What it gives, if a listener may be granted it.
    pub granted: Option<&'static str>,
    /// What the sidecar has to say for it, if it has to say something.
    pub need: Option<Need>,
}

impl Import {
    fn of(name: String) -> Self {
        let grant = Grant::of(&name);
        let granted = grant.map(|grant| explain(&name, grant));
        Self { granted, need: grant.and_then(Grant::need), name }
    }
}

impl Inspection {
    /// Imports that a sidecar would have to grant and does not, each with the lines to add.
    pub fn needs(&self, granted: Granted) -> impl Iterator<Item = (&str, [&'static str; 2])> {
        self.imports.iter().filter_map(move |import| {
            let need = import.need.filter(|need| !need.is_met(granted))?;
            Some((&*import.name, need.lines()))
        })
    }

    /// Whether the gateway would take it as a listener, as far as the names of its imports and
    /// exports tell, beside a sidecar that grants this: what is in an interface of the right name is
    /// looked at when it is loaded.
    pub fn is_listener(&self, granted: Granted) -> bool {
        let may = |import: &Import| {
            import.granted.is_some() && import.need.is_none_or(|need| need.is_met(granted))
        };
        self.missing.is_empty() && self.imports.iter().all(may)
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
        imports: imports.into_iter().map(Import::of).collect(),
        exports,
        missing,
    })
}
