//! When two JSON values are equal, and finding a message's value among those that matchers name.
//!
//! Invariant: equal values, and only those, have equal canonical texts. Strings compare by their
//! decoded text, numbers by their exact decimal value (42 = 42.0 = 4.2e1, nothing is rounded),
//! arrays and objects by structure, without regard to the order of keys; of a repeated key the
//! last one counts. What has no such value (a lone surrogate, an exponent beyond 64 bits) equals
//! nothing.

use std::collections::{BTreeMap, HashMap};

use crate::json::Scanner;

/// Longest JSON text to compare with, in bytes.
pub const MAX_VALUE_BYTES: usize = 4096;

/// Deepest nesting of arrays and objects to compare with.
pub const MAX_VALUE_DEPTH: usize = 16;

/// A JSON value to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum JsonValue {
    /// A string, decoded.
    Text(Box<str>),
    /// Anything else: its canonical text, and the levels of nesting.
    Other { canonical: Box<str>, depth: usize },
}

impl JsonValue {
    pub(super) fn parse(text: &str) -> Result<Self, ValueFault> {
        if text.len() > MAX_VALUE_BYTES {
            return Err(ValueFault::TooLong { bytes: text.len() });
        }
        let mut scanner = Scanner::new(text);
        let raw = scanner.value_text().and_then(|raw| scanner.end().map(|()| raw));
        let Ok(raw) = raw else {
            return Err(ValueFault::NotJson { hint: json_hint(text) });
        };
        if raw.starts_with('"') {
            return decode(raw).map(|text| Self::Text(text.into())).ok_or(ValueFault::Incomparable);
        }
        let mut canonical = String::new();
        for depth in 0..=MAX_VALUE_DEPTH {
            canonical.clear();
            match append_canonical(raw, depth, &mut canonical) {
                Ok(()) => return Ok(Self::Other { canonical: canonical.into(), depth }),
                Err(Unlike::TooDeep) => {}
                Err(Unlike::Incomparable) => return Err(ValueFault::Incomparable),
            }
        }
        Err(ValueFault::TooDeep)
    }
}

/// Why a text cannot be compared with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// It is not JSON.
    #[error("is not JSON{hint}")]
    NotJson {
        /// How to mend it, where that is clear.
        hint: &'static str,
    },
    /// Longer than [`MAX_VALUE_BYTES`].
    #[error("has {bytes} bytes; at most {MAX_VALUE_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nested deeper than [`MAX_VALUE_DEPTH`].
    #[error("is nested deeper than {MAX_VALUE_DEPTH} levels")]
    TooDeep,
    /// No message's value can equal it.
    #[error("holds half of a surrogate pair or a number beyond any range, which equal nothing")]
    Incomparable,
}

/// Among the values of one [`ValueTable`], which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ValueId(pub(super) usize);

/// The values that matchers compare one part of the message with.
#[derive(Debug, Default)]
pub(super) struct ValueTable {
    texts: HashMap<Box<str>, ValueId>,
    longest_text: usize,
    others: HashMap<Box<str>, ValueId>,
    deepest: usize,
}

