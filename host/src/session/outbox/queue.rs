//! The messages that wait for one client, and the room that is left for more. Pure.
//!
//! Invariant: what waits, what is promised and what is being written is never more than the limits,
//! but for one message where messages are dropped; and what waits is in the order in which it came,
//! whatever was dropped.

mod latest;

use std::collections::VecDeque;

use self::latest::Latest;
use crate::limits::{ConnectionPolicy, SlowClient};
use crate::message::Payload;

/// A bounded queue; its bounds are in the policy that every call is given.
#[derive(Debug, Default)]
pub(in crate::session) struct Queue {
    waiting: Waiting,
    /// What waits, what is promised and what is being written.
    messages: usize,
    bytes: usize,
    /// What was taken and is being written.
    writing_messages: usize,
    writing_bytes: usize,
    /// Of them, those that the history gives no number.
    writing_unnumbered: usize,
    dropped: Dropped,
}

#[derive(Debug)]
enum Waiting {
    InOrder(VecDeque<Payload>),
    /// Only with [`SlowClient::Latest`], from when the queue is full until it is empty.
    Latest(Box<Latest>),
}

/// Messages that were dropped because a client is slow, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// They had waited longest.
    pub oldest: u32,
    /// They came when there was no room.
    pub newest: u32,
    /// A later one with the same key took their place.
    pub replaced: u32,
}

