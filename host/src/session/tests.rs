//! What is counted of a session, whatever happens to what waits for it.

use proptest::prelude::*;

use super::*;
use crate::counters::{Counters, OfPath};
use crate::limits::{ConnectionPolicy, SlowClient};

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(usize),
    Reserve(usize),
    Keep,
    GiveUp,
    Drain,
    Acknowledge(u64),
    Leave,
    Return(u64),
    Evict,
    Close,
    End,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..40_usize).prop_map(Step::Send),
        3 => (0..40_usize).prop_map(Step::Reserve),
        2 => Just(Step::Keep),
        1 => Just(Step::GiveUp),
        3 => Just(Step::Drain),
        1 => (0..30_u64).prop_map(Step::Acknowledge),
        2 => Just(Step::Leave),
        2 => (0..30_u64).prop_map(Step::Return),
        1 => Just(Step::Evict),
        1 => Just(Step::Close),
        1 => Just(Step::End),
    ]
}

proptest! {
    #[test]
    fn the_bytes_that_wait_are_counted_exactly(
        steps in proptest::collection::vec(step(), 1..60),
        policy in prop_oneof![
            Just(SlowClient::Close),
            Just(SlowClient::DropOldest),
            Just(SlowClient::DropNewest),
            Just(SlowClient::Latest),
        ],
    ) {
        let counters = Counters::default();
        let policy = ConnectionPolicy {
            slow_client: policy,
            outbox_messages: 5,
            outbox_bytes: 100,
            replay_messages: 7,
            replay_bytes: 90,
            ..ConnectionPolicy::default()
        };
        let path = ConnectPath::parse("/a").unwrap();
        let own = counters.path(None);
        let (nobody, policy) = (Principal::anonymous(), Arc::new(policy));
        let kept = Arc::new(Kept::default());
        let session = Session::new(1, path, nobody, policy, own, Arc::clone(&kept)).unwrap();
        let session = Arc::new(session);
        let mut attached = Attachment::first(Arc::clone(&session), None);
        let mut left = false;
        let (mut permits, mut sent) = (Vec::new(), 0);
        let text = |bytes| Payload::text("x".repeat(bytes));
        for step in steps {
            match step {
                Step::Send(bytes) => drop(session.send(text(bytes))),
                Step::Reserve(bytes) => {
                    permits.extend(SendPermit::reserve(&session, bytes).map(|p| (p, bytes)));
                }
                Step::Keep => {
                    if let Some((permit, bytes)) = permits.pop() {
                        permit.send(text(bytes));
                    }
                }
                Step::GiveUp => drop(permits.pop()),
                Step::Drain => {
                    let messages = attached.drain().messages;
                    let bytes = messages.iter().map(Payload::len).sum::<usize>();
                    attached.sent(Sent { messages: messages.len() as u64, bytes: bytes as u64 });
                    sent += bytes;
                }
                Step::Acknowledge(number) => attached.acknowledge(number),
                Step::Leave if left => {}
                Step::Leave => {
                    attached.leave(&CloseReason::LOST);
                    left = true;
                }
                Step::Return(received) => {
                    if let Some(back) = Attachment::take_over(&session, None) {
                        if !left {
                            prop_assert_eq!(attached.leave(&CloseReason::LOST), Left::Replaced);
                        }
                        let _ = back.rewind(Some(received));
                        (attached, left) = (back, false);
                    }
                }
                Step::Evict => session.outbox().evict(attached.number()),
                Step::Close => session.close(CloseReason::GOING_AWAY),
                Step::End => {
                    session.outbox().end();
                }
            }
            let waiting = session.outbox().waiting_bytes() as u64;
            let replay = session.outbox().lock().history.bytes() as u64;
            prop_assert_eq!(session.counters().get(OfPath::OutboxBytes), waiting);
            prop_assert_eq!(session.counters().get(OfPath::ReplayBytes), replay);
            let is_away = session.outbox().away_since().is_some() && !session.outbox().lock().evicted;
            let expected = if is_away { (1, waiting + replay) } else { (0, 0) };
            prop_assert_eq!((kept.sessions(), kept.bytes() as u64), expected);
            prop_assert_eq!(session.counters().get(OfPath::BytesSent), sent as u64);
            prop_assert_eq!(session.traffic().bytes_sent(), sent as u64);
        }
        session.outbox().end();
        drop(permits);
        prop_assert_eq!(session.counters().get(OfPath::OutboxBytes), 0);
        prop_assert_eq!(session.counters().get(OfPath::ReplayBytes), 0);
        prop_assert_eq!((kept.sessions(), kept.bytes()), (0, 0));
    }
}
