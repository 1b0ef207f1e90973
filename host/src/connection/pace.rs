//! How fast one client may send, and what happens to a message above that. Only there where the
//! policy has a rate: then the clock is read once for each message, else never.
//!
//! Messages count when they are read. What gathers in the socket while a listener is busy with an
//! earlier one is read all at once, and was allowed to come: the buckets have filled meanwhile.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::{Bucket, Limit};
use crate::close::CloseReason;
use crate::limits::{ConnectionPolicy, OnExcess};
use crate::message::Payload;

/// Time between two answers that say that messages were dropped.
const REPLY_INTERVAL: Duration = Duration::from_secs(1);

/// What one client has sent lately.
#[derive(Debug)]
pub(super) struct Pace {
    messages: Option<(Limit, Bucket)>,
    bytes: Option<(Limit, Bucket)>,
    on_excess: OnExcess,
    /// When reading began for the last time, and the time now.
    began: Instant,
    now: Instant,
    /// No message that is read now came before.
    since: Instant,
    replied: Option<Instant>,
    dropped: u64,
}

/// What becomes of a message, and what there was too much of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Close(Excess),
    Drop(Excess),
    /// It is dropped, and the client is told so.
    Reply(Excess, Payload),
}

/// What there may be no more of for the time being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Messages,
    Bytes,
}

impl Pace {
    /// A client that has sent nothing yet; none if it may send as fast as it can.
    pub(super) fn of(policy: &ConnectionPolicy) -> Option<Box<Self>> {
        let rate = &policy.rate;
        if rate.messages_per_second.is_none() && rate.bytes_per_second.is_none() {
            return None;
        }
        let now = Instant::now();
        let messages = rate.messages_per_second.map(NonZeroU32::get).map(u64::from);
        let messages = messages.map(|per_second| Limit {
            per_second,
            burst: rate.burst.map_or(per_second, |burst| u64::from(burst.get())),
        });
        // A largest message must have room.
        let largest = policy.message_bytes as u64;
        let bytes = rate.bytes_per_second.map(NonZeroU64::get);
        let bytes = bytes.map(|per_second| Limit { per_second, burst: per_second.max(largest) });
        Some(Box::new(Self {
            messages: messages.map(|limit| (limit, Bucket::new(now))),
            bytes: bytes.map(|limit| (limit, Bucket::new(now))),
            on_excess: rate.on_excess,
            began: now,
            now,
            since: now,
            replied: None,
            dropped: 0,
        }))
    }

    /// Reading begins.
    pub(super) fn wake(&mut self) {
        let busy = self.now.saturating_duration_since(self.began);
        self.now = Instant::now();
        self.began = self.now;
        self.since = self.now.checked_sub(busy).unwrap_or(self.now);
    }

    /// A message has been handled, which may have taken its time.
    pub(super) fn handled(&mut self) {
        self.now = Instant::now();
    }

    /// Takes a message into account, or says what becomes of it instead.
    pub(super) fn admit(&mut self, bytes: usize) -> Verdict {
        let less = |bucket: &Option<(Limit, Bucket)>, amount| match bucket {
            None => Ok(None),
            Some((limit, bucket)) => {
                bucket.less(amount, *limit, self.now, self.since).map(|left| Some((*limit, left)))
            }
        };
        match (less(&self.messages, 1), less(&self.bytes, bytes as u64)) {
            (Ok(messages), Ok(bytes)) => {
                (self.messages, self.bytes) = (messages, bytes);
                Verdict::Pass
            }
            (messages, bytes) => {
                // Of two the one that has to be waited for longer.
                match (messages.err(), bytes.err()) {
                    (messages, Some(wait)) if messages.is_none_or(|other| other < wait) => {
                        self.exceeded(Excess::Bytes, wait)
                    }
                    (wait, _) => self.exceeded(Excess::Messages, wait.unwrap_or_default()),
                }
            }
        }
    }

