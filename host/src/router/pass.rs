//! One pass over a JSON message that answers all pointers of a set of matchers together.
//!
//! Invariant: each part of the message is read once, however many pointers lead into it, and the
//! recursion is bounded by the length of the pointers, never by the message.

use std::collections::HashMap;

use super::value::{JsonValue, MAX_VALUE_BYTES, ValueId, ValueTable};
use crate::json::{NotJson, Pointer, RawKey, Scanner, array_position};

/// The pointers of a set of matchers, as a tree of their tokens.
#[derive(Debug)]
pub(super) struct PointerTree {
    nodes: Vec<Node>,
}

/// A pointer of the tree, or the beginning of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) usize);

const ROOT: NodeId = NodeId(0);

#[derive(Debug, Default)]
struct Node {
    parent: Option<NodeId>,
    /// Whether a pointer ends here.
    wanted: bool,
    values: ValueTable,
    members: Members,
    /// Array positions below here, ascending.
    items: Vec<(usize, NodeId)>,
}

/// What one pass found. To be reused: it grows to the largest tree and then allocates no more.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Counts entries of nodes over all passes, so that nothing needs to be reset.
    clock: u64,
    /// The clock when the last pass began.
    began: u64,
    /// By node.
    visits: Vec<Visit>,
    /// The nodes entered in the last pass, each after its parent.
    entered: Vec<NodeId>,
    buffer: String,
}

/// The last time a pass came to a node.
#[derive(Debug, Clone, Copy, Default)]
struct Visit {
    entered_at: u64,
    start: usize,
    end: usize,
    value: Option<ValueId>,
}

impl Default for PointerTree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl PointerTree {
    /// Adds a pointer, or finds it.
    pub(super) fn insert(&mut self, pointer: &Pointer) -> NodeId {
        let mut node = ROOT;
        for token in pointer.tokens() {
            node = self.child(node, token);
        }
        if let Some(end) = self.nodes.get_mut(node.0) {
            end.wanted = true;
        }
        node
    }

    /// Adds a value that matchers compare this part with, or finds it.
    pub(super) fn insert_value(&mut self, node: NodeId, value: &JsonValue) -> Option<ValueId> {
        self.nodes.get_mut(node.0).map(|node| node.values.insert(value))
    }

    fn child(&mut self, parent: NodeId, token: &str) -> NodeId {
        let next = NodeId(self.nodes.len());
        let Some(node) = self.nodes.get_mut(parent.0) else { return parent };
        if let Some(child) = node.members.get(token.as_bytes()) {
            return child;
        }
        node.members.insert(token.as_bytes(), next);
        if let Some(position) = array_position(token) {
            let at = node.items.partition_point(|(other, _)| *other < position);
            node.items.insert(at, (position, next));
        }
        self.nodes.push(Node { parent: Some(parent), ..Node::default() });
        next
    }

    /// Reads a message. Returns whether it may hold any wanted part; otherwise, and also if it is
    /// not JSON, nothing is found.
    pub(super) fn read(&self, text: &str, findings: &mut Findings) -> bool {
        findings.begin(self.nodes.len());
        let mut scanner = Scanner::new(text);
        let Some(root) = self.nodes.first() else { return false };
        // Without such a start there are no parts: no need to find out whether it is JSON.
        let parts = match scanner.peek() {
            Some(b'{') => !root.members.is_empty(),
            Some(b'[') => !root.items.is_empty(),
            _ => false,
        };
        if !parts && !root.wanted {
            return false;
        }
        let read = self.value(ROOT, &mut scanner, findings).and_then(|()| scanner.end());
        match read {
            Ok(()) => self.resolve(text, findings),
            Err(NotJson) => findings.begin(0),
        }
        read.is_ok()
    }

    fn value(
        &self,
        id: NodeId,
        scanner: &mut Scanner,
        found: &mut Findings,
    ) -> Result<(), NotJson> {
        let Some(node) = self.nodes.get(id.0) else { return Err(NotJson) };
        let next = scanner.peek();
        let start = scanner.at();
        found.enter(id);
        match next {
            Some(b'{') if !node.members.is_empty() => self.object(node, scanner, found)?,
            Some(b'[') if !node.items.is_empty() => self.array(node, scanner, found)?,
            _ => scanner.value()?,
        }
        if let Some(visit) = found.visits.get_mut(id.0) {
            (visit.start, visit.end) = (start, scanner.at());
        }
        Ok(())
    }

