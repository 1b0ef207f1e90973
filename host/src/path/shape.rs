//! What a pattern selects, without the names: a sequence of fixed or free segments, and whether
//! more may follow.
//!
//! Invariant: the paths two patterns have in common are themselves one shape, or none. Limits
//! on length are ignored: a shape may allow paths that are too long to exist.

/// The set of paths a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape<'a> {
    /// One entry per segment: its text, or `None` where any segment will do.
    pub(crate) segments: Vec<Option<&'a str>>,
    /// Whether any number of further segments may follow.
    pub(crate) open: bool,
}

impl<'a> Shape<'a> {
    /// The paths in both shapes.
    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        let (long, short) = match self.segments.len() >= other.segments.len() {
            true => (self, other),
            false => (other, self),
        };
        if long.segments.len() > short.segments.len() && !short.open {
            return None;
        }
        let mut segments = Vec::with_capacity(long.segments.len());
        let mut constraints = short.segments.iter();
        for segment in &long.segments {
            segments.push(match (*segment, constraints.next().copied().flatten()) {
                (Some(a), Some(b)) if a != b => return None,
                (Some(text), _) | (None, Some(text)) => Some(text),
                (None, None) => None,
            });
        }
        // Here either the lengths are equal, or the short one is open.
        Some(Self { segments, open: long.open && short.open })
    }

    /// Whether every path of `other` is one of this shape.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.meet(other).is_some_and(|meet| meet == *other)
    }

    /// Whether a path is in both shapes.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.meet(other).is_some()
    }
}
