//! What the gateway counts. Relaxed, and never labelled with anything that a client chose: labels
//! are words of the program, names of modules, and patterns of the configuration.

mod closed;
mod histogram;
mod per_thread;
mod reasons;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use closed::{Closed, ClosedCode};
pub use histogram::{BOUNDS_NS, Histogram, Snapshot};
pub use reasons::{By, ByReason};

use per_thread::PerThread;

/// One counter, which never falls.
#[derive(Debug, Default)]
pub struct Counter(PerThread<1>);

/// A number that rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(PerThread<1>);

/// All counters of one gateway.
#[derive(Debug)]
pub struct Counters {
    /// Connections that were upgraded.
    pub accepted: Counter,
    /// Requests that were turned away before the upgrade, by reason.
    pub rejected: ByReason,
    /// Sessions that began.
    pub sessions_opened: Counter,
    /// Sessions that ended.
    pub sessions_ended: Counter,
    /// Sessions that an earlier process had left, and that went on or ended in this one.
    pub sessions_restored: Counter,
    /// Sessions that were left to the next start.
    pub sessions_handed_over: Counter,
    /// Sessions that an earlier process had left, and that could not be read.
    pub sessions_lost: Counter,
    /// Clients that came back to their sessions.
    pub resumed: Counter,
    /// Clients that came back and got another session, by why.
    pub resumes_refused: ByReason,
    /// Connections that ended, by why they did.
    pub closed: By<Closed>,
    /// Sessions whose client did not do its half of the close in time.
    pub close_timeouts: Counter,
    /// Messages received from clients.
    pub messages_received: Counter,
    /// Messages that listeners queued for clients.
    pub messages_queued: Counter,
    /// Sends to one client that listeners were refused, by reason.
    pub sends_refused: ByReason,
    /// Messages that were dropped on their way from or to a client, by reason.
    pub dropped: ByReason,
    /// Messages that no listener matched.
    pub unmatched: Counter,
    /// Calls of listeners, for messages and disconnects.
    pub calls: Counter,
    /// Calls that a listener answered with an error.
    pub calls_refused: Counter,
    /// Calls that ended their instance: traps, time-outs and breached limits.
    pub calls_ended: Counter,
    /// TCP connections that could not be accepted, by why.
    pub accept_errors: ByReason,
    /// TCP connections that have not become clients (yet).
    pub http_connections: Gauge,
    /// 1 from the moment on in which the gateway is asked to stop.
    pub draining: Gauge,
    /// From the arrival of a message until the last listener that wanted it has answered.
    pub dispatch: Histogram,
    /// What changes of modules came to.
    pub swaps: ByReason,
    /// How long a swap kept a module from being called.
    pub swap_pause: Histogram,
    /// From a ping until its pong.
    pub ping: Histogram,
    paths: Vec<Arc<PathCounters>>,
    modules: Mutex<Vec<Arc<ModuleCounters>>>,
    call_failures: Option<Vec<&'static str>>,
    outbound: Option<Vec<&'static str>>,
    timed: bool,
}

/// All reasons that there are for what is counted by reason: those who give them know them.
#[derive(Clone, Debug, Default)]
pub struct Reasons {
    /// Of [`Counters::swaps`].
    pub swaps: Vec<&'static str>,
    /// Of [`Counters::rejected`].
    pub rejected: Vec<&'static str>,
    /// Of [`Counters::resumes_refused`].
    pub resumes_refused: Vec<&'static str>,
    /// Of [`Counters::sends_refused`].
    pub sends_refused: Vec<&'static str>,
    /// Of [`Counters::dropped`].
    pub dropped: Vec<&'static str>,
    /// Of [`Counters::accept_errors`].
    pub accept_errors: Vec<&'static str>,
    /// Of [`ModuleCounters::failures`].
    pub call_failures: Vec<&'static str>,
    /// Of [`ModuleCounters::outbound`].
    pub outbound: Vec<&'static str>,
}

/// What is counted for the clients of one `[[paths]]` entry, or of all other paths.
#[derive(Debug)]
pub struct PathCounters {
    pattern: Box<str>,
    numbers: PerThread<9>,
}

