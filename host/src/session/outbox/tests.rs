//! The outbox as its connection and those who send see it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;
use crate::counters::Counters;
use crate::limits::ConnectionPolicy;
use crate::message::KEEP_ALIVE;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::session::Attachment;

struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn session(messages: usize, bytes: usize) -> Arc<Session> {
    session_with(ConnectionPolicy {
        outbox_messages: messages,
        outbox_bytes: bytes,
        ..ConnectionPolicy::default()
    })
}

fn session_with(policy: ConnectionPolicy) -> Arc<Session> {
    let path = ConnectPath::parse("/a").unwrap();
    let counters = Counters::default().path(None);
    let (nobody, policy) = (Principal::anonymous(), Arc::new(policy));
    Arc::new(Session::new(1, path, nobody, policy, counters, Arc::default()).unwrap())
}

fn first(session: &Arc<Session>) -> Attachment {
    Attachment::first(Arc::clone(session), None)
}

#[test]
fn an_outbox_is_full_by_count_and_by_bytes() {
    let by_count = session(2, 100);
    by_count.send(Payload::text("a")).unwrap();
    by_count.send(Payload::text("b")).unwrap();
    assert_eq!(by_count.send(Payload::text("c")), Err(Refusal::Full));
    let by_bytes = session(10, 3);
    by_bytes.send(Payload::text("abc")).unwrap();
    assert_eq!(by_bytes.send(Payload::text("d")), Err(Refusal::Full));
    by_bytes.send(Payload::text("")).unwrap();
}

#[test]
fn a_permit_holds_room_until_it_is_used_or_dropped() {
    let session = session(1, 100);
    let permit = SendPermit::reserve(&session, 1).unwrap();
    assert_eq!(session.send(Payload::text("x")), Err(Refusal::Full));
    drop(permit);
    session.send(Payload::text("x")).unwrap();
    assert_eq!(first(&session).drain().messages.len(), 1);
    session.outbox().written(1);
    assert_eq!(session.outbox().waiting_bytes(), 0);
}

#[test]
fn what_is_being_written_takes_room_until_it_has_been() {
    let session = session(2, 100);
    session.send(Payload::text("being written")).unwrap();
    assert_eq!(first(&session).drain().messages.len(), 1);
    session.send(Payload::text("waits")).unwrap();
    assert_eq!(session.send(Payload::text("x")), Err(Refusal::Full));
    assert_eq!(session.outbox().waiting_bytes(), "being written".len() + "waits".len());
    session.outbox().written(1);
    session.send(Payload::text("x")).unwrap();
    assert_eq!(session.outbox().waiting_bytes(), "waits".len() + 1);
}

#[test]
fn without_a_count_what_was_not_written_comes_again_but_for_what_looks_like_a_keep_alive() {
    let session = session(10, 100);
    let texts = |messages: Drained| -> Vec<Payload> { messages.messages.into() };
    let [a, b] = ["a", "b"].map(Payload::text);
    session.send(a).unwrap();
    let mut attached = first(&session);
    attached.drain();
    attached.sent(Sent { messages: 1, bytes: 1 });
    session.send(Payload::text(KEEP_ALIVE)).unwrap();
    session.send(b.clone()).unwrap();
    for drained in [2, 1] {
        assert_eq!(attached.drain().messages.len(), drained);
        let back = Attachment::take_over(&session, None).unwrap();
        attached.leave(&CloseReason::LOST);
        back.rewind(None).unwrap();
        attached = back;
    }
    assert_eq!(texts(attached.drain()), [b]);
}

#[test]
fn a_full_outbox_is_drained_in_steps_and_the_close_comes_with_the_last() {
    let session = session(100, 10 * STEP_BYTES);
    let large = Payload::text("x".repeat(STEP_BYTES * 2));
    let small = Payload::text("x".repeat(STEP_BYTES / 2));
    for payload in [&small, &small, &small, &large, &small] {
        session.send(payload.clone()).unwrap();
    }
    session.close(CloseReason::GOING_AWAY);
    let mut steps = Vec::new();
    let close = loop {
        let Drained { messages, more, close, .. } = first(&session).drain();
        steps.push(messages.iter().map(Payload::len).collect::<Vec<_>>());
        session.outbox().written(1);
        match more {
            true => assert_eq!(close, None),
            false => break close,
        }
    };
    let [small, large] = [small.len(), large.len()];
    assert_eq!(steps, [vec![small, small], vec![small], vec![large], vec![small]]);
    assert_eq!(close, Some(CloseReason::GOING_AWAY));
    assert_eq!(session.outbox().waiting_bytes(), 0);
}

