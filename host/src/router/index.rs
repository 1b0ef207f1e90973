//! The index over the matchers of one set of routes.
//!
//! Invariant: a message is read as JSON at most once, and only if a matcher that may still match
//! needs it. Once the scratch memory has grown to the largest index, nothing is allocated but to
//! decode escapes in what is compared, and for arrays and objects nested deeper than 64.

use std::collections::HashMap;
use std::sync::Arc;

use super::Content;
use super::key::{Check, Key, Plan, plan};
use super::matcher::{Kind, MAX_REGEX_TEXT_BYTES, Matcher, Test};
use super::pass::{Findings, PointerTree};
use super::prefix::PrefixTable;

/// Positions of matchers in dispatch order, ascending.
type Bucket = Vec<usize>;

/// Finds the matchers that a message satisfies. They are known by their position.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    /// Matchers that every message may satisfy.
    unkeyed: Bucket,
    texts: HashMap<Box<str>, Bucket>,
    longest_text: usize,
    text_prefixes: PrefixTable<Bucket>,
    binary_prefixes: PrefixTable<Bucket>,
    roles: HashMap<Box<str>, Bucket>,
    pointers: PointerTree,
    /// By node of `pointers`.
    parts_present: Vec<Bucket>,
    /// By node of `pointers`, then by value.
    parts_equal: Vec<Vec<Bucket>>,
    json: JsonNeed,
}

#[derive(Debug)]
struct Entry {
    matcher: Arc<Matcher>,
    checks: Vec<Check>,
}

/// For whose messages the matchers that are found by JSON alone need a pass.
#[derive(Debug, Default)]
enum JsonNeed {
    #[default]
    Nobody,
    /// Clients with one of these roles: each of the matchers asks for one.
    Roles(Vec<Box<str>>),
    Everybody,
}

/// Memory that searches reuse.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    candidates: Vec<usize>,
    findings: Findings,
}

impl Index {
    /// Over matchers in dispatch order.
    pub(super) fn new(matchers: &[Arc<Matcher>]) -> Self {
        let mut index = Self::default();
        let mut text_prefixes: HashMap<&[u8], Bucket> = HashMap::new();
        let mut binary_prefixes: HashMap<&[u8], Bucket> = HashMap::new();
        let plans = plan(matchers.iter().map(|matcher| &**matcher), &mut index.pointers);
        for (position, (matcher, Plan { keys, checks })) in matchers.iter().zip(plans).enumerate() {
            if keys.is_empty() {
                index.unkeyed.push(position);
            }
            for key in keys {
                match key {
                    Key::TextEquals(text) => {
                        index.longest_text = index.longest_text.max(text.len());
                        index.texts.entry(text.into()).or_default().push(position);
                    }
                    Key::TextPrefix(text) => text_prefixes.entry(text).or_default().push(position),
                    Key::BinaryPrefix(b) => binary_prefixes.entry(b).or_default().push(position),
                    Key::Role(role) => index.roles.entry(role.into()).or_default().push(position),
                    Key::JsonExists(node) => {
                        at(&mut index.parts_present, node.0, |bucket| bucket.push(position));
                        index.json.extend(matcher.roles());
                    }
                    Key::JsonValue(node, value) => {
                        at(&mut index.parts_equal, node.0, |values| {
                            at(values, value.0, |bucket| bucket.push(position));
                        });
                        index.json.extend(matcher.roles());
                    }
                }
            }
            index.entries.push(Entry { matcher: Arc::clone(matcher), checks });
        }
        index.text_prefixes = text_prefixes.into_iter().map(|(p, b)| (p.into(), b)).collect();
        index.binary_prefixes = binary_prefixes.into_iter().map(|(p, b)| (p.into(), b)).collect();
        index
    }

    /// Calls `found` with each matcher that holds, in dispatch order.
    pub(super) fn find<R: AsRef<str>>(
        &self,
        roles: &[R],
        content: Content<'_>,
        scratch: &mut Scratch,
        mut found: impl FnMut(usize),
    ) {
        let Scratch { candidates, findings } = scratch;
        let mut message = Message { content, pointers: &self.pointers, findings, read: false };
        candidates.clear();
        self.collect(roles, &mut message, candidates);
        if candidates.len() > 1 {
            candidates.sort_unstable();
            candidates.dedup();
        }
        for position in candidates {
            let holds = |entry: &Entry| entry.holds(roles, &mut message);
            if self.entries.get(*position).is_some_and(holds) {
                found(*position);
            }
        }
    }

