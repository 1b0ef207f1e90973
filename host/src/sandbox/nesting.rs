//! How deep a file nests, found out before anything else reads it. What reads and compiles
//! components recurses as deep as they nest, and a full stack ends the whole process, not the one
//! file: nothing here recurses.

use wasmparser::{Parser, Payload};

use super::description::DESCRIPTION;

/// Components within components.
const MAX_COMPONENTS: usize = 32;

/// Component and instance types within types.
const MAX_TYPES: usize = 1_000;

/// A declaration of a type, and that the type is one of a component or of an instance.
const NESTED_TYPES: [[u8; 2]; 2] = [[0x01, 0x41], [0x01, 0x42]];

/// Refuses a file that nests deeper than any compiler would write it.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(file) {
        match payload.map_err(|error| error.to_string())? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                if depth > MAX_COMPONENTS {
                    return Err(format!(
                        "it has more than {MAX_COMPONENTS} components within each other"
                    ));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentTypeSection(types) => {
                let bytes = file.get(types.range()).unwrap_or_default();
                check_types(bytes)?;
            }
            Payload::CustomSection(section) if section.name().starts_with(DESCRIPTION) => {
                check_types(section.data())?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// There is such a pair of bytes for every type within another, so there are at least as many
/// pairs as levels. Names and numbers may look like it; they are few.
fn check_types(bytes: &[u8]) -> Result<(), String> {
    let pairs = bytes.array_windows().filter(|pair| NESTED_TYPES.contains(pair)).count();
    if pairs > MAX_TYPES {
        return Err(format!("it may have more than {MAX_TYPES} types within each other"));
    }
    Ok(())
}
