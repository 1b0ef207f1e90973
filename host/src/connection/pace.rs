//! How fast one client may send, and what happens to a message above that. Only there where the
//! policy has a rate: then the clock is read once for each message, else never.
//!
//! Invariant: no drop that is to be reported stays unreported for longer than [`REPORT_INTERVAL`]
//! once it can be said, and no client that keeps to its rate has a timer for it.
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

/// Time between two reports that messages were dropped.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What is limited and what was taken of it, if it is limited.
type Metered = Option<(Limit, Bucket)>;

/// What one client has sent lately.
#[derive(Debug)]
pub(super) struct Pace {
    messages: Metered,
    bytes: Metered,
    on_excess: OnExcess,
    /// When reading began for the last time, and the time now.
    began: Instant,
    now: Instant,
    /// No message that is read now came before.
    since: Instant,
    reported: Option<Instant>,
    unreported: Option<Unreported>,
}

/// What was dropped and not told yet.
#[derive(Clone, Copy, Debug)]
struct Unreported {
    messages: u64,
    /// Bytes of the last one.
    last: usize,
}

/// What becomes of a message, and what there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Close(Excess),
    /// It may have to be reported: see [`Pace::report`].
    Drop(Excess),
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
            reported: None,
            unreported: None,
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

    /// The time that counts for the message that is looked at.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// Takes a message into account, or says what becomes of it instead.
    pub(super) fn admit(&mut self, bytes: usize) -> Verdict {
        let excess = match self.less(bytes, self.now, self.since) {
            Ok(left) => {
                (self.messages, self.bytes) = left;
                return Verdict::Pass;
            }
            Err((excess, _)) => excess,
        };
        match self.on_excess {
            OnExcess::Close => Verdict::Close(excess),
            OnExcess::Drop => Verdict::Drop(excess),
            OnExcess::Reply => {
                let messages = self.unreported.map_or(0, |before| before.messages) + 1;
                self.unreported = Some(Unreported { messages, last: bytes });
                Verdict::Drop(excess)
            }
        }
    }

    /// When the client is to be told of what was dropped; none if there is nothing to tell.
    pub(super) fn report_at(&self) -> Option<Instant> {
        let at = self.reported.map_or(self.began, |at| at + REPORT_INTERVAL);
        self.unreported.map(|_| at)
    }

    /// Tells the client, if it is time to, how many messages were dropped, and when the last of
    /// them would pass. What `tell` cannot say is told with what is dropped next, or a second
    /// later.
    pub(super) fn report<E>(&mut self, now: Instant, tell: impl FnOnce(Payload) -> Result<(), E>) {
        let due = self.report_at().is_some_and(|at| at <= now);
        let Some(Unreported { messages, last }) = self.unreported.filter(|_| due) else { return };
        let wait = match self.less(last, now, now) {
            Ok(_) => 0,
            Err((_, wait)) => wait.as_millis() + 1,
        };
        let text = format!(
            r#"{{"type":"error","reason":"rate","dropped":{messages},"retryAfterMs":{wait}}}"#
        );
        self.reported = Some(now);
        if tell(Payload::text(text)).is_ok() {
            self.unreported = None;
        }
    }

    /// The buckets after a message of so many bytes, which is not taken out of them yet.
    ///
    /// # Errors
    /// There is too much of this, for so long.
    fn less(
        &self,
        bytes: usize,
        now: Instant,
        since: Instant,
    ) -> Result<(Metered, Metered), (Excess, Duration)> {
        let less = |metered: Metered, amount| match metered {
            None => Ok(None),
            Some((limit, bucket)) => {
                bucket.less(amount, limit, now, since).map(|left| Some((limit, left)))
            }
        };
        match (less(self.messages, 1), less(self.bytes, bytes as u64)) {
            (Ok(messages), Ok(bytes)) => Ok((messages, bytes)),
            // Of two the one that has to be waited for longer.
            (messages, bytes) => Err(match (messages.err(), bytes.err()) {
                (messages, Some(wait)) if messages.is_none_or(|other| other < wait) => {
                    (Excess::Bytes, wait)
                }
                (wait, _) => (Excess::Messages, wait.unwrap_or_default()),
            }),
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

    /// What the client is told now, if anything.
    fn told(pace: &mut Pace, now: Instant) -> Option<String> {
        let mut told = None;
        pace.report(now, |payload| {
            if let Payload::Text(text) = payload {
                told = Some(text.to_string());
            }
            Ok::<_, ()>(())
        });
        told
    }

    fn report(dropped: u64, wait: u64) -> Option<String> {
        Some(format!(
            r#"{{"type":"error","reason":"rate","dropped":{dropped},"retryAfterMs":{wait}}}"#
        ))
    }

    const DROP: Verdict = Verdict::Drop(Excess::Messages);

    #[tokio::test(start_paused = true)]
    async fn a_report_comes_once_a_second_and_says_how_many_were_dropped() {
        let mut pace = pace(1, 1, 0, OnExcess::Reply);
        pace.wake();
        assert_eq!((pace.admit(0), pace.report_at()), (Verdict::Pass, None));
        let start = pace.now();
        assert_eq!(pace.admit(0), DROP);
        assert_eq!(told(&mut pace, start), report(1, 1_001));
        assert_eq!([(); 4].map(|()| pace.admit(0)), [DROP; 4]);
        assert_eq!(told(&mut pace, start), None);
        // With the next drop.
        tokio::time::advance(Duration::from_secs(1)).await;
        pace.wake();
        assert_eq!((pace.admit(0), pace.admit(0)), (Verdict::Pass, DROP));
        let now = pace.now();
        assert_eq!(told(&mut pace, now), report(5, 1_001));
        assert_eq!(pace.report_at(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_dropped_last_is_told_a_second_after_the_report_before() {
        let mut pace = pace(10, 1, 0, OnExcess::Reply);
        pace.wake();
        let start = pace.now();
        assert_eq!((pace.admit(0), pace.admit(0)), (Verdict::Pass, DROP));
        assert_eq!(told(&mut pace, start), report(1, 101));
        tokio::time::advance(Duration::from_millis(50)).await;
        pace.wake();
        assert_eq!([(); 7].map(|()| pace.admit(0)), [DROP; 7]);
        assert_eq!(pace.report_at(), Some(start + REPORT_INTERVAL));
        // By then such a message would pass.
        assert_eq!(told(&mut pace, start + REPORT_INTERVAL), report(7, 0));
        assert_eq!(pace.report_at(), None);
        // What is too large for the bytes of a second goes on to be.
        let mut pace = super::tests::pace(0, 0, 100, OnExcess::Reply);
        assert_eq!(
            (pace.admit(1_000), pace.admit(1_000)),
            (Verdict::Pass, Verdict::Drop(Excess::Bytes))
        );
        assert_eq!(told(&mut pace, start + Duration::from_secs(4)), report(1, 6_051));
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_has_no_room_is_a_part_of_the_next() {
        let mut pace = pace(1, 1, 0, OnExcess::Reply);
        pace.wake();
        let start = pace.now();
        assert_eq!([(); 4].map(|()| pace.admit(0)), [Verdict::Pass, DROP, DROP, DROP]);
        pace.report(start, |_| Err(()));
        assert_eq!(pace.report_at(), Some(start + REPORT_INTERVAL));
        assert_eq!(pace.admit(0), DROP);
        assert_eq!(told(&mut pace, start + REPORT_INTERVAL), report(4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_to_be_told_where_messages_are_only_dropped() {
        let mut pace = pace(1, 1, 0, OnExcess::Drop);
        pace.wake();
        assert_eq!((pace.admit(0), pace.admit(0)), (Verdict::Pass, DROP));
        assert_eq!(pace.report_at(), None);
    }
}