/// What is counted for one module.
#[derive(Debug)]
pub struct ModuleCounters {
    name: Arc<str>,
    /// Calls for messages and disconnects.
    pub calls: Counter,
    /// Calls that did not succeed, by cause.
    pub failures: ByReason,
    /// From standing in line for an instance until its answer.
    pub duration: Histogram,
    /// Its HTTP requests, by what became of them.
    pub outbound: ByReason,
    /// From a request until the end of its response.
    pub outbound_duration: Histogram,
}

/// A number of [`PathCounters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfPath {
    /// Connections that were upgraded.
    Accepted,
    /// Clients that are connected now.
    Connections,
    /// Messages received from clients.
    MessagesReceived,
    /// Bytes in them.
    BytesReceived,
    /// Messages written to clients.
    MessagesSent,
    /// Bytes in them.
    BytesSent,
    /// Messages that no listener matched.
    Unmatched,
    /// Bytes that wait for clients now.
    OutboxBytes,
    /// Bytes that were written, and are kept until it is known that they arrived.
    ReplayBytes,
}

/// What the counters of paths without a `[[paths]]` entry are called.
const DEFAULT_PATH: &str = "default";

impl Counters {
    /// Counters for a configuration with these path patterns, in its order. Durations are measured
    /// only where `timed` says that somebody looks at them.
    pub fn new(patterns: impl IntoIterator<Item = String>, timed: Timed) -> Self {
        let all = patterns.into_iter().chain([DEFAULT_PATH.to_owned()]);
        Self {
            accepted: Counter::default(),
            rejected: ByReason::default(),
            sessions_opened: Counter::default(),
            sessions_ended: Counter::default(),
            sessions_restored: Counter::default(),
            sessions_handed_over: Counter::default(),
            sessions_lost: Counter::default(),
            resumed: Counter::default(),
            resumes_refused: ByReason::default(),
            closed: By::showing(Closed::all()),
            close_timeouts: Counter::default(),
            messages_received: Counter::default(),
            messages_queued: Counter::default(),
            sends_refused: ByReason::default(),
            dropped: ByReason::default(),
            unmatched: Counter::default(),
            calls: Counter::default(),
            calls_refused: Counter::default(),
            calls_ended: Counter::default(),
            accept_errors: ByReason::default(),
            http_connections: Gauge::default(),
            draining: Gauge::default(),
            dispatch: Histogram::default(),
            swaps: ByReason::default(),
            swap_pause: Histogram::default(),
            ping: Histogram::default(),
            paths: all.map(|pattern| Arc::new(PathCounters::new(&pattern))).collect(),
            modules: Mutex::default(),
            call_failures: None,
            outbound: None,
            timed: timed == Timed::Yes,
        }
    }

    /// The same, and all that is counted by reason shows these from the beginning.
    #[must_use]
    pub fn showing(self, reasons: Reasons) -> Self {
        Self {
            rejected: By::showing(reasons.rejected),
            resumes_refused: By::showing(reasons.resumes_refused),
            sends_refused: By::showing(reasons.sends_refused),
            dropped: By::showing(reasons.dropped),
            accept_errors: By::showing(reasons.accept_errors),
            swaps: By::showing(reasons.swaps),
            call_failures: Some(reasons.call_failures),
            outbound: Some(reasons.outbound),
            ..self
        }
    }

    /// Those of the `[[paths]]` entry at `rule`, or of all other paths.
    pub fn path(&self, rule: Option<usize>) -> Arc<PathCounters> {
        let own = rule.and_then(|rule| self.paths.get(rule)).or(self.paths.last());
        own.cloned().unwrap_or_else(|| Arc::new(PathCounters::new(DEFAULT_PATH)))
    }

    /// Those of all paths, in the order of the configuration.
    pub fn paths(&self) -> &[Arc<PathCounters>] {
        &self.paths
    }

    /// Those of a module; made when they are asked for first.
    pub fn module(&self, name: &Arc<str>) -> Arc<ModuleCounters> {
        let mut modules = self.lock();
        if let Some(known) = modules.iter().find(|module| module.name == *name) {
            return Arc::clone(known);
        }
        let new = Arc::new(ModuleCounters {
            name: Arc::clone(name),
            calls: Counter::default(),
            failures: self.call_failures.clone().map_or_else(By::default, By::showing),
            duration: Histogram::default(),
            outbound: self.outbound.clone().map_or_else(By::default, By::showing),
            outbound_duration: Histogram::default(),
        });
        modules.push(Arc::clone(&new));
        new
    }