#[test]
fn where_messages_are_dropped_a_permit_takes_no_room_and_a_failed_call_drops_nothing() {
    for slow_client in [SlowClient::DropOldest, SlowClient::DropNewest, SlowClient::Latest] {
        let policy =
            ConnectionPolicy { slow_client, outbox_messages: 1, ..ConnectionPolicy::default() };
        let session = session_with(policy);
        session.send(Payload::text("a")).unwrap();
        let kept = SendPermit::reserve(&session, 1).unwrap();
        let unused = SendPermit::reserve(&session, 1).unwrap();
        drop(unused);
        assert_eq!(session.outbox().waiting_bytes(), 1);
        kept.send(Payload::text("b"));
        let last = if slow_client == SlowClient::DropNewest { "a" } else { "b" };
        let drained = first(&session).drain();
        assert_eq!(drained.messages, [Payload::text(last)], "{slow_client:?}");
        session.outbox().written(1);
        assert_eq!(session.outbox().take_dropped().count(), 1);
        // A close is no message: it always has room, and comes last.
        session.send(Payload::text("c")).unwrap();
        session.send(Payload::text("d")).unwrap();
        session.close(CloseReason::GOING_AWAY);
        assert_eq!(first(&session).drain().close, Some(CloseReason::GOING_AWAY));
        assert_eq!(session.outbox().take_dropped().count(), 1);
    }
}

#[test]
fn the_first_reason_to_close_stays_and_nothing_more_is_taken() {
    let session = session(5, 100);
    let permit = SendPermit::reserve(&session, 1).unwrap();
    session.send(Payload::text("last words")).unwrap();
    session.close(CloseReason::SLOW_CONSUMER);
    session.close(CloseReason::EXPIRED);
    session.close(CloseReason::GOING_AWAY);
    permit.send(Payload::text("x"));
    assert_eq!(session.send(Payload::text("x")), Err(Refusal::Closed));
    let drained = first(&session).drain();
    assert_eq!(drained.close, Some(CloseReason::SLOW_CONSUMER));
    assert_eq!(drained.messages, [Payload::text("last words")]);
}

#[test]
fn what_is_sent_while_the_gateway_stops_still_leaves() {
    let session = session(5, 100);
    let permit = SendPermit::reserve(&session, 9).unwrap();
    session.close(CloseReason::GOING_AWAY);
    permit.send(Payload::text("an answer"));
    session.send(Payload::text("another")).unwrap();
    let drained = first(&session).drain();
    assert_eq!(drained.close, Some(CloseReason::GOING_AWAY));
    assert_eq!(drained.messages, [Payload::text("an answer"), Payload::text("another")]);
    // What ends the session, and not just its connection, is told first.
    session.close(CloseReason::SLOW_CONSUMER);
    assert_eq!(first(&session).drain().close, Some(CloseReason::SLOW_CONSUMER));
    assert_eq!(session.send(Payload::text("x")), Err(Refusal::Closed));
}

#[test]
fn a_sleeper_is_woken_once_and_one_that_is_awake_not_at_all() {
    let session = session(5, 100);
    let bell = Arc::new(Bell(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&bell));
    assert!(!first(&session).poll_news(&waker));
    session.send(Payload::text("a")).unwrap();
    session.send(Payload::text("b")).unwrap();
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    first(&session).drain();
    assert!(!first(&session).poll_news(&waker));
    first(&session).awake();
    session.send(Payload::text("c")).unwrap();
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
}

#[test]
fn an_ended_outbox_is_empty_and_takes_nothing() {
    let session = session(5, 100);
    session.send(Payload::text("a")).unwrap();
    session.outbox().end();
    assert!(first(&session).drain().messages.is_empty());
    assert_eq!(session.send(Payload::text("b")), Err(Refusal::Closed));
    assert_eq!(session.outbox().waiting_bytes(), 0);
}
