//! Floods: what a hostile client does to the gateway, run as a process of its own, and what others
//! notice of it. Nothing of it leaves the machine, and each is over in seconds.
//!
//! Every flood shows four things besides the status or close code that it gets:
//!
//! - **Memory.** The peak of the process, as the kernel counts it, stays below what it was before
//!   plus the limit that the flood runs into and 1 MiB, for each connection that takes part.
//! - **Everything is given back.** When it is over, every file descriptor of it, and all memory but
//!   a tenth of what there was before, once the limit, and [`KEPT_KIB`]: what the allocator keeps
//!   for the next time.
//! - **The others live on.** A client that was connected before asks all the time and gets every
//!   answer.
//! - **And are as fast as before.** The 99th percentile of its round trips may double. Floods, two
//!   gateways and all clients share two cores with whatever else runs, so it is compared with what
//!   the machine does to anybody at that time: a control, another gateway that is not flooded, with
//!   a client of its own that asks at the same pace. A flood goes on, again and again, for
//!   [`WINDOWS`] windows of [`WINDOW`] round trips, each of which is held against what the control
//!   had in the same time, and what both had before. More of the windows have to be within the double
//!   than not, so that a pause of the machine spoils a window and not the result; where they are not,
//!   it goes on, for [`MOST_WINDOWS`] at most. Nobody is held to less than [`FLOOR`]; and to the double
//!   comes [`SLICE`]: the flooded gateway is at work and its threads have no claim on being the next to
//!   run, those of the idle control do. What it finds is a gateway that lets one client hold up another.
//!   On a machine that does nothing else the double is enough, and this shows it, with the figures:
//!   `SPOREGATE_TEST_STRICT_FLOODS=1 tests/run --no-install -- floods --nocapture`.
//!
//! Floods take turns, so that none measures another.

mod frames;
mod http;
mod json;
mod limits;
mod modules;
mod slow;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{Mutex as Turns, MutexGuard};

use crate::support::raw_client::narrow;
use crate::support::{Client, Handshake, PATIENCE, RawClient, Serving, Setup, TestGateway, token};

/// Round trips of which a 99th percentile is taken.
const WINDOW: usize = 100;

/// Windows before a flood begins, and at least so many while it lasts.
const WINDOWS: usize = 5;
const MOST_WINDOWS: usize = 25;

/// What counts as the 99th percentile of the control where it is less.
const FLOOR: Duration = Duration::from_millis(1);

/// A time slice of the system, which is 3 ms where nobody has set it, and a bit. None where the test is
/// told to be strict.
const SLICE: Duration = Duration::from_millis(5);

/// What a connection may take besides the limit that it runs into.
const ALLOWANCE_KIB: u64 = 1 << 10;

/// What the allocator may keep: some of what each thread has parsed last.
const KEPT_KIB: u64 = 16 << 10;

static TURNS: Turns<()> = Turns::const_new(());

/// A gateway in a process of its own, with modules `echo` and `probe`, and its regular client; and
/// the same again as a control.
struct Flooded {
    serving: Serving,
    regular: Regular,
    control: Regular,
    _control_serving: Serving,
    resident_kib: u64,
    files: usize,
    fared: Mutex<Option<Fared>>,
    _turn: MutexGuard<'static, ()>,
}

/// How the regular client of a gateway fared that was flooded.
#[derive(Debug, Default)]
struct Fared {
    /// 99th percentile before.
    quiet: Duration,
    windows: usize,
    /// Windows that were within the double.
    well: usize,
    /// 99th percentiles, and what that of the control was in the same time.
    each: Vec<(Duration, Duration)>,
}

impl Fared {
    fn is_well(&self) -> bool {
        2 * self.well > self.windows
    }

