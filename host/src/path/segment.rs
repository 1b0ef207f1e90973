//! The character rules that connect paths and patterns share.
//!
//! Invariant: a segment that passes is never empty, `.` or `..`, and holds no slash, backslash
//! or control character, so joining segments with `/` and splitting them again loses nothing.

/// Why a segment of a path or of a pattern is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentFault {
    /// Two slashes meet.
    #[error("is empty; write a single `/`")]
    Empty,
    /// `.` or `..`, spelled out or percent-encoded.
    #[error("is `.` or `..`; write the path without relative segments")]
    Dot,
    /// `%2F`.
    #[error("holds an encoded slash; a slash separates segments and cannot be part of one")]
    Slash,
    /// `\` or `%5C`.
    #[error("holds a backslash; use `/` between segments")]
    Backslash,
    /// NUL or another control character, spelled out or percent-encoded.
    #[error("holds the control character U+{:04X}; remove it", u32::from(*.0))]
    Control(char),
    /// `*`, `{` or `}`, which mean something in patterns.
    #[error("holds `{0}`, which only path patterns may use; remove it")]
    Reserved(char),
    /// `%` without two hexadecimal digits.
    #[error("holds `%` without two hexadecimal digits; write `%25` for a percent sign")]
    Escape,
    /// The decoded bytes are not UTF-8.
    #[error("is not UTF-8 after percent-decoding; encode the text as UTF-8 first")]
    NotUtf8,
    /// A raw `?` or `#`.
    #[error("holds `{0}`; a connect path has no query or fragment")]
    Query(char),
}

/// Checks one decoded segment; what is reserved for patterns is left to the caller.
pub(super) fn check(segment: &str) -> Result<(), SegmentFault> {
    match segment {
        "" => return Err(SegmentFault::Empty),
        "." | ".." => return Err(SegmentFault::Dot),
        _ => {}
    }
    for c in segment.chars() {
        match c {
            '/' => return Err(SegmentFault::Slash),
            '\\' => return Err(SegmentFault::Backslash),
            c if c.is_control() => return Err(SegmentFault::Control(c)),
            _ => {}
        }
    }
    Ok(())
}

/// The first character of the segment that has a meaning in patterns.
pub(super) fn reserved(segment: &str) -> Option<char> {
    segment.chars().find(|c| matches!(c, '*' | '{' | '}'))
}
