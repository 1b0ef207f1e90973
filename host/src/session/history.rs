//! What was handed to connections of a session and is not known to have arrived. Pure.
//!
//! Invariant: a message has the number of its place among all that were handed out, from 1, and
//! those that are kept are the last ones, without a gap. What looks like a keep-alive has no number
//! and is not kept: a client cannot tell it from one, and so does not count it.

use std::collections::VecDeque;

use crate::limits::ConnectionPolicy;
use crate::message::Payload;

/// The last messages that were handed out.
#[derive(Debug, Default)]
pub(super) struct History {
    messages: VecDeque<Payload>,
    bytes: usize,
    last: u64,
}

/// What the client says it has, and what is kept, do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

impl History {
    /// Number of the last message that was handed out.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Bytes in all that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All that are kept, in order.
    pub(super) fn messages(&self) -> &VecDeque<Payload> {
        &self.messages
    }

    /// Begins with messages of which the last has this number.
    pub(super) fn restore(&mut self, messages: VecDeque<Payload>, last: u64) {
        let bytes = messages.iter().map(Payload::len).sum();
        *self = Self { messages, bytes, last };
    }

    /// Numbers messages that are handed out, and keeps them as far as there is room: what is
    /// oldest goes. Returns whether more than half of the room is taken.
    pub(super) fn hand_out(
        &mut self,
        messages: &VecDeque<Payload>,
        policy: &ConnectionPolicy,
    ) -> bool {
        let numbered = || messages.iter().filter(|message| !message.is_keep_alive());
        if policy.reconnect_timeout.is_none() {
            self.last += numbered().count() as u64;
            return false;
        }
        let (count, bytes) = (policy.replay_messages, policy.replay_bytes);
        for message in numbered() {
            self.last += 1;
            self.bytes += message.len();
            // A clone shares the bytes.
            self.messages.push_back(message.clone());
        }
        while self.messages.len() > count || self.bytes > bytes {
            self.forget_oldest();
        }
        self.messages.len() * 2 > count || self.bytes * 2 > bytes
    }

    /// All up to this number have arrived.
    pub(super) fn acknowledge(&mut self, number: u64) {
        let first = self.last - self.messages.len() as u64 + 1;
        for _ in first..=number.min(self.last) {
            self.forget_oldest();
        }
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
    }

    /// Takes back all after this number, to be handed out again.
    ///
    /// # Errors
    /// Not so many were handed out, or not all of those after it are kept. Then nothing changes.
    pub(super) fn rewind(&mut self, received: u64) -> Result<VecDeque<Payload>, Gap> {
        let missing = self.last.checked_sub(received).ok_or(Gap)?;
        let missing = usize::try_from(missing).map_err(|_| Gap)?;
        let known = self.messages.len().checked_sub(missing).ok_or(Gap)?;
        let again = self.messages.split_off(known);
        *self = Self { last: received, ..Self::default() };
        Ok(again)
    }

    /// Nothing is to be handed out again.
    pub(super) fn forget_all(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.messages.pop_front() {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::message::KEEP_ALIVE;

    fn policy(messages: usize, bytes: usize) -> ConnectionPolicy {
        ConnectionPolicy {
            reconnect_timeout: Some(Duration::from_secs(1)),
            replay_messages: messages,
            replay_bytes: bytes,
            ..ConnectionPolicy::default()
        }
    }

    fn numbered(numbers: std::ops::RangeInclusive<u64>) -> VecDeque<Payload> {
        numbers.map(|number| Payload::text(number.to_string())).collect()
    }

    /// The same as listeners may send them: what looks like a keep-alive before each.
    fn mixed(numbers: std::ops::RangeInclusive<u64>) -> VecDeque<Payload> {
        let pair = |message| [Payload::text(KEEP_ALIVE), message];
        numbered(numbers).into_iter().flat_map(pair).collect()
    }

    #[test]
    fn only_the_exact_text_of_a_keep_alive_has_no_number() {
        let others = [
            Payload::text("keepalive"),
            Payload::text("\"keepAlive\""),
            Payload::text("\"keepalive\" "),
            Payload::Binary(KEEP_ALIVE.into()),
        ];
        let mut history = History::default();
        history.hand_out(&VecDeque::from(others.clone()), &policy(9, 99));
        history.hand_out(&VecDeque::from([Payload::text(KEEP_ALIVE)]), &policy(9, 99));
        assert_eq!(history.last(), 4);
        assert_eq!(history.rewind(0), Ok(VecDeque::from(others)));
    }

    #[test]
    fn where_nobody_can_come_back_nothing_is_kept_and_all_is_numbered() {
        let mut history = History::default();
        let policy = ConnectionPolicy { reconnect_timeout: None, ..policy(9, 99) };
        assert!(!history.hand_out(&mixed(1..=5), &policy));
        assert_eq!((history.last(), history.bytes(), history.messages.len()), (5, 0, 0));
        assert_eq!(history.rewind(4), Err(Gap));
        assert_eq!(history.rewind(5), Ok(VecDeque::new()));
    }

    #[test]
    fn half_of_the_room_is_told() {
        let mut history = History::default();
        assert!(!history.hand_out(&numbered(1..=2), &policy(4, 99)));
        assert!(history.hand_out(&numbered(3..=3), &policy(4, 99)));
        history.acknowledge(2);
        assert!(!history.hand_out(&numbered(4..=4), &policy(4, 99)));
        assert!(history.hand_out(&numbered(5..=5), &policy(9, 5)));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        HandOut(u64),
        Acknowledge(u64),
        Rewind(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..6_u64).prop_map(Step::HandOut),
            1 => (0..40_u64).prop_map(Step::Acknowledge),
            2 => (0..40_u64).prop_map(Step::Rewind),
        ]
    }

    proptest! {
        /// Against a model that remembers every number.
        #[test]
        fn what_is_taken_back_is_what_follows_and_never_a_part_of_it(
            steps in proptest::collection::vec(step(), 1..40),
            most in 1..10_usize,
            bytes in 1..20_usize,
        ) {
            let policy = policy(most, bytes);
            let mut history = History::default();
            let (mut last, mut kept_after) = (0_u64, 0_u64);
            for step in steps {
                match step {
                    Step::HandOut(count) => {
                        history.hand_out(&mixed(last + 1..=last + count), &policy);
                        last += count;
                        let size = |after: u64| {
                            (after + 1..=last).map(|n| n.to_string().len()).sum::<usize>()
                        };
                        while last - kept_after > most as u64 || size(kept_after) > bytes {
                            kept_after += 1;
                        }
                    }
                    Step::Acknowledge(number) => {
                        history.acknowledge(number);
                        kept_after = kept_after.max(number.min(last));
                    }
                    Step::Rewind(received) => {
                        let again = history.rewind(received);
                        if received > last || received < kept_after {
                            prop_assert_eq!(again, Err(Gap));
                        } else {
                            prop_assert_eq!(again, Ok(numbered(received + 1..=last)));
                            (last, kept_after) = (received, received);
                        }
                    }
                }
                prop_assert_eq!(history.last(), last);
                prop_assert_eq!(history.messages.len() as u64, last - kept_after);
                prop_assert_eq!(
                    history.bytes(),
                    history.messages.iter().map(Payload::len).sum::<usize>()
                );
            }
        }
    }
}