    /// In one line: medians of the windows.
    fn told(&self) -> String {
        let middle = |of: fn(&(Duration, Duration)) -> Duration| {
            median(self.each.iter().map(of).collect()).unwrap_or_default()
        };
        let (flooded, machine) = (middle(|it| it.0), middle(|it| it.1));
        let ratio = flooded.as_secs_f64() / self.quiet.max(machine).as_secs_f64();
        let (quiet, well, windows) = (self.quiet, self.well, self.windows);
        format!(
            "p99 {quiet:.1?} before, {flooded:.1?} while flooded, {machine:.1?} for the control: {ratio:.2} times; {well} of {windows} windows well"
        )
    }
}

/// What comes to the double.
fn slice() -> Duration {
    let is_strict = std::env::var_os("SPOREGATE_TEST_STRICT_FLOODS").is_some();
    if is_strict { Duration::ZERO } else { SLICE }
}

/// A client that asks and waits for the answer, again and again, on a thread of its own.
struct Regular {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    round_trips: Mutex<Vec<RoundTrip>>,
    enough: AtomicBool,
}

#[derive(Clone, Copy)]
struct RoundTrip {
    began: Instant,
    took: Duration,
}

/// These `[limits]`, and nothing that the gateway sends by itself. How many handshakes a flood comes to
/// depends on the machine: only where they are the flood are they limited.
fn setup(limits: &str) -> Setup {
    let handshakes = if limits.contains("connect_rate") { "" } else { "connect_rate = 0\n" };
    TestGateway::with()
        .set("keep_alive = false")
        .table(&format!("[limits]\n{handshakes}{limits}"))
        .module("echo", "echo")
        .module("probe", "probe")
}

impl Flooded {
    /// A gateway that has been at work for a while: what it needs to serve at all is there.
    async fn start(setup: Setup) -> Self {
        let turn = TURNS.lock().await;
        let serving = Serving::start(setup, &[]).await;
        let control_serving = Serving::start(self::setup(""), &[]).await;
        let regular = Regular::start(serving.url());
        let control = Regular::start(control_serving.url());
        // The first window is its warming up.
        regular.wait_for(WINDOW * (WINDOWS + 1)).await;
        serving.forget_peak();
        let (resident_kib, files) = (serving.resident_kib(), serving.open_files());
        Self {
            serving,
            regular,
            control,
            _control_serving: control_serving,
            resident_kib,
            files,
            fared: Mutex::default(),
            _turn: turn,
        }
    }

    /// Floods it: a round again and again, until enough is known of how others fare meanwhile.
    async fn flood(&self, round: impl AsyncFn()) {
        let began = Instant::now();
        loop {
            round().await;
            let fared = self.fared(began, Instant::now());
            if fared.windows >= MOST_WINDOWS || (fared.windows >= WINDOWS && fared.is_well()) {
                *self.fared.lock().unwrap() = Some(fared);
                return;
            }
            let limit = 2 * PATIENCE;
            assert!(began.elapsed() < limit, "the regular clients are hardly answered: {fared:?}");
        }
    }

    /// How the regular client fared in this time.
    fn fared(&self, from: Instant, to: Instant) -> Fared {
        let quiet = self.regular.between(from - PATIENCE, from);
        let quiet = quiet[WINDOW..].chunks_exact(WINDOW).map(percentile).collect();
        let quiet = median(quiet).unwrap();
        let mut fared = Fared { quiet, ..Fared::default() };
        let trips = self.regular.trips_between(from, to);
        for window in trips.chunks_exact(WINDOW) {
            let (first, last) = (window[0], window[WINDOW - 1]);
            let beside = self.control.between(first.began, last.began + last.took);
            if beside.len() < WINDOW / 2 {
                continue;
            }
            let flooded = percentile(&window.iter().map(|trip| trip.took).collect::<Vec<_>>());
            let machine = percentile(&beside);
            fared.windows += 1;
            fared.well += usize::from(flooded <= 2 * quiet.max(machine).max(FLOOR) + slice());
            fared.each.push((flooded, machine));
        }
        fared
    }

    /// A client for mischief, greeted.
    async fn client(&self, path: &str) -> RawClient {
        self.greeted(TcpStream::connect(self.serving.address()).await.unwrap(), path).await
    }

