//! Processor time that a guest really takes. Ticks tell that it runs, and not for how long: the engine
//! looks at its clock before an operation on memory and not within it, and one that fills a gigabyte
//! takes as long as hundreds of ticks.
//!
//! Reading the clock of a thread is a call of the kernel, as long as a quarter of a short call of a
//! guest. So it is not read for guests whose memory is small: no operation of theirs takes long.
//!
//! Invariant: what is measured was spent by this thread, from a mark of the call that runs on it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Memory that takes about a tick to fill, hardly more where it was never touched.
const SMALL_BYTES: usize = 4 << 20;

thread_local! {
    /// What the thread had spent when the guest on it began, or was measured last.
    static MARK: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// A guest with so much memory begins on this thread.
pub(super) fn begin(memory_bytes: usize) {
    MARK.set((memory_bytes > SMALL_BYTES).then(spent));
}

/// It has so much memory now.
pub(super) fn grown(memory_bytes: usize) {
    if memory_bytes > SMALL_BYTES && MARK.get().is_none() {
        MARK.set(Some(spent()));
    }
}

/// What it has taken since it was measured last, if it was.
pub(super) fn measure() -> Option<Duration> {
    let now = spent();
    MARK.replace(Some(now)).map(|before| now.saturating_sub(before))
}

/// Runs a guest that may go on upon another thread each time.
pub(super) async fn on_fiber<F: Future>(call: F) -> F::Output {
    let mut call = pin!(call);
    poll_fn(|context| {
        MARK.set(Some(spent()));
        call.as_mut().poll(context)
    })
    .await
}

fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Duration = Duration::from_millis(3);

    fn work() {
        let since = spent();
        while spent() < since + WORK {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn only_guests_with_much_memory_are_measured_from_their_first_moment() {
        begin(SMALL_BYTES);
        work();
        assert_eq!(measure(), None);
        work();
        assert!(measure() >= Some(WORK));
        begin(SMALL_BYTES + 1);
        work();
        assert!(measure() >= Some(WORK));
    }

    #[test]
    fn a_guest_is_measured_from_when_its_memory_is_large() {
        begin(0);
        grown(SMALL_BYTES);
        work();
        let before = spent();
        grown(SMALL_BYTES + 1);
        work();
        grown(2 * SMALL_BYTES);
        let measured = measure().unwrap();
        assert!(measured >= WORK && measured <= spent() - before);
    }

    #[tokio::test]
    async fn a_wait_costs_nothing() {
        let measured = on_fiber(async {
            work();
            tokio::time::sleep(Duration::from_millis(1)).await;
            measure().unwrap()
        });
        assert!(measured.await < WORK);
    }
}
