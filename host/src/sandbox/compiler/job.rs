//! The work itself, in whatever process: what is recursive, long, or fond of memory.

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};
use wasmtime::OutOfMemory;

use super::Task;
use super::answer::Answer;
use crate::sandbox::artifact::Artifact;
use crate::sandbox::component::{componentize, on_deep_stack};
use crate::sandbox::engine::compiling_engine;
use crate::sandbox::inspect::ModuleKind;
use crate::sandbox::load_error::LoadError;

/// What a file is, asks for and offers.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Types {
    pub(in crate::sandbox) kind: ModuleKind,
    /// In the order of the file.
    pub(in crate::sandbox) imports: Vec<String>,
    pub(in crate::sandbox) exports: Vec<String>,
}

pub(super) fn run(task: Task, file: &[u8], limit_bytes: u64) -> Result<Answer, LoadError> {
    on_deep_stack(|| match task {
        Task::Compile => compile(file, limit_bytes).map(Answer::Code),
        Task::Inspect => types(file).map(Answer::Types),
    })
}

fn compile(file: &[u8], limit_bytes: u64) -> Result<Artifact, LoadError> {
    let component = componentize(file)?;
    let engine = compiling_engine().map_err(invalid)?;
    let code = engine.precompile_component(&component);
    code.map(Artifact::trusted).map_err(|error| match error.is::<OutOfMemory>() {
        true => LoadError::CompileMemory { limit_bytes },
        false => invalid(error),
    })
}

/// What the engine says of a file that it does not take.
pub(in crate::sandbox) fn invalid(error: wasmtime::Error) -> LoadError {
    LoadError::Invalid(format!("{error:#}"))
}

fn types(file: &[u8]) -> Result<Types, LoadError> {
    let component = componentize(file)?;
    let kind = match component {
        std::borrow::Cow::Borrowed(_) => ModuleKind::Component,
        std::borrow::Cow::Owned(_) => ModuleKind::CoreModule,
    };
    let (imports, exports) = names(&component).map_err(|e| LoadError::Invalid(e.to_string()))?;
    Ok(Types { kind, imports, exports })
}

/// What a component imports and exports, in its order.
fn names(component: &[u8]) -> Result<(Vec<String>, Vec<String>), wasmparser::Error> {
    wasmparser::validate(component)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}
