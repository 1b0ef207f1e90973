//! How a server stops. Nobody comes any more from the first moment on, but everybody who asks is
//! answered until the last client has gone:
//!
//! ```text
//! serving --stop()--> draining: not ready, handshakes get 503, those who are away are given up
//!                        |
//!                        | delay, then a batch of clients at a time, over the window;
//!                        | then until all have gone and their listeners were told
//!                        v
//!                     stopped: nobody listens, whoever is in the middle of a request has a moment
//! ```
//!
//! Invariant: no client is closed before new ones are refused, and nobody who came in between is
//! forgotten: a session that is not among those that are closed here closes itself.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at};

use super::Server;
use crate::close::CloseReason;
use crate::counters::OfPath;
use crate::session::ClientId;

/// How a server stops.
#[derive(Clone, Debug)]
pub struct DrainSettings {
    /// Bound of everything.
    pub timeout: Duration,
    /// From not being ready to the first close.
    pub delay: Duration,
    /// Time over which clients are closed.
    pub window: Duration,
    /// What they are closed with.
    pub farewell: CloseReason,
}

/// What a server that stops waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Clients that are connected.
    pub clients: u64,
    /// Sessions whose disconnect listeners have not been told yet, those of clients included.
    pub disconnects: u64,
}

/// Time between two batches of clients.
const STEP: Duration = Duration::from_millis(100);

/// Clients of a batch at least: a hundred that come back in a second are no crowd, and few clients
/// need not take all of the window.
const LEAST_PER_STEP: usize = 10;

/// Time between two log lines about how far it is.
const PROGRESS: Duration = Duration::from_secs(1);

/// Time for whoever is in the middle of a request when all clients have gone.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

impl Server {
    /// Stops, once: refuses new clients, closes all there are over the window, and waits until all
    /// disconnect listeners were told, at most for the time-out. Until then health, readiness and
    /// metrics are answered. Returns whether it was in time.
    pub async fn stop(&self) -> bool {
        self.counters.draining.rise();
        self.stopping.cancel();
        self.sessions.close();
        self.requests.close();
        let deadline = Instant::now() + self.settings.drain.timeout;
        let all = timeout_at(deadline, async {
            self.close_clients().await;
            self.sessions.wait().await;
            self.stopped.cancel();
            // They are no clients: nothing of them is lost.
            let _ = timeout(LAST_REQUESTS, self.requests.wait()).await;
            // Of these one may have become a client in the moment of the stop.
            self.sessions.wait().await;
        });
        let in_time = tokio::select! {
            biased;
            // Whoever is left then may be no client.
            all = all => all.is_ok() || self.sessions.is_empty(),
            never = self.tell_progress() => match never {},
        };
        self.stopped.cancel();
        in_time
    }

    /// What is not over yet.
    pub fn remaining(&self) -> Remaining {
        let paths = self.counters.paths().iter();
        let counters = &self.counters;
        let over = counters.sessions_ended.get() + counters.sessions_handed_over.get();
        let known = counters.sessions_opened.get() + counters.sessions_restored.get();
        Remaining {
            clients: paths.map(|path| path.get(OfPath::Connections)).sum(),
            disconnects: known.saturating_sub(over),
        }
    }

    /// Asks every client to leave, each after what is queued for it.
    async fn close_clients(&self) {
        let DrainSettings { delay, window, farewell, .. } = &self.settings.drain;
        if !delay.is_zero() {
            sleep(*delay).await;
        }
        // Ids, so that whoever leaves by himself is not kept; they are random, and so is the order.
        let mut clients: Vec<ClientId> =
            self.registry.all().iter().map(|session| session.id()).collect();
        clients.sort_unstable();
        let begin = Instant::now();
        let batches = clients.chunks(per_step(clients.len(), *window));
        for (batch, due) in batches.zip((0..).map(|step: u32| begin + STEP * step)) {
            if due > begin {
                sleep_until(due).await;
            }
            for session in batch.iter().filter_map(|id| self.registry.get(*id)) {
                session.close(farewell.clone());
            }
        }
    }

    /// Says once a while how far it is.
    async fn tell_progress(&self) -> Infallible {
        let mut while_it_lasts = interval(PROGRESS);
        while_it_lasts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once, and says nothing new.
        while_it_lasts.tick().await;
        loop {
            while_it_lasts.tick().await;
            let Remaining { clients, disconnects } = self.remaining();
            tracing::info!(clients, disconnects, "draining");
        }
    }
}

/// How many clients are closed in one step, so that the last of them are before the end of the
/// window.
fn per_step(clients: usize, window: Duration) -> usize {
    let steps = usize::try_from(window.as_millis() / STEP.as_millis()).unwrap_or(usize::MAX);
    clients.div_ceil(steps.max(1)).max(LEAST_PER_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_clients_do_not_take_the_window_and_many_do() {
        let ten_seconds = Duration::from_secs(10);
        for (clients, window, each) in [
            (0, ten_seconds, 10),
            (10, ten_seconds, 10),
            (1_000, ten_seconds, 10),
            (1_001, ten_seconds, 11),
            (2_000, ten_seconds, 20),
            (1_000_000, ten_seconds, 10_000),
            (2_000, Duration::ZERO, 2_000),
            (2_000, Duration::from_millis(99), 2_000),
            (2_000, Duration::from_millis(250), 1_000),
        ] {
            assert_eq!(per_step(clients, window), each, "{clients} in {window:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_last_batch_is_within_the_window(clients in 0..100_000_usize, ms in 100..60_000_u64) {
            let window = Duration::from_millis(ms);
            let batches = clients.div_ceil(per_step(clients, window));
            let last = STEP * u32::try_from(batches.saturating_sub(1)).unwrap();
            proptest::prop_assert!(last < window, "{last:?}");
        }
    }
}
