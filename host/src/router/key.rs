//! What a matcher is found by.
//!
//! Invariant: a message that satisfies a matcher has at least one of the matcher's keys. Which
//! of its tests gives them is chosen so that few matchers share a key.

use std::collections::HashMap;

use super::matcher::{Matcher, Test};
use super::pass::{NodeId, PointerTree};
use super::value::ValueId;

/// Something that can be looked up in a message. The cheaper ones to look up come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key<'m> {
    TextEquals(&'m str),
    TextPrefix(&'m [u8]),
    BinaryPrefix(&'m [u8]),
    Role(&'m str),
    JsonValue(NodeId, ValueId),
    JsonExists(NodeId),
}

/// How a matcher is found, and what is left to check then.
#[derive(Debug)]
pub(super) struct Plan<'m> {
    /// Any of these leads to the matcher. If empty, every message does.
    pub(super) keys: Vec<Key<'m>>,
    /// What the keys do not already prove, the cheaper ones first.
    pub(super) checks: Vec<Check>,
}

/// A test that is left for candidates.
#[derive(Debug)]
pub(super) enum Check {
    /// By position in the matcher.
    Test(usize),
    JsonExists(NodeId),
    JsonOneOf(NodeId, Vec<ValueId>),
}

/// Plans for all matchers together; puts their pointers and values into the tree.
pub(super) fn plan<'m>(
    matchers: impl Iterator<Item = &'m Matcher>,
    pointers: &mut PointerTree,
) -> Vec<Plan<'m>> {
    let choices: Vec<Choices> = matchers.map(|m| Choices::of(m, pointers)).collect();
    let mut sharing = HashMap::new();
    for key in choices.iter().flat_map(|choices| choices.keys.iter().flat_map(|(_, keys)| keys)) {
        *sharing.entry(key.clone()).or_insert(0_usize) += 1;
    }
    choices.into_iter().map(|choices| choices.choose(&sharing)).collect()
}

/// The ways to find one matcher.
#[derive(Default)]
struct Choices<'m> {
    /// Each with the position of the test that gives the keys, or none for the roles.
    keys: Vec<(Option<usize>, Vec<Key<'m>>)>,
    /// By position of the test.
    checks: Vec<(usize, Check)>,
}

impl<'m> Choices<'m> {
    fn of(matcher: &'m Matcher, pointers: &mut PointerTree) -> Self {
        let mut choices = Self::default();
        if !matcher.roles().is_empty() {
            let roles = matcher.roles().iter().map(|role| Key::Role(role)).collect();
            choices.keys.push((None, roles));
        }
        for (at, test) in matcher.tests().iter().enumerate() {
            let mut check = Check::Test(at);
            let keys = match test {
                // Proven by the kind of the matcher, which is always checked.
                Test::Kind => continue,
                Test::TextEquals(text) => vec![Key::TextEquals(text)],
                Test::TextPrefix(text) if !text.is_empty() => {
                    vec![Key::TextPrefix(text.as_bytes())]
                }
                Test::BinaryPrefix(bytes) if !bytes.is_empty() => vec![Key::BinaryPrefix(bytes)],
                Test::TextPrefix(_) | Test::BinaryPrefix(_) => continue,
                Test::TextContains(_) | Test::TextRegex(_) => vec![],
                Test::JsonExists(pointer) => {
                    let node = pointers.insert(pointer);
                    check = Check::JsonExists(node);
                    vec![Key::JsonExists(node)]
                }
                Test::JsonOneOf(pointer, values) => {
                    let node = pointers.insert(pointer);
                    let mut ids: Vec<_> =
                        values.iter().filter_map(|v| pointers.insert_value(node, v)).collect();
                    ids.sort_unstable();
                    ids.dedup();
                    let keys = ids.iter().map(|id| Key::JsonValue(node, *id)).collect();
                    check = Check::JsonOneOf(node, ids);
                    keys
                }
            };
            if !keys.is_empty() {
                choices.keys.push((Some(at), keys));
            }
            choices.checks.push((at, check));
        }
        choices.checks.sort_by_key(|(at, check)| cost(check, matcher.tests().get(*at)));
        choices
    }

    fn choose(mut self, sharing: &HashMap<Key<'m>, usize>) -> Plan<'m> {
        let shared = |key: &Key| sharing.get(key).copied().unwrap_or_default();
        let best = self
            .keys
            .into_iter()
            .min_by_key(|(_, keys)| (keys.iter().map(shared).max(), keys.first().cloned()));
        let (proven, keys) = best.unwrap_or_default();
        self.checks.retain(|(at, _)| Some(*at) != proven);
        Plan { keys, checks: self.checks.into_iter().map(|(_, check)| check).collect() }
    }
}

fn cost(check: &Check, test: Option<&Test>) -> u8 {
    match (check, test) {
        (Check::Test(_), Some(Test::TextRegex(_))) => 3,
        (Check::Test(_), Some(Test::TextContains(_))) => 1,
        (Check::Test(_), _) => 0,
        // The first of them may read the message.
        (Check::JsonExists(_) | Check::JsonOneOf(..), _) => 2,
    }
}
