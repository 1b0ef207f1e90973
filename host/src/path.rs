//! Connect paths, the patterns that select them, and the sets a module is granted.
//!
//! Invariant: a path is decoded and checked once, in [`ConnectPath::parse`]. Nothing here or
//! above decodes, trims or compares raw request text again, and no character of a connect path
//! has a meaning in a pattern, so the text of a path used as a pattern selects just that path.

mod connect;
mod pattern;
mod segment;
mod set;
mod shape;

pub use connect::{ConnectPath, PathError};
pub use pattern::{PathPattern, PatternError, PatternFault, Segment};
pub use segment::SegmentFault;
pub use set::PathSet;
pub(crate) use shape::Shape;

/// Longest path or pattern, in bytes, before decoding.
pub const MAX_PATH_BYTES: usize = 1024;

/// Most segments a path or pattern may have.
pub const MAX_PATH_SEGMENTS: usize = 64;