    fn exceeded(&mut self, excess: Excess, wait: Duration) -> Verdict {
        self.dropped += 1;
        match self.on_excess {
            OnExcess::Close => Verdict::Close(excess),
            OnExcess::Drop => Verdict::Drop(excess),
            OnExcess::Reply => {
                let since = self.replied.map(|at| self.now.saturating_duration_since(at));
                if since.is_some_and(|since| since < REPLY_INTERVAL) {
                    return Verdict::Drop(excess);
                }
                self.replied = Some(self.now);
                let (dropped, wait) = (std::mem::take(&mut self.dropped), wait.as_millis() + 1);
                let text = format!(
                    r#"{{"type":"error","reason":"rate","dropped":{dropped},"retryAfterMs":{wait}}}"#
                );
                Verdict::Reply(excess, Payload::text(text))
            }
        }
    }
}

impl Excess {
    /// Why a client is closed for it, where it is.
    pub(super) fn close_reason(self) -> CloseReason {
        match self {
            Self::Messages => CloseReason::RATE,
            Self::Bytes => CloseReason::BYTE_RATE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MessageRate;

    fn pace(messages: u32, burst: u32, bytes: u64, on_excess: OnExcess) -> Box<Pace> {
        Pace::of(&ConnectionPolicy {
            message_bytes: 1_000,
            rate: MessageRate {
                messages_per_second: NonZeroU32::new(messages),
                burst: NonZeroU32::new(burst),
                bytes_per_second: NonZeroU64::new(bytes),
                on_excess,
            },
            ..ConnectionPolicy::default()
        })
        .unwrap()
    }

    #[test]
    fn without_a_rate_there_is_nothing_to_keep() {
        assert!(Pace::of(&ConnectionPolicy::default()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_the_rate() {
        let mut pace = pace(10, 3, 0, OnExcess::Close);
        pace.wake();
        assert_eq!([(); 3].map(|()| pace.admit(9_999)), [const { Verdict::Pass }; 3]);
        assert_eq!(pace.admit(0), Verdict::Close(Excess::Messages));
        tokio::time::advance(Duration::from_millis(100)).await;
        pace.wake();
        assert_eq!(
            (pace.admit(0), pace.admit(0)),
            (Verdict::Pass, Verdict::Close(Excess::Messages))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_count_too_and_a_refused_message_costs_nothing() {
        let mut pace = pace(10, 3, 100, OnExcess::Drop);
        pace.wake();
        // The largest message always has room once.
        assert_eq!(pace.admit(1_000), Verdict::Pass);
        assert_eq!([(); 9].map(|()| pace.admit(1)), [const { Verdict::Drop(Excess::Bytes) }; 9]);
        tokio::time::advance(Duration::from_secs(1)).await;
        pace.wake();
        assert_eq!((pace.admit(100), pace.admit(1)), (Verdict::Pass, Verdict::Drop(Excess::Bytes)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_gathers_while_a_listener_is_busy_was_allowed_to_come() {
        let mut pace = pace(10, 2, 0, OnExcess::Close);
        let count =
            |pace: &mut Pace| (0..100).take_while(|_| pace.admit(0) == Verdict::Pass).count();
        pace.wake();
        assert_eq!(pace.admit(0), Verdict::Pass);
        tokio::time::advance(Duration::from_secs(3)).await;
        pace.handled();
        // In the same batch: three seconds at ten, and the burst without the first one.
        assert_eq!(count(&mut pace), 31);
        // In the next: two seconds more.
        tokio::time::advance(Duration::from_secs(2)).await;
        pace.handled();
        pace.wake();
        assert_eq!(count(&mut pace), 20);
        // But not what would have come in a long rest.
        tokio::time::advance(Duration::from_secs(3_600)).await;
        pace.wake();
        assert_eq!(count(&mut pace), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_comes_once_a_second_and_says_how_many_were_dropped() {
        let mut pace = pace(1, 1, 0, OnExcess::Reply);
        pace.wake();
        assert_eq!(pace.admit(0), Verdict::Pass);
        let reply = |dropped: u64, wait: u64| {
            let text = format!(
                r#"{{"type":"error","reason":"rate","dropped":{dropped},"retryAfterMs":{wait}}}"#
            );
            Verdict::Reply(Excess::Messages, Payload::text(text))
        };
        assert_eq!(pace.admit(0), reply(1, 1_001));
        assert_eq!([(); 4].map(|()| pace.admit(0)), [const { Verdict::Drop(Excess::Messages) }; 4]);
        tokio::time::advance(Duration::from_secs(1)).await;
        pace.wake();
        assert_eq!((pace.admit(0), pace.admit(0)), (Verdict::Pass, reply(5, 1_001)));
    }
}
