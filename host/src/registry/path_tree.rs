//! Sessions by connect path: a tree of path segments in which each node knows how many sessions
//! are below it.
//!
//! Invariant: a walk enters no branch that has no path of what is wanted, which is the pattern met
//! with the grants: clients where a module may not look cost it nothing. A `{name}` tries every
//! branch at its place, for the tree does not know what is further down.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::steps;
use super::wanted::Wanted;
use crate::session::Session;

/// The tree. Order of iteration: a path before those below it, siblings by name, sessions of one
/// path by admission.
#[derive(Debug, Default)]
pub(super) struct PathTree {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    here: BTreeMap<u64, Arc<Session>>,
    children: BTreeMap<Box<str>, Node>,
    /// Sessions here and below.
    total: usize,
}

/// What a walk still needs: found so far, and how many at most.
struct Search {
    limit: usize,
    found: Vec<Arc<Session>>,
}

/// Where a walk resumes below a node: the segments that lead to the cursor, and its admission.
#[derive(Clone, Copy)]
struct Resume<'a> {
    segments: &'a [&'a str],
    order: u64,
}

impl PathTree {
    pub(super) fn insert(&mut self, session: &Arc<Session>) {
        let mut node = &mut self.root;
        node.total += 1;
        for segment in session.path().segments() {
            node = node.children.entry(segment.into()).or_default();
            node.total += 1;
        }
        node.here.insert(session.order(), Arc::clone(session));
    }

    pub(super) fn remove(&mut self, session: &Session) {
        let segments: Vec<&str> = session.path().segments().collect();
        self.root.remove(&segments, session.order());
    }

    /// Number of sessions on the wanted paths.
    pub(super) fn count(&self, wanted: &Wanted<'_>) -> usize {
        self.root.count(wanted)
    }

    /// At most `limit` sessions on the wanted paths, after `from`.
    pub(super) fn find(
        &self,
        wanted: &Wanted<'_>,
        from: Option<(&str, u64)>,
        limit: usize,
    ) -> Vec<Arc<Session>> {
        let mut search = Search { limit, found: Vec::new() };
        let segments: Vec<&str> = from
            .map(|(path, _)| path.split('/').filter(|segment| !segment.is_empty()).collect())
            .unwrap_or_default();
        let resume = from.map(|(_, order)| Resume { segments: &segments, order });
        self.root.find(wanted, resume, &mut search);
        search.found
    }
}

impl Node {
    fn remove(&mut self, segments: &[&str], order: u64) -> bool {
        let removed = match segments.split_first() {
            None => self.here.remove(&order).is_some(),
            Some((first, rest)) => match self.children.get_mut(*first) {
                None => false,
                Some(child) => {
                    let removed = child.remove(rest, order);
                    if child.total == 0 {
                        self.children.remove(*first);
                    }
                    removed
                }
            },
        };
        self.total -= usize::from(removed);
        removed
    }

    fn count(&self, wanted: &Wanted<'_>) -> usize {
        steps::take(1);
        if wanted.is_everything() {
            return self.total;
        }
        let here = if wanted.is_here() { self.here.len() } else { 0 };
        let below: usize = match wanted.names() {
            Some(names) => {
                let children = names.into_iter().filter_map(|name| self.child(name));
                children.map(|(name, child)| child.count(&wanted.below(name))).sum()
            }
            None => {
                let children = self.children.iter();
                children.map(|(name, child)| child.count(&wanted.below(name))).sum()
            }
        };
        here + below
    }

    fn find(&self, wanted: &Wanted<'_>, resume: Option<Resume<'_>>, search: &mut Search) {
        steps::take(1);
        if wanted.is_here() {
            self.find_here(resume, search);
        }
        let start = match resume.and_then(|resume| resume.segments.first()) {
            Some(first) => Bound::Included(*first),
            None => Bound::Unbounded,
        };
        match wanted.names() {
            Some(names) => {
                let range = names.range::<str, _>((start, Bound::Unbounded));
                let children = range.filter_map(|name| self.child(name));
                find_in(children, wanted, resume, search);
            }
            None => {
                let children = self.children.range::<str, _>((start, Bound::Unbounded));
                find_in(children.map(|(name, child)| (&**name, child)), wanted, resume, search);
            }
        }
    }

    fn child(&self, name: &str) -> Option<(&str, &Self)> {
        self.children.get_key_value(name).map(|(name, child)| (&**name, child))
    }

    fn find_here(&self, resume: Option<Resume<'_>>, search: &mut Search) {
        let after = match resume {
            // The cursor is further down: everything here came before it.
            Some(resume) if !resume.segments.is_empty() => return,
            Some(resume) => Bound::Excluded(resume.order),
            None => Bound::Unbounded,
        };
        let room = search.limit.saturating_sub(search.found.len());
        let sessions = self.here.range((after, Bound::Unbounded)).take(room);
        search.found.extend(sessions.map(|(_, session)| Arc::clone(session)));
    }
}

/// Goes on in the children of a node, none of which is wholly before the cursor.
fn find_in<'a>(
    children: impl Iterator<Item = (&'a str, &'a Node)>,
    wanted: &Wanted<'_>,
    resume: Option<Resume<'_>>,
    search: &mut Search,
) {
    for (name, child) in children {
        if search.found.len() >= search.limit {
            return;
        }
        child.find(&wanted.below(name), resume.and_then(|resume| resume.below(name)), search);
    }
}

impl Resume<'_> {
    /// None where everything is after the cursor.
    fn below(self, name: &str) -> Option<Self> {
        let (first, rest) = self.segments.split_first()?;
        (*first == name).then_some(Self { segments: rest, ..self })
    }
}
