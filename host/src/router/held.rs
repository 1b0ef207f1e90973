//! How much memory a matcher takes.
//!
//! Invariant: the estimate is made of what a listener asks for and of the size of the compiled
//! regular expressions, so that it is the same on every machine. It is roughly true: measured with
//! many large tests, a byte of a matcher takes almost four.

use super::spec::{ContentTest, JsonTest, MatcherSpec};

/// Copies of a text: as it came, compiled, as a key of the index, and the room around them.
const COPIES: usize = 4;

/// What a text takes beside its bytes: an allocation and an entry of a table or two.
const TEXT_BYTES: usize = 256;

/// Bytes for a path pattern.
pub fn held_by_pattern(pattern: &str) -> usize {
    held_by_parts(pattern)
}

/// Bytes for a matcher, without its compiled regular expressions.
pub(super) fn held_by_spec(spec: &MatcherSpec) -> usize {
    let path = spec.path.as_deref().map_or(0, held_by_pattern);
    let roles: usize = spec.roles.iter().map(|role| held_by_text(role.len())).sum();
    path + roles + spec.content.iter().map(held_by_test).sum::<usize>()
}

fn held_by_test(test: &ContentTest) -> usize {
    match test {
        ContentTest::IsText | ContentTest::IsBinary => TEXT_BYTES,
        ContentTest::TextEquals(text)
        | ContentTest::TextPrefix(text)
        | ContentTest::TextContains(text)
        | ContentTest::TextRegex(text) => held_by_text(text.len()),
        ContentTest::BinaryPrefix(bytes) => held_by_text(bytes.len()),
        ContentTest::Json(part) => held_by_parts(&part.pointer) + held_by_json_test(&part.test),
    }
}

fn held_by_json_test(test: &JsonTest) -> usize {
    match test {
        JsonTest::Exists => TEXT_BYTES,
        JsonTest::Equals(value) => held_by_text(value.len()),
        JsonTest::OneOf(values) => values.iter().map(|value| held_by_text(value.len())).sum(),
    }
}

fn held_by_text(bytes: usize) -> usize {
    TEXT_BYTES + COPIES * bytes
}

/// A text that is split at its slashes: each part is one of its own.
fn held_by_parts(text: &str) -> usize {
    let slashes = text.bytes().filter(|byte| *byte == b'/').count();
    held_by_text(text.len()) + slashes * TEXT_BYTES
}
