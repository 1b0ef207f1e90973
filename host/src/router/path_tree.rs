//! Which of many path patterns match a path.
//!
//! Invariant: a search looks only at nodes that the path's segments lead to, so its cost grows
//! with the patterns that match, not with those that exist.

use std::collections::HashMap;

use crate::path::{ConnectPath, PathPattern, PathSet, Shape};

/// Patterns as a tree of their segments. What they belong to is known by its position.
#[derive(Debug)]
pub(super) struct PathTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// By the text of the next segment.
    literals: HashMap<Box<str>, usize>,
    /// For any next segment.
    any: Option<usize>,
    /// What matches the paths that end here.
    here: Vec<usize>,
    /// What matches all paths that come through here or end here.
    rest: Vec<usize>,
}

impl Default for PathTree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl PathTree {
    /// Adds what belongs to `position`: the paths that are granted and, if there is a pattern,
    /// match it.
    pub(super) fn insert(
        &mut self,
        grants: &PathSet,
        pattern: Option<&PathPattern>,
        position: usize,
    ) {
        for grant in grants.iter() {
            let shape = match pattern {
                Some(pattern) => grant.shape().meet(&pattern.shape()),
                None => Some(grant.shape()),
            };
            if let Some(shape) = shape {
                self.insert_shape(&shape, position);
            }
        }
    }

    /// The positions whose paths include this one, ascending.
    pub(super) fn find(&self, path: &ConnectPath) -> Vec<usize> {
        let mut found = Vec::new();
        // Every node is reached in one way only: no more steps than nodes.
        let mut level: Vec<&Node> = self.nodes.first().into_iter().collect();
        for segment in path.segments() {
            found.extend(level.iter().flat_map(|node| &node.rest));
            let next = level.iter().flat_map(|node| {
                let literal = node.literals.get(segment).copied();
                [literal, node.any].into_iter().flatten()
            });
            level = next.filter_map(|at| self.nodes.get(at)).collect();
            if level.is_empty() {
                break;
            }
        }
        found.extend(level.iter().flat_map(|node| node.rest.iter().chain(&node.here)));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn insert_shape(&mut self, shape: &Shape<'_>, position: usize) {
        let mut at = 0;
        for segment in &shape.segments {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = match segment {
                Some(text) => *node.literals.entry((*text).into()).or_insert(next),
                None => *node.any.get_or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            if shape.open { &mut node.rest } else { &mut node.here }.push(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patterns() -> impl Strategy<Value = String> {
        prop_oneof![
            "(/(a|b|\\{p\\})){0,1}(/(a|b|\\{q\\})){0,1}(/(a|b|\\{r\\})){0,1}/[*]",
            "(/(a|b|\\{p\\})){0,1}(/(a|b|\\{q\\})){0,1}(/(a|b|\\{r\\})){0,1}/",
        ]
    }

    fn parse(text: &str) -> PathPattern {
        PathPattern::parse(text).unwrap()
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_every_pattern_finds(
            entries in prop::collection::vec(
                (prop::collection::vec(patterns(), 0..3), prop::option::of(patterns())), 0..8),
            path in "(/[abc]){0,4}/",
        ) {
            let path = ConnectPath::parse(&path).unwrap();
            let mut tree = PathTree::default();
            let mut expected = Vec::new();
            for (position, (grants, pattern)) in entries.iter().enumerate() {
                let grants: PathSet = grants.iter().map(|text| parse(text)).collect();
                let pattern = pattern.as_deref().map(parse);
                tree.insert(&grants, pattern.as_ref(), position);
                if grants.contains(&path) && pattern.is_none_or(|pattern| pattern.matches(&path)) {
                    expected.push(position);
                }
            }
            prop_assert_eq!(tree.find(&path), expected);
        }
    }
}