    fn object(
        &self,
        node: &Node,
        scanner: &mut Scanner,
        found: &mut Findings,
    ) -> Result<(), NotJson> {
        scanner.eat(b'{');
        let mut more = !scanner.eat(b'}');
        while more {
            match node.members.find(scanner.key()?) {
                Some(member) => self.value(member, scanner, found)?,
                None => scanner.value()?,
            }
            more = scanner.more(b'}')?;
        }
        Ok(())
    }

    fn array(
        &self,
        node: &Node,
        scanner: &mut Scanner,
        found: &mut Findings,
    ) -> Result<(), NotJson> {
        scanner.eat(b'[');
        let mut more = !scanner.eat(b']');
        let mut wanted = node.items.iter().copied().peekable();
        let mut position = 0;
        while more {
            match wanted.next_if(|(item, _)| *item == position) {
                Some((_, item)) => self.value(item, scanner, found)?,
                None => scanner.value()?,
            }
            position += 1;
            more = scanner.more(b']')?;
        }
        Ok(())
    }

    /// Forgets what a later member of the same key has replaced, and looks up the values.
    fn resolve(&self, text: &str, found: &mut Findings) {
        let Findings { began, visits, entered, buffer, .. } = found;
        entered.retain(|id| {
            let Some(node) = self.nodes.get(id.0) else { return false };
            // Replaced, if the parent was replaced or was entered again since.
            let parent = node.parent.and_then(|parent| visits.get(parent.0));
            let parent_entered_at = parent.map(|visit| visit.entered_at);
            let Some(visit) = visits.get_mut(id.0) else { return false };
            if parent_entered_at.is_some_and(|at| at <= *began || visit.entered_at < at) {
                visit.entered_at = 0;
                return false;
            }
            visit.value = match node.values.is_empty() {
                true => None,
                false => {
                    text.get(visit.start..visit.end).and_then(|raw| node.values.find(raw, buffer))
                }
            };
            node.wanted
        });
        buffer.shrink_to(2 * MAX_VALUE_BYTES);
    }
}

impl Findings {
    /// The pointers that lead to a part of the message.
    pub(super) fn parts(&self) -> impl Iterator<Item = NodeId> {
        self.entered.iter().copied()
    }

    /// Whether the pointer leads to a part of the message.
    pub(super) fn exists(&self, node: NodeId) -> bool {
        self.visit(node).is_some()
    }

    /// Which of the compared values the pointer leads to.
    pub(super) fn value(&self, node: NodeId) -> Option<ValueId> {
        self.visit(node)?.value
    }

    fn visit(&self, node: NodeId) -> Option<&Visit> {
        self.visits.get(node.0).filter(|visit| visit.entered_at > self.began)
    }

    /// How many nodes all passes together have entered.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.clock
    }

    /// Forgets the last pass.
    fn begin(&mut self, nodes: usize) {
        self.entered.clear();
        self.began = self.clock;
        if self.visits.len() < nodes {
            self.visits.resize(nodes, Visit::default());
        }
    }

    fn enter(&mut self, node: NodeId) {
        self.clock += 1;
        let Some(visit) = self.visits.get_mut(node.0) else { return };
        if visit.entered_at <= self.began {
            self.entered.push(node);
        }
        visit.entered_at = self.clock;
    }
}

/// Object keys, and the nodes they lead to.
#[derive(Debug, Default)]
struct Members {
    few: Vec<(Box<[u8]>, NodeId)>,
    /// Used instead once there are more than [`Self::FEW`].
    many: HashMap<Box<[u8]>, NodeId>,
    longest: usize,
}

impl Members {
    /// Up to here, comparing with each is faster than hashing.
    const FEW: usize = 8;

    fn insert(&mut self, key: &[u8], node: NodeId) {
        self.longest = self.longest.max(key.len());
        if self.many.is_empty() && self.few.len() < Self::FEW {
            self.few.push((key.into(), node));
        } else {
            self.many.extend(self.few.drain(..));
            self.many.insert(key.into(), node);
        }
    }

    fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
    }

    #[inline]
    fn find(&self, key: RawKey<'_>) -> Option<NodeId> {
        // An escape of six bytes decodes to at least one.
        let longest = if key.escaped { self.longest * 6 } else { self.longest };
        if key.quoted.len() > longest + 2 {
            return None;
        }
        if key.escaped {
            return self.get(key.decode()?.as_bytes());
        }
        let (b'"', [key @ .., b'"']) = key.quoted.split_first()? else { return None };
        self.get(key)
    }

    fn get(&self, key: &[u8]) -> Option<NodeId> {
        if self.many.is_empty() {
            return self.few.iter().find(|(other, _)| **other == *key).map(|(_, node)| *node);
        }
        self.many.get(key).copied()
    }
}

#[cfg(test)]
mod tests;
