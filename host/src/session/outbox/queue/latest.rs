//! Waiting messages of which, for each key, only the last stays. Finding the one to replace takes
//! the same time however many wait.

use std::collections::{BTreeMap, HashMap};

use crate::json::{self, Pointer};
use crate::message::Payload;

/// Messages by the order in which they came.
#[derive(Debug)]
pub(super) struct Latest {
    key: Pointer,
    next: u64,
    messages: BTreeMap<u64, Entry>,
    /// The one message of each key. Hashed with a random state: clients can have a say in keys.
    by_key: HashMap<Box<str>, u64>,
}

#[derive(Debug)]
struct Entry {
    payload: Payload,
    key: Option<Box<str>>,
}

impl Latest {
    /// None yet; the pointer leads to the key of a text.
    pub(super) fn new(key: Pointer) -> Self {
        Self { key, next: 0, messages: BTreeMap::new(), by_key: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Adds a message at the end; returns the one with the same key that it replaces.
    pub(super) fn push(&mut self, payload: Payload) -> Option<Payload> {
        let number = self.next;
        self.next += 1;
        let key: Option<Box<str>> = match &payload {
            Payload::Text(text) => json::part(text, &self.key).map(Box::from),
            Payload::Binary(_) => None,
        };
        let before = key.clone().and_then(|key| self.by_key.insert(key, number));
        self.messages.insert(number, Entry { payload, key });
        before.and_then(|before| self.messages.remove(&before)).map(|entry| entry.payload)
    }

    /// Takes the message that waits longest.
    pub(super) fn pop_oldest(&mut self) -> Option<Payload> {
        let (number, Entry { payload, key }) = self.messages.pop_first()?;
        if let Some(key) = key
            && self.by_key.get(&key) == Some(&number)
        {
            self.by_key.remove(&key);
        }
        Some(payload)
    }

    /// All messages, in order.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Payload> {
        self.messages.values().map(|entry| &entry.payload)
    }
}
