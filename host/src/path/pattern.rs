//! Path patterns: `/rooms/{room}/*`.
//!
//! Invariant: patterns are compared with decoded paths and are never percent-decoded
//! themselves: `%41` in a pattern means these three characters.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, de};

use super::segment::{self, SegmentFault};
use super::{ConnectPath, MAX_PATH_BYTES, MAX_PATH_SEGMENTS, Shape};

/// Selects connect paths: literal segments, `{name}` for exactly one segment, and a final `*`
/// for the rest, which may be empty. A path without these is a pattern that matches just itself.
/// Equality and order are those of the text. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPattern {
    text: Arc<str>,
    segments: Arc<[Segment]>,
}

/// One part of a [`PathPattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Matches this text only.
    Literal(Box<str>),
    /// `{name}`: matches any one segment.
    Param(Box<str>),
    /// A final `*`: matches all that follows, also nothing.
    Rest,
}

impl PathPattern {
    /// Reads a pattern; one trailing slash is removed.
    ///
    /// # Errors
    /// Names the first segment that breaks a rule; see [`PatternFault`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_inner(text).map_err(|fault| PatternError { pattern: excerpt(text), fault })
    }

    fn parse_inner(text: &str) -> Result<Self, PatternFault> {
        if text.len() > MAX_PATH_BYTES {
            return Err(PatternFault::TooLong { bytes: text.len() });
        }
        let below = text.strip_prefix('/').ok_or(PatternFault::NoLeadingSlash)?;
        if below.is_empty() {
            return Ok(Self { text: text.into(), segments: Arc::default() });
        }
        let below = below.strip_suffix('/').unwrap_or(below);
        let mut segments = Vec::new();
        for (number, part) in (1..).zip(below.split('/')) {
            if number > MAX_PATH_SEGMENTS {
                return Err(PatternFault::TooManySegments);
            }
            if segments.last() == Some(&Segment::Rest) {
                return Err(PatternFault::RestNotLast { number: number - 1 });
            }
            let segment = parse_segment(number, part)?;
            if matches!(segment, Segment::Param(_)) && segments.contains(&segment) {
                return Err(PatternFault::RepeatedName { number });
            }
            segments.push(segment);
        }
        Ok(Self { text: format!("/{below}").into(), segments: segments.into() })
    }

    /// Whether the pattern matches the whole path.
    pub fn matches(&self, path: &ConnectPath) -> bool {
        self.walk(path, |_, _| {})
    }

    /// What the names stand for in `path`, in order; the rest is called `*`. Nothing if the
    /// pattern does not match.
    pub fn captures<'a>(&'a self, path: &'a ConnectPath) -> Option<Vec<(&'a str, &'a str)>> {
        let mut captures = Vec::new();
        self.walk(path, |name, value| captures.push((name, value))).then_some(captures)
    }

    /// Whether every path that `other` matches is matched by this pattern.
    pub fn covers(&self, other: &Self) -> bool {
        self.shape().covers(&other.shape())
    }

    /// Whether a path exists that both patterns match.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.shape().overlaps(&other.shape())
    }

    /// The pattern as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts in order; `/` has none.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the pattern has neither names nor `*`, and so matches one path.
    pub fn is_exact(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// The set of paths the pattern matches, without names.
    pub(crate) fn shape(&self) -> Shape<'_> {
        let mut shape = Shape { segments: Vec::with_capacity(self.segments.len()), open: false };
        for segment in self.segments.iter() {
            match segment {
                Segment::Literal(text) => shape.segments.push(Some(text)),
                Segment::Param(_) => shape.segments.push(None),
                Segment::Rest => shape.open = true,
            }
        }
        shape
    }

    fn walk<'a>(
        &'a self,
        path: &'a ConnectPath,
        mut capture: impl FnMut(&'a str, &'a str),
    ) -> bool {
        let mut remaining = path.below_root();
        for segment in self.segments.iter() {
            if *segment == Segment::Rest {
                capture("*", remaining.unwrap_or_default());
                return true;
            }
            let Some(below) = remaining else { return false };
            let (value, tail) = match below.split_once('/') {
                Some((value, tail)) => (value, Some(tail)),
                None => (below, None),
            };
            match segment {
                Segment::Literal(text) if **text != *value => return false,
                Segment::Param(name) => capture(name, value),
                Segment::Literal(_) | Segment::Rest => {}
            }
            remaining = tail;
        }
        remaining.is_none()
    }
}

/// The pattern that matches just this path.
impl From<&ConnectPath> for PathPattern {
    fn from(path: &ConnectPath) -> Self {
        Self {
            text: path.as_str().into(),
            segments: path.segments().map(|segment| Segment::Literal(segment.into())).collect(),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// A text that is not a path pattern, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path pattern {pattern:?}: {fault}")]
pub struct PatternError {
    /// The pattern, or the beginning of a long one.
    pub pattern: Box<str>,
    /// The rule it breaks.
    pub fault: PatternFault,
}

/// The rule that a pattern breaks; segments count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not start with `/`.
    #[error("it must start with `/`")]
    NoLeadingSlash,
    /// Longer than [`MAX_PATH_BYTES`].
    #[error("it has {bytes} bytes; at most {MAX_PATH_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More segments than [`MAX_PATH_SEGMENTS`].
    #[error("it has more than {MAX_PATH_SEGMENTS} segments")]
    TooManySegments,
    /// A literal segment no path can have.
    #[error("segment {number} {fault}")]
    Literal {
        /// Which segment.
        number: usize,
        /// The rule of paths it breaks.
        fault: SegmentFault,
    },
    /// `*`, `{` or `}` inside a longer segment.
    #[error(
        "segment {number} mixes text with `{found}`; a name in braces or `*` is a whole \
         segment, as in `/rooms/{{room}}/*`"
    )]
    Partial {
        /// Which segment.
        number: usize,
        /// The character.
        found: char,
    },
    /// A name that is not `[a-zA-Z_][a-zA-Z0-9_-]*`.
    #[error(
        "segment {number} has a bad name; use a letter or `_`, then letters, digits, `_` or `-`"
    )]
    BadName {
        /// Which segment.
        number: usize,
    },
    /// Two segments have the same name.
    #[error("segment {number} repeats a name; give each its own")]
    RepeatedName {
        /// The second of the two.
        number: usize,
    },
    /// Something follows `*`.
    #[error(
        "segment {number} is `*`, which must be the last; use a name in braces for one segment"
    )]
    RestNotLast {
        /// Which segment.
        number: usize,
    },
}

fn parse_segment(number: usize, text: &str) -> Result<Segment, PatternFault> {
    if text == "*" {
        return Ok(Segment::Rest);
    }
    if let Some(name) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        let mut chars = name.chars();
        let named = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        return match named {
            true => Ok(Segment::Param(name.into())),
            false => Err(PatternFault::BadName { number }),
        };
    }
    if let Some(found) = segment::reserved(text) {
        return Err(PatternFault::Partial { number, found });
    }
    segment::check(text).map_err(|fault| PatternFault::Literal { number, fault })?;
    Ok(Segment::Literal(text.into()))
}

/// The text, or the first 80 characters of a longer one.
fn excerpt(text: &str) -> Box<str> {
    match text.char_indices().nth(80) {
        Some((end, _)) => text.get(..end).map(|start| format!("{start}...")),
        None => None,
    }
    .unwrap_or_else(|| text.to_owned())
    .into()
}

#[cfg(test)]
mod tests;