    /// Those of all modules.
    pub fn modules(&self) -> Vec<Arc<ModuleCounters>> {
        self.lock().clone()
    }

    /// The time, where durations are measured.
    pub fn now(&self) -> Option<Instant> {
        self.timed.then(Instant::now)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<ModuleCounters>>> {
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether durations are measured, which costs two looks at the clock per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed {
    /// They are.
    Yes,
    /// They are not: histograms stay empty.
    No,
}

impl Default for Counters {
    fn default() -> Self {
        Self::new([], Timed::No)
    }
}

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.add(0, count);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.get(0)
    }
}

impl Gauge {
    /// Adds one.
    pub fn rise(&self) {
        self.0.add(0, 1);
    }

    /// Takes one away.
    pub fn fall(&self) {
        self.0.add(0, 1_u64.wrapping_neg());
    }

    /// The number now. Between two threads it may lag for a moment, and is never below zero.
    pub fn get(&self) -> u64 {
        not_below_zero(self.0.get(0))
    }
}

impl PathCounters {
    fn new(pattern: &str) -> Self {
        Self { pattern: pattern.into(), numbers: PerThread::default() }
    }

    /// The pattern, or `default`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Adds to one number.
    pub fn add(&self, number: OfPath, count: u64) {
        self.numbers.add(number as usize, count);
    }

    /// Takes away from a number that falls, too.
    pub fn take(&self, number: OfPath, count: u64) {
        self.numbers.add(number as usize, count.wrapping_neg());
    }

    /// Adds a message of `bytes` that came from a client.
    pub fn received(&self, bytes: u64) {
        let [messages, size] = [OfPath::MessagesReceived, OfPath::BytesReceived];
        self.numbers.add_all([(messages as usize, 1), (size as usize, bytes)]);
    }

    /// Adds messages with so many bytes in all that go to a client.
    pub fn sent(&self, messages: u64, bytes: u64) {
        let [count, size] = [OfPath::MessagesSent, OfPath::BytesSent];
        self.numbers.add_all([(count as usize, messages), (size as usize, bytes)]);
    }

    /// A number as it is now.
    pub fn get(&self, number: OfPath) -> u64 {
        not_below_zero(self.numbers.get(number as usize))
    }
}

impl ModuleCounters {
    /// Name of the module.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A sum of what threads added and took: a reader may see the second before the first.
fn not_below_zero(sum: u64) -> u64 {
    if sum > u64::MAX / 2 { 0 } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_numbers_of_their_own_and_all_others_share_one() {
        let counters = Counters::new(["/a/*".to_owned(), "/b".to_owned()], Timed::No);
        counters.path(Some(1)).sent(2, 30);
        counters.path(None).received(7);
        counters.path(Some(9)).received(1);
        let numbers = |path: &Arc<PathCounters>| {
            let of = |number| path.get(number);
            (path.pattern().to_owned(), of(OfPath::BytesSent), of(OfPath::BytesReceived))
        };
        let all: Vec<_> = counters.paths().iter().map(numbers).collect();
        let row = |pattern: &str, sent, received| (pattern.to_owned(), sent, received);
        assert_eq!(all, [row("/a/*", 0, 0), row("/b", 30, 0), row("default", 0, 8)]);
    }

    #[test]
    fn a_gauge_falls_on_another_thread_than_it_rose_on_and_never_below_zero() {
        let gauge = Gauge::default();
        gauge.rise();
        gauge.rise();
        std::thread::scope(|scope| {
            scope.spawn(|| gauge.fall());
        });
        assert_eq!(gauge.get(), 1);
        gauge.fall();
        gauge.fall();
        assert_eq!(gauge.get(), 0);
    }

    #[test]
    fn a_module_is_counted_under_its_name_once() {
        let counters = Counters::default();
        let name: Arc<str> = "chat".into();
        counters.module(&name).calls.increment();
        counters.module(&name).calls.increment();
        assert_eq!(counters.modules().len(), 1);
        assert_eq!(counters.module(&name).calls.get(), 2);
        assert!(counters.now().is_none());
    }
}
