//! Sub-protocols that the clients of a path may agree on with the gateway.

use std::sync::Arc;

use super::section::Section;
use super::value::{Fault, Raw, Value};

/// Most names of one path.
const MAX_NAMES: usize = 16;

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// How an entry begins that holds a token instead of a name.
const BEARER_PREFIX: &str = "bearer.";

/// What is spoken on a path besides the gateway's own sub-protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subprotocols {
    /// By the gateway's preference; at most 16, each a token (RFC 9110, section 5.6.2).
    pub names: Vec<Arc<str>>,
    /// A client that offers none of them gets 400.
    pub required: bool,
}

/// Whether a byte may be part of a token (RFC 9110, section 5.6.2).
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads the two settings; those of `above` hold where they are absent, which `shown` says.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    above: &Subprotocols,
    shown: Option<&str>,
) -> Subprotocols {
    const NAMES: &str = "subprotocols";
    const REQUIRED: &str = "require_subprotocol";
    let names: Option<Vec<Name>> = section.optional(NAMES, shown.unwrap_or("[]"));
    let required = section.optional(REQUIRED, shown.unwrap_or("false"));
    let own = names.map(|names| names.into_iter().map(|name| name.0).collect());
    let names: Vec<Arc<str>> = own.unwrap_or_else(|| above.names.clone());
    if ![NAMES, REQUIRED].iter().any(|key| section.place_of(key).is_some()) {
        return Subprotocols { names, required: above.required };
    }
    if names.len() > MAX_NAMES {
        section.bad(NAMES, format!("it has more than {MAX_NAMES} entries"));
    }
    let twice =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name));
    if let Some((_, name)) = twice {
        section.bad(NAMES, format!("`{name}` is in it twice"));
    }
    let required = required.unwrap_or(above.required);
    if required && names.is_empty() {
        section.conflict(
            &[REQUIRED, NAMES],
            "`require_subprotocol` needs names in `subprotocols`: no client could connect",
        );
    }
    Subprotocols { names, required }
}

struct Name(Arc<str>);

impl Value for Name {
    const EXPECTED: &'static str = "the name of a sub-protocol, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let name = raw.string(Self::EXPECTED)?;
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(Fault::refuse(name, format!("a name has 1 to {MAX_NAME_BYTES} bytes")));
        }
        if !name.bytes().all(is_token_byte) {
            let why = "a name has letters, digits and any of !#$%&'*+-.^_`|~ only (RFC 9110)";
            return Err(Fault::refuse(name, why));
        }
        // Not repeated in the message: it looks like a credential.
        if name.to_ascii_lowercase().starts_with(BEARER_PREFIX) {
            return Err(Fault::bad(
                "a name must not begin with `bearer.`: that is where tokens are",
            ));
        }
        Ok(Self(name.into()))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}
