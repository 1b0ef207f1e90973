//! Sessions by connect path: a tree of path segments in which each node knows how many sessions
//! are below it. A query touches only the branches that its pattern can match.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::path::{PathPattern, PathSet, Segment};
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

/// What a walk still needs: found so far, how many at most, and which paths are visible.
struct Search<'a> {
    scope: &'a PathSet,
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

    /// Number of sessions on the paths of `scope`.
    pub(super) fn count(&self, scope: &PathSet) -> usize {
        match disjoint(scope) {
            Some(patterns) => patterns.iter().map(|p| self.root.count(p.segments())).sum(),
            None => self.root.count_visible(scope),
        }
    }

    /// At most `limit` sessions that `pattern` and `scope` match, after `from`.
    pub(super) fn find(
        &self,
        pattern: &PathPattern,
        scope: &PathSet,
        from: Option<(&str, u64)>,
        limit: usize,
    ) -> Vec<Arc<Session>> {
        let mut search = Search { scope, limit, found: Vec::new() };
        let segments: Vec<&str> = from
            .map(|(path, _)| path.split('/').filter(|segment| !segment.is_empty()).collect())
            .unwrap_or_default();
        let resume = from.map(|(_, order)| Resume { segments: &segments, order });
        self.root.find(pattern.segments(), resume, &mut search);
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

    fn count(&self, pattern: &[Segment]) -> usize {
        match pattern.split_first() {
            None => self.here.len(),
            Some((Segment::Rest, _)) => self.total,
            Some((Segment::Literal(name), rest)) => {
                self.children.get(&**name).map_or(0, |child| child.count(rest))
            }
            Some((Segment::Param(_), rest)) => {
                self.children.values().map(|child| child.count(rest)).sum()
            }
        }
    }

    fn count_visible(&self, scope: &PathSet) -> usize {
        let visible = |session: &Arc<Session>| scope.contains(session.path());
        let here = match self.here.values().next().map(visible) {
            Some(true) => self.here.len(),
            _ => 0,
        };
        here + self.children.values().map(|child| child.count_visible(scope)).sum::<usize>()
    }

    fn find(&self, pattern: &[Segment], resume: Option<Resume<'_>>, search: &mut Search<'_>) {
        let head = pattern.split_first();
        if matches!(head, None | Some((Segment::Rest, _))) {
            self.find_here(resume, search);
        }
        match head {
            None => {}
            Some((Segment::Literal(name), rest)) => {
                let Some(child) = self.children.get(&**name) else { return };
                match resume.and_then(|resume| resume.below(name)) {
                    Some(Step::Passed) => {}
                    Some(Step::Within(resume)) => child.find(rest, Some(resume), search),
                    None => child.find(rest, None, search),
                }
            }
            Some((Segment::Param(_), rest)) => self.find_in_children(rest, resume, search),
            Some((Segment::Rest, _)) => self.find_in_children(pattern, resume, search),
        }
    }

    fn find_in_children(
        &self,
        pattern: &[Segment],
        resume: Option<Resume<'_>>,
        search: &mut Search<'_>,
    ) {
        let start = match resume.and_then(|resume| resume.segments.first()) {
            Some(first) => Bound::Included(*first),
            None => Bound::Unbounded,
        };
        for (name, child) in self.children.range::<str, _>((start, Bound::Unbounded)) {
            if search.is_full() {
                return;
            }
            let within = match resume.and_then(|resume| resume.below(name)) {
                Some(Step::Within(resume)) => Some(resume),
                Some(Step::Passed) | None => None,
            };
            child.find(pattern, within, search);
        }
    }

    fn find_here(&self, resume: Option<Resume<'_>>, search: &mut Search<'_>) {
        let after = match resume {
            // The cursor is further down: everything here came before it.
            Some(resume) if !resume.segments.is_empty() => return,
            Some(resume) => Bound::Excluded(resume.order),
            None => Bound::Unbounded,
        };
        let mut sessions = self.here.range((after, Bound::Unbounded)).map(|(_, s)| s).peekable();
        if sessions.peek().is_some_and(|session| search.scope.contains(session.path())) {
            let room = search.limit.saturating_sub(search.found.len());
            search.found.extend(sessions.take(room).cloned());
        }
    }
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }
}

/// Where a child lies relative to the cursor, when it is not wholly after it.
enum Step<'a> {
    /// Wholly before the cursor.
    Passed,
    /// The cursor lies in it.
    Within(Resume<'a>),
}

impl<'a> Resume<'a> {
    /// None when the child lies wholly after the cursor.
    fn below(self, name: &str) -> Option<Step<'a>> {
        let (first, rest) = self.segments.split_first()?;
        match name.cmp(first) {
            std::cmp::Ordering::Less => Some(Step::Passed),
            std::cmp::Ordering::Equal => Some(Step::Within(Self { segments: rest, ..self })),
            std::cmp::Ordering::Greater => None,
        }
    }
}

/// The patterns of a set if no two of them overlap: then their counts add up.
fn disjoint(scope: &PathSet) -> Option<Vec<&PathPattern>> {
    let mut kept: Vec<&PathPattern> = Vec::new();
    for pattern in scope.iter() {
        if kept.iter().any(|other| other.covers(pattern)) {
            continue;
        }
        kept.retain(|other| !pattern.covers(other));
        if kept.iter().any(|other| other.overlaps(pattern)) {
            return None;
        }
        kept.push(pattern);
    }
    Some(kept)
}