impl Queue {
    /// Messages and bytes, those promised and those being written included.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.messages, self.bytes)
    }

    /// Whether nothing waits.
    pub(in crate::session) fn is_empty(&self) -> bool {
        self.waiting.len() == 0
    }

    /// How many wait.
    pub(in crate::session) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What waits, in order.
    pub(in crate::session) fn messages(&self) -> Vec<Payload> {
        match &self.waiting {
            Waiting::InOrder(queue) => queue.iter().cloned().collect(),
            Waiting::Latest(latest) => latest.messages().cloned().collect(),
        }
    }

    /// Adds a message that had its place here before, whatever the limits are now.
    pub(in crate::session) fn restore(&mut self, payload: Payload, policy: &ConnectionPolicy) {
        if policy.slow_client == SlowClient::Close {
            self.messages += 1;
            self.bytes += payload.len();
            self.push_promised(payload);
        } else {
            self.push_dropping(payload, policy);
        }
    }

    /// Promises room for a message, if there is some.
    pub(super) fn reserve(&mut self, bytes: usize, policy: &ConnectionPolicy) -> bool {
        let fits = self.fits(bytes, policy);
        if fits {
            self.messages += 1;
            self.bytes += bytes;
        }
        fits
    }

    /// Takes a promise back.
    pub(super) fn release(&mut self, bytes: usize) {
        self.messages -= 1;
        self.bytes -= bytes;
    }

    /// Adds the message that room was promised for.
    pub(super) fn push_promised(&mut self, payload: Payload) {
        match &mut self.waiting {
            Waiting::InOrder(queue) => queue.push_back(payload),
            Waiting::Latest(latest) => {
                latest.push(payload);
            }
        }
    }

    /// Adds a message without a promise, and drops what the policy says where there is no room.
    pub(super) fn push_dropping(&mut self, payload: Payload, policy: &ConnectionPolicy) {
        let bytes = payload.len();
        let never = bytes > policy.outbox_bytes;
        if never || (policy.slow_client == SlowClient::DropNewest && !self.fits(bytes, policy)) {
            self.dropped.newest = self.dropped.newest.saturating_add(1);
            return;
        }
        if policy.slow_client == SlowClient::Latest && !self.fits(bytes, policy) {
            self.conflate(policy);
        }
        self.messages += 1;
        self.bytes += bytes;
        let replaced = match &mut self.waiting {
            Waiting::InOrder(queue) => {
                queue.push_back(payload);
                None
            }
            Waiting::Latest(latest) => latest.push(payload),
        };
        if let Some(replaced) = replaced {
            self.release(replaced.len());
            self.dropped.replaced = self.dropped.replaced.saturating_add(1);
        }
        // Never the new one, whatever is being written: what is dropped is out of date.
        while self.waiting.len() > 1
            && (self.messages > policy.outbox_messages || self.bytes > policy.outbox_bytes)
        {
            let oldest = match &mut self.waiting {
                Waiting::InOrder(queue) => queue.pop_front(),
                Waiting::Latest(latest) => latest.pop_oldest(),
            };
            let Some(oldest) = oldest else { return };
            self.release(oldest.len());
            self.dropped.oldest = self.dropped.oldest.saturating_add(1);
        }
    }

    /// Takes messages of at most so many bytes in all, or one that is larger, to be written. Their
    /// room is given back by [`Self::written`].
    pub(super) fn take(&mut self, most_bytes: usize) -> VecDeque<Payload> {
        let messages = self.waiting.take(most_bytes);
        self.writing_messages += messages.len();
        self.writing_bytes += messages.iter().map(Payload::len).sum::<usize>();
        self.writing_unnumbered += messages.iter().filter(|it| it.is_keep_alive()).count();
        messages
    }

    /// All that was taken has been written.
    pub(in crate::session) fn written(&mut self) {
        self.messages -= std::mem::take(&mut self.writing_messages);
        self.bytes -= std::mem::take(&mut self.writing_bytes);
        self.writing_unnumbered = 0;
    }

    /// Messages with a number that were taken, and of which it is not known that they were written.
    pub(in crate::session) fn unwritten(&self) -> usize {
        self.writing_messages - self.writing_unnumbered
    }

    /// Puts messages that were taken before everything that waits. They count, whatever the limits.
    pub(in crate::session) fn push_front(&mut self, messages: VecDeque<Payload>) {
        self.messages += messages.len();
        self.bytes += messages.iter().map(Payload::len).sum::<usize>();
        let behind = std::mem::replace(&mut self.waiting, Waiting::InOrder(messages));
        if let Waiting::InOrder(all) = &mut self.waiting {
            match behind {
                Waiting::InOrder(mut behind) => all.append(&mut behind),
                Waiting::Latest(mut latest) => {
                    all.extend(std::iter::from_fn(|| latest.pop_oldest()));
                }
            }
        }
    }

    /// What was dropped since this was asked last.
    pub(in crate::session) fn take_dropped(&mut self) -> Dropped {
        std::mem::take(&mut self.dropped)
    }

    fn fits(&self, bytes: usize, policy: &ConnectionPolicy) -> bool {
        self.messages < policy.outbox_messages && self.bytes + bytes <= policy.outbox_bytes
    }

    /// Keeps of each key the last message only, from now on until all is taken.
    fn conflate(&mut self, policy: &ConnectionPolicy) {
        let Waiting::InOrder(queue) = &mut self.waiting else { return };
        let queue = std::mem::take(queue);
        let mut latest = Latest::new(policy.slow_client_key.clone());
        for payload in queue {
            if let Some(replaced) = latest.push(payload) {
                self.messages -= 1;
                self.bytes -= replaced.len();
                self.dropped.replaced = self.dropped.replaced.saturating_add(1);
            }
        }
        self.waiting = Waiting::Latest(Box::new(latest));
    }
}

impl Waiting {
    fn len(&self) -> usize {
        match self {
            Self::InOrder(queue) => queue.len(),
            Self::Latest(latest) => latest.len(),
        }
    }

    /// Takes those that wait longest, of at most so many bytes in all, or one that is larger.
    fn take(&mut self, most_bytes: usize) -> VecDeque<Payload> {
        let mut bytes = 0_usize;
        let mut fits = |payload: &Payload| {
            bytes = bytes.saturating_add(payload.len());
            bytes <= most_bytes
        };
        match self {
            Self::InOrder(queue) => {
                let count = queue.iter().take_while(|payload| fits(payload)).count().max(1);
                match count < queue.len() {
                    true => queue.drain(..count).collect(),
                    // Nearly always: nothing is moved.
                    false => std::mem::take(queue),
                }
            }
            Self::Latest(latest) => {
                let count = latest.messages().take_while(|payload| fits(payload)).count().max(1);
                let taken = (0..count).map_while(|_| latest.pop_oldest()).collect();
                if latest.len() == 0 {
                    *self = Self::default();
                }
                taken
            }
        }
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Self::InOrder(VecDeque::new())
    }
}

impl Dropped {
    /// How many in all.
    pub fn count(self) -> u64 {
        [self.oldest, self.newest, self.replaced].into_iter().map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests;
