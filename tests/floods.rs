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
//!   a client of its own that asks at the same pace. A flood goes on, again and again, until both
//!   have had [`WINDOWS`] windows of [`WINDOW`] round trips, and only what begins and ends within it
//!   counts. The middle one of the windows does, so that a pause of the machine spoils one window
//!   and not the result. To the double comes [`SLICE`]: the flooded gateway is at work and its
//!   threads have no claim on being the next to run, those of the idle control do. What it finds is
//!   a gateway that lets one client hold up another.
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

/// A time slice of the system, and a bit; more where the gateway is not optimised.
const SLICE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 5 });

/// What a connection may take besides the limit that it runs into.
const ALLOWANCE_KIB: u64 = 1 << 10;

/// What the allocator may keep.
const KEPT_KIB: u64 = 8 << 10;

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
    /// When it was flooded.
    flood: Mutex<Option<(Instant, Instant)>>,
    _turn: MutexGuard<'static, ()>,
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
            flood: Mutex::default(),
            _turn: turn,
        }
    }

    /// Floods it: a round again and again, until enough is known of how others fare meanwhile.
    async fn flood(&self, round: impl AsyncFn()) {
        let began = Instant::now();
        let enough = |regular: &Regular| regular.between(began, Instant::now()).len();
        loop {
            round().await;
            let least = WINDOW * WINDOWS;
            if enough(&self.regular) >= least && enough(&self.control) >= least {
                break;
            }
            assert!(began.elapsed() < 2 * PATIENCE, "the regular clients are hardly answered");
        }
        *self.flood.lock().unwrap() = Some((began, Instant::now()));
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
        let (began, ended) = self.flood.lock().unwrap().take().expect("it was flooded");
        let quiet = percentile(&self.regular.between(began - PATIENCE, began)[WINDOW..]);
        let flooded = percentile(&self.regular.between(began, ended));
        let machine = percentile(&self.control.between(began, ended));
        println!(
            "grown by {grown} KiB, {kept} kept; p99 {quiet:?} before, {flooded:?} meanwhile, \
             {machine:?} of the control"
        );
        let allowed = 2 * quiet.max(machine) + SLICE;
        assert!(
            flooded <= allowed,
            "p99 was {quiet:?} and became {flooded:?}, that of the control {machine:?}"
        );
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

    /// How long its round trips took that began and ended in this time.
    fn between(&self, from: Instant, to: Instant) -> Vec<Duration> {
        let round_trips = self.shared.round_trips.lock().unwrap();
        let within = |trip: &&RoundTrip| trip.began >= from && trip.began + trip.took <= to;
        round_trips.iter().filter(within).map(|trip| trip.took).collect()
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

/// The middle one of the 99th percentiles of all windows: in each of them all but one round trip
/// were no longer.
fn percentile(round_trips: &[Duration]) -> Duration {
    let mut of_windows: Vec<Duration> = round_trips
        .chunks_exact(WINDOW)
        .map(|window| {
            let mut window = window.to_vec();
            window.sort();
            window[WINDOW - 2]
        })
        .collect();
    of_windows.sort();
    of_windows[of_windows.len() / 2]
}