    /// One with hardly any room for what it does not read.
    async fn narrow_client(&self, path: &str) -> RawClient {
        self.greeted(narrow(self.serving.address()).await, path).await
    }

    async fn greeted(&self, stream: TcpStream, path: &str) -> RawClient {
        let handshake = Handshake::new(&format!("/websocket{path}")).bearer(&token("mallory", &[]));
        let mut client = RawClient::open(stream, &handshake.bytes()).await;
        assert_eq!(client.json().await["type"], "setClientId");
        client
    }

    /// Waits until the gateway has let go of all connections of the flood.
    async fn all_gone(&self) {
        let since = Instant::now();
        while self.serving.open_files() > self.files {
            let more = self.serving.open_files() - self.files;
            assert!(since.elapsed() < PATIENCE, "{more} descriptors are still open");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the measurement: asserts what the module doc says of so many connections at a time,
    /// each with a limit of so many KiB. They must be gone, or go without being asked.
    async fn survived(self, connections: u64, limit_kib: u64) -> Serving {
        let before = self.resident_kib;
        let grown = self.serving.peak_kib().saturating_sub(before);
        let allowed = connections * (limit_kib + ALLOWANCE_KIB);
        assert!(grown <= allowed, "{grown} KiB more than the {before} before, {allowed} may be");
        self.all_gone().await;
        let most = before + before / 10 + limit_kib + KEPT_KIB;
        let since = Instant::now();
        while self.serving.resident_kib() > most {
            let kept = self.serving.resident_kib();
            assert!(since.elapsed() < PATIENCE, "{kept} KiB are kept, {before} were there before");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let kept = self.serving.resident_kib().saturating_sub(before);
        let fared = self.fared.lock().unwrap().take().expect("it was flooded");
        let thread = std::thread::current();
        let name = thread.name().unwrap_or_default();
        println!("{name}: grown by {grown} KiB, {kept} kept; {}", fared.told());
        assert!(fared.is_well(), "others were held up: {fared:?}");
        self.serving
    }
}

impl Regular {
    fn start(url: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let (url, own) = (format!("{url}/echo"), Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(ask_and_ask(&url, &own));
        });
        Self { thread: Some(thread), shared }
    }

    async fn wait_for(&self, round_trips: usize) {
        let since = Instant::now();
        let asked = || self.shared.round_trips.lock().unwrap().len();
        while asked() < round_trips {
            let alive = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
            assert!(alive && since.elapsed() < PATIENCE, "the regular client is not answered");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Its round trips that began and ended in this time.
    fn trips_between(&self, from: Instant, to: Instant) -> Vec<RoundTrip> {
        let round_trips = self.shared.round_trips.lock().unwrap();
        let within = |trip: &&RoundTrip| trip.began >= from && trip.began + trip.took <= to;
        round_trips.iter().filter(within).copied().collect()
    }

    /// How long they took.
    fn between(&self, from: Instant, to: Instant) -> Vec<Duration> {
        self.trips_between(from, to).iter().map(|trip| trip.took).collect()
    }
}

impl Drop for Regular {
    fn drop(&mut self) {
        self.shared.enough.store(true, Ordering::Relaxed);
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the regular client failed");
    }
}

async fn ask_and_ask(url: &str, shared: &Shared) {
    let mut client = Client::connect(url, Some(&token("alice", &[]))).await.unwrap();
    client.greeting().await;
    while !shared.enough.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.echo("\"are you there?\"").await;
        let took = began.elapsed();
        shared.round_trips.lock().unwrap().push(RoundTrip { began, took });
        // Its pace: a thousand a second at most.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    client.close().await;
}

/// All but one in a hundred were no longer.
fn percentile(round_trips: &[Duration]) -> Duration {
    let mut sorted = round_trips.to_vec();
    sorted.sort();
    sorted[(sorted.len() * 99 / 100).saturating_sub(1)]
}

fn median(mut all: Vec<Duration>) -> Option<Duration> {
    all.sort();
    all.get(all.len() / 2).copied()
}
