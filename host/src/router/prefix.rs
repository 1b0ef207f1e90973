//! Which of many prefixes a message starts with.
//!
//! Invariant: one binary search per message, then only prefixes that match or are the way to
//! them; no work grows with the number of different lengths.

use std::cmp::Ordering;

/// Sorted prefixes with a value each; a prefix links to the longest other one it starts with.
#[derive(Debug)]
pub(super) struct PrefixTable<V> {
    entries: Vec<Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    prefix: Box<[u8]>,
    /// Position of the longest shorter entry that is a prefix of this one.
    shorter: Option<usize>,
    value: V,
}

impl<V> Default for PrefixTable<V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<V> PrefixTable<V> {
    /// The values of all entries that `message` starts with, the longest first.
    pub(super) fn find(&self, message: &[u8]) -> impl Iterator<Item = &V> {
        // Every entry between a prefix of the message and the message starts with that prefix:
        // all that match are on the links down from the last entry before the message.
        let after = self.entries.partition_point(|entry| entry.before(message));
        let mut next = after.checked_sub(1);
        let common = next
            .and_then(|last| self.entries.get(last))
            .map_or(0, |last| common_length(&last.prefix, message));
        std::iter::from_fn(move || {
            loop {
                let entry = self.entries.get(next?)?;
                next = entry.shorter;
                if entry.prefix.len() <= common {
                    return Some(&entry.value);
                }
            }
        })
    }
}

/// From entries with different prefixes.
impl<V> FromIterator<(Box<[u8]>, V)> for PrefixTable<V> {
    fn from_iter<I: IntoIterator<Item = (Box<[u8]>, V)>>(entries: I) -> Self {
        let mut sorted: Vec<_> = entries.into_iter().collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut entries: Vec<Entry<V>> = Vec::with_capacity(sorted.len());
        for (prefix, value) in sorted {
            let mut shorter = entries.len().checked_sub(1);
            while let Some(other) = shorter.and_then(|at| entries.get(at)) {
                if prefix.starts_with(&other.prefix) {
                    break;
                }
                shorter = other.shorter;
            }
            entries.push(Entry { prefix, shorter, value });
        }
        Self { entries }
    }
}

impl<V> Entry<V> {
    fn before(&self, message: &[u8]) -> bool {
        (*self.prefix).cmp(message) != Ordering::Greater
    }
}

fn common_length(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_finds_what_trying_every_prefix_finds(
            prefixes in prop::collection::btree_set("[ab]{0,5}", 0..12),
            message in "[abc]{0,8}",
        ) {
            let prefixes: BTreeSet<String> = prefixes;
            let entries = prefixes.iter().map(|p| (p.as_bytes().into(), p.clone()));
            let table: PrefixTable<String> = entries.collect();
            let mut expected: Vec<_> =
                prefixes.iter().filter(|prefix| message.starts_with(*prefix)).collect();
            expected.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
            prop_assert_eq!(table.find(message.as_bytes()).collect::<Vec<_>>(), expected);
        }
    }
}