    /// Every matcher that may hold, in any order and perhaps repeated.
    fn collect<R: AsRef<str>>(
        &self,
        roles: &[R],
        message: &mut Message<'_>,
        candidates: &mut Vec<usize>,
    ) {
        candidates.extend_from_slice(&self.unkeyed);
        if !self.roles.is_empty() {
            for role in roles {
                candidates.extend(self.roles.get(role.as_ref()).into_iter().flatten());
            }
        }
        match message.content {
            Content::Binary(bytes) => {
                candidates.extend(self.binary_prefixes.find(bytes).flatten());
            }
            Content::Text(text) => {
                if !self.texts.is_empty() && text.len() <= self.longest_text {
                    candidates.extend(self.texts.get(text).into_iter().flatten());
                }
                candidates.extend(self.text_prefixes.find(text.as_bytes()).flatten());
                if self.json.of(roles) {
                    self.collect_parts(message.json(), candidates);
                }
            }
        }
    }

    fn collect_parts(&self, findings: &Findings, candidates: &mut Vec<usize>) {
        for node in findings.parts() {
            candidates.extend(self.parts_present.get(node.0).into_iter().flatten());
            if let Some(value) = findings.value(node) {
                let equal = self.parts_equal.get(node.0).and_then(|values| values.get(value.0));
                candidates.extend(equal.into_iter().flatten());
            }
        }
    }
}

impl Entry {
    fn holds<R: AsRef<str>>(&self, roles: &[R], message: &mut Message<'_>) -> bool {
        let matcher = &*self.matcher;
        let kind_fits = matcher.kind().is_none_or(|kind| kind == message.content.kind());
        kind_fits
            && (matcher.roles().is_empty() || has_any(roles, matcher.roles()))
            && self.checks.iter().all(|check| match check {
                Check::Test(at) => {
                    matcher.tests().get(*at).is_some_and(|test| message.passes(test))
                }
                Check::JsonExists(node) => message.json().exists(*node),
                Check::JsonOneOf(node, values) => {
                    message.json().value(*node).is_some_and(|v| values.binary_search(&v).is_ok())
                }
            })
    }
}

/// A message while matchers look at it.
struct Message<'m> {
    content: Content<'m>,
    pointers: &'m PointerTree,
    findings: &'m mut Findings,
    /// Whether `findings` are of this message.
    read: bool,
}

impl Message<'_> {
    fn json(&mut self) -> &Findings {
        if !self.read {
            self.read = true;
            // Without findings, what an earlier message had is forgotten too.
            self.pointers.read(self.content.text().unwrap_or_default(), self.findings);
        }
        self.findings
    }

    fn passes(&self, test: &Test) -> bool {
        match (test, self.content) {
            (Test::Kind, _) => true,
            (Test::TextEquals(expected), Content::Text(text)) => **expected == *text,
            (Test::TextPrefix(prefix), Content::Text(text)) => text.starts_with(&**prefix),
            (Test::TextContains(part), Content::Text(text)) => text.contains(&**part),
            (Test::TextRegex(regex), Content::Text(text)) => {
                text.len() <= MAX_REGEX_TEXT_BYTES && regex.is_match(text)
            }
            (Test::BinaryPrefix(prefix), Content::Binary(bytes)) => bytes.starts_with(prefix),
            // The kind does not fit, or the test is of JSON and never left to this.
            _ => false,
        }
    }
}

impl JsonNeed {
    /// Adds a matcher that is found by JSON and asks for these roles.
    fn extend(&mut self, roles: &[String]) {
        if roles.is_empty() {
            *self = Self::Everybody;
            return;
        }
        let mut known = match std::mem::take(self) {
            Self::Everybody => return *self = Self::Everybody,
            Self::Roles(known) => known,
            Self::Nobody => Vec::new(),
        };
        for role in roles {
            if let Err(at) = known.binary_search_by(|other| (**other).cmp(role)) {
                known.insert(at, role.as_str().into());
            }
        }
        *self = Self::Roles(known);
    }

    fn of<R: AsRef<str>>(&self, roles: &[R]) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Roles(known) => roles
                .iter()
                .any(|role| known.binary_search_by(|other| (**other).cmp(role.as_ref())).is_ok()),
        }
    }
}

fn has_any<R: AsRef<str>>(roles: &[R], wanted: &[String]) -> bool {
    roles.iter().any(|role| wanted.iter().any(|wanted| wanted == role.as_ref()))
}

/// Changes the element at `position`; the list grows to have it.
fn at<E: Default>(list: &mut Vec<E>, position: usize, change: impl FnOnce(&mut E)) {
    if list.len() <= position {
        list.resize_with(position + 1, E::default);
    }
    list.get_mut(position).map(change);
}

impl Content<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
