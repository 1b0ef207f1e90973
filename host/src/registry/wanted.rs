//! Which paths a query is after: what its pattern and the grants of the asking module have in
//! common, followed down the tree one segment at a time.
//!
//! Invariant: who follows it comes to each path at most once, however many patterns match it.

use std::collections::BTreeSet;

use crate::path::{PathPattern, PathSet, Shape};

/// What is wanted here and below a node of the tree.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    Everything,
    Only(Vec<Tail<'a>>),
}

/// What is left of a shape on the way down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail<'a> {
    segments: &'a [Option<&'a str>],
    open: bool,
}

/// The shapes of the paths that both match; without a pattern, of all in the set.
pub(super) fn shapes<'a>(pattern: Option<&'a PathPattern>, scope: &'a PathSet) -> Vec<Shape<'a>> {
    let grants = scope.iter().map(PathPattern::shape);
    match pattern.map(PathPattern::shape) {
        Some(pattern) => grants.filter_map(|grant| grant.meet(&pattern)).collect(),
        None => grants.collect(),
    }
}

impl<'a> Wanted<'a> {
    /// The paths of these shapes, seen from the root.
    pub(super) fn of(shapes: &'a [Shape<'a>]) -> Self {
        let tail = |shape: &'a Shape<'a>| Tail { segments: &shape.segments, open: shape.open };
        Self::only(shapes.iter().map(tail).collect())
    }

    /// Whether all paths here and below are wanted.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// Whether the path that ends here is wanted.
    pub(super) fn is_here(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(tails) => tails.iter().any(|tail| tail.segments.is_empty()),
        }
    }

    /// The next segments of what is wanted below; none if any will do.
    pub(super) fn names(&self) -> Option<BTreeSet<&'a str>> {
        match self {
            Self::Everything => None,
            Self::Only(tails) => {
                tails.iter().filter_map(|tail| tail.segments.first().copied()).collect()
            }
        }
    }

    /// What is wanted below a segment.
    pub(super) fn below(&self, name: &str) -> Self {
        let Self::Only(tails) = self else { return Self::Everything };
        let follow = |tail: &Tail<'a>| {
            let (first, segments) = tail.segments.split_first()?;
            first.is_none_or(|text| text == name).then_some(Tail { segments, ..*tail })
        };
        Self::only(tails.iter().filter_map(follow).collect())
    }

    fn only(tails: Vec<Tail<'a>>) -> Self {
        match tails.iter().any(|tail| tail.open && tail.segments.is_empty()) {
            true => Self::Everything,
            false => Self::Only(tails),
        }
    }
}