impl ValueTable {
    /// Adds a value, or finds it.
    pub(super) fn insert(&mut self, value: &JsonValue) -> ValueId {
        let next = ValueId(self.texts.len() + self.others.len());
        match value {
            JsonValue::Text(text) => {
                self.longest_text = self.longest_text.max(text.len());
                *self.texts.entry(text.clone()).or_insert(next)
            }
            JsonValue::Other { canonical, depth } => {
                self.deepest = self.deepest.max(*depth);
                *self.others.entry(canonical.clone()).or_insert(next)
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.others.is_empty()
    }

    /// Which of the values this is. `raw` is the text of one JSON value, without white space
    /// around it; `buffer` is for reuse and its content is lost.
    pub(super) fn find(&self, raw: &str, buffer: &mut String) -> Option<ValueId> {
        if let Some(inner) = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
            // An escape of six bytes decodes to at least one.
            if self.texts.is_empty() || inner.len() / 6 > self.longest_text {
                return None;
            }
            return match inner.contains('\\') {
                true => self.texts.get(&*decode(raw)?),
                false => self.texts.get(inner),
            }
            .copied();
        }
        if self.others.is_empty() {
            return None;
        }
        buffer.clear();
        append_canonical(raw, self.deepest, buffer).ok()?;
        self.others.get(&**buffer).copied()
    }
}

/// Why a value has no canonical text here.
enum Unlike {
    TooDeep,
    Incomparable,
}

/// Writes the canonical text of the one valid JSON value in `raw`, nested `depth` levels at most.
fn append_canonical(raw: &str, depth: usize, out: &mut String) -> Result<(), Unlike> {
    match raw.as_bytes().first() {
        Some(b'"') => {
            let text = decode(raw).ok_or(Unlike::Incomparable)?;
            append_text(&text, out);
            Ok(())
        }
        Some(b'[') => {
            let depth = depth.checked_sub(1).ok_or(Unlike::TooDeep)?;
            append_array(raw, depth, out)
        }
        Some(b'{') => {
            let depth = depth.checked_sub(1).ok_or(Unlike::TooDeep)?;
            append_object(raw, depth, out)
        }
        Some(b't' | b'f' | b'n') => {
            out.push_str(raw);
            Ok(())
        }
        _ => append_number(raw, out).ok_or(Unlike::Incomparable),
    }
}

/// A string by its length and text: no text inside can be taken for the syntax around it.
fn append_text(text: &str, out: &mut String) {
    out.push_str(&text.len().to_string());
    out.push('"');
    out.push_str(text);
}

fn append_array(raw: &str, depth: usize, out: &mut String) -> Result<(), Unlike> {
    let mut scanner = Scanner::new(raw);
    scanner.eat(b'[');
    out.push('[');
    let mut more = !scanner.eat(b']');
    while more {
        let item = scanner.value_text().map_err(|_| Unlike::Incomparable)?;
        append_canonical(item, depth, out)?;
        out.push(',');
        more = scanner.more(b']').map_err(|_| Unlike::Incomparable)?;
    }
    out.push(']');
    Ok(())
}

fn append_object(raw: &str, depth: usize, out: &mut String) -> Result<(), Unlike> {
    let mut scanner = Scanner::new(raw);
    scanner.eat(b'{');
    let mut members = BTreeMap::new();
    let mut more = !scanner.eat(b'}');
    while more {
        let key = scanner.key().map_err(|_| Unlike::Incomparable)?;
        let value = scanner.value_text().map_err(|_| Unlike::Incomparable)?;
        members.insert(key.decode().ok_or(Unlike::Incomparable)?, value);
        more = scanner.more(b'}').map_err(|_| Unlike::Incomparable)?;
    }
    out.push('{');
    for (key, value) in members {
        append_text(&key, out);
        append_canonical(value, depth, out)?;
        out.push(',');
    }
    out.push('}');
    Ok(())
}

/// A number as its significant digits and the exponent of ten of the last one: `-1.20e3` is
/// `-12e2`. Zero is `0`.
fn append_number(raw: &str, out: &mut String) -> Option<()> {
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let start = out.len();
    out.push_str(sign);
    let digits = out.len();
    out.push_str(whole.trim_start_matches('0'));
    match out.len() > digits {
        true => out.push_str(fraction),
        false => out.push_str(fraction.trim_start_matches('0')),
    }
    // Not further than the digits: before them may stand a key that ends with zeros.
    let significant = out.trim_end_matches('0').len().max(digits);
    let zeros = out.len() - significant;
    out.truncate(significant);
    if significant == digits {
        out.truncate(start);
        out.push('0');
        return Some(());
    }
    let exponent = exponent.parse::<i64>().ok()?;
    let exponent = exponent
        .checked_add(i64::try_from(zeros).ok()?)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    out.push('e');
    out.push_str(&exponent.to_string());
    Some(())
}

/// The text of a valid JSON string, unless it holds half of a surrogate pair.
pub(super) fn decode(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

fn json_hint(text: &str) -> &'static str {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
    if plain { "; a string needs its quotes, as in `\"join\"`" } else { "" }
}

#[cfg(test)]
mod tests;
