//! The clock by which CPU time is limited: one thread that moves the engine's epoch on. While no
//! guest runs it goes slowly, so that an idle gateway uses hardly any processor time.
//!
//! ```text
//! Ticking --no guest was seen for REST_TICKS--> Slow --a guest is entered or interrupted--> Ticking
//! ```
//!
//! It never stands still: a guest that it overlooked is interrupted at the next slow tick, says so,
//! and from then on is counted like any other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Length of an epoch: the grain of CPU limits, and the longest a busy guest holds a thread that
/// others wait for.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// Ticks without a guest after which the clock goes slowly.
const REST_TICKS: u32 = 100;

/// Length of an epoch then.
const SLOW_TICK: Duration = Duration::from_millis(100);

/// The clock; its thread is joined when it goes.
#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    handle: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    /// A guest was entered or interrupted since this was cleared.
    guest_seen: AtomicBool,
    slow: AtomicBool,
    stop: AtomicBool,
}

impl Ticker {
    pub(super) fn start(engine: Engine) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = std::thread::Builder::new().name("sporegate-epoch".into()).spawn({
            let shared = Arc::clone(&shared);
            move || run(&shared, &engine)
        })?;
        let handle = thread.thread().clone();
        Ok(Self { shared, thread: Some(thread), handle })
    }

    /// A guest runs. Costs a look at two flags that hardly ever change.
    pub(super) fn guest_runs(&self) {
        let Shared { guest_seen, slow, .. } = &*self.shared;
        if !guest_seen.load(Ordering::SeqCst) {
            guest_seen.store(true, Ordering::SeqCst);
        }
        if slow.load(Ordering::SeqCst) {
            self.handle.unpark();
        }
    }
}

fn run(shared: &Shared, engine: &Engine) {
    let mut ticks_without_guest = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        std::thread::sleep(TICK);
        engine.increment_epoch();
        ticks_without_guest = match shared.guest_seen.swap(false, Ordering::SeqCst) {
            true => 0,
            false => ticks_without_guest + 1,
        };
        if ticks_without_guest >= REST_TICKS {
            rest(shared, engine);
            ticks_without_guest = 0;
        }
    }
}

/// Goes slowly until a guest is seen. Whoever enters one sets `guest_seen` and then looks at `slow`;
/// here it is the other way round, so that one of the two sees the other.
fn rest(shared: &Shared, engine: &Engine) {
    shared.slow.store(true, Ordering::SeqCst);
    while !shared.guest_seen.load(Ordering::SeqCst) && !shared.stop.load(Ordering::SeqCst) {
        std::thread::park_timeout(SLOW_TICK);
        engine.increment_epoch();
    }
    shared.slow.store(false, Ordering::SeqCst);
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.handle.unpark();
        if let Some(thread) = self.thread.take() {
            // A panic of the ticker has nothing left to tell.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_until(what: impl Fn() -> bool) {
        while !what() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn it_goes_slowly_without_guests_and_wakes_for_each() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        for _ in 0..2 {
            wait_until(|| ticker.shared.slow.load(Ordering::SeqCst));
            ticker.guest_runs();
            wait_until(|| !ticker.shared.slow.load(Ordering::SeqCst));
            // It ticks: what was seen is taken away at the next tick.
            wait_until(|| !ticker.shared.guest_seen.load(Ordering::SeqCst));
        }
    }

    #[test]
    fn it_ends_while_it_goes_slowly() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        wait_until(|| ticker.shared.slow.load(Ordering::SeqCst));
        drop(ticker);
    }
}
