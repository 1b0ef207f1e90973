//! Floods: what a hostile client does to the gateway, run as a process of its own, and what others
//! notice of it. Nothing of it leaves the machine, and each is over in seconds.
//!
//! Every flood shows three things besides the status or close code that it gets:
//!
//! - **Memory.** The peak of the process, as the kernel counts it, stays below what it was before
//!   plus the limit that the flood runs into and 1 MiB, for each connection that takes part; and
//!   when it is over every file descriptor of it is given back.
//! - **The others live on.** A client that was connected before asks all the time and gets every
//!   answer.
//! - **And are as fast as before.** The 99th percentile of its round trips may double. Two things
//!   keep that from failing on a busy machine: it is taken in windows of [`WINDOW`] round trips, of
//!   which the middle one counts, so that a pause of the machine spoils one window and not the
//!   result; and there is a floor, [`NOISE`], of a few time slices: flood, gateway and client share
//!   two cores with whatever else runs, and on an idle machine twice as much is still less than one
//!   slice. What it finds is a gateway that lets one client hold up another: that is hundreds of
//!   milliseconds in every window.
//!
//! Floods take turns, so that none measures another.

mod frames;
mod http;
mod json;
mod limits;
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
const WINDOWS: usize = 3;

/// A delay that may come from the machine.
const NOISE: Duration = Duration::from_millis(40);

/// What a connection may take besides the limit that it runs into.
const ALLOWANCE_KIB: u64 = 1 << 10;

static TURNS: Turns<()> = Turns::const_new(());

/// A gateway in a process of its own, with modules `echo` and `probe`, and its regular client.
struct Flooded {
    serving: Serving,
    regular: Regular,
    resident_kib: u64,
    files: usize,
    _turn: MutexGuard<'static, ()>,
}

/// A client that asks and waits for the answer, again and again, on a thread of its own.
struct Regular {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    round_trips: Mutex<Vec<Duration>>,
    enough: AtomicBool,
}

/// These `[limits]`, and nothing that the gateway sends by itself.
fn setup(limits: &str) -> Setup {
    TestGateway::with()
        .set("keep_alive = false")
        .table(&format!("[limits]\n{limits}"))
        .module("echo", "echo")
        .module("probe", "probe")
}

impl Flooded {
    /// A gateway that has been at work for a while: what it needs to serve at all is there.
    async fn start(setup: Setup) -> Self {
        let turn = TURNS.lock().await;
        let serving = Serving::start(setup, &[]).await;
        let regular = Regular::start(serving.url());
        regular.wait_for(WINDOW * (WINDOWS + 1)).await;
        serving.forget_peak();
        let (resident_kib, files) = (serving.resident_kib(), serving.open_files());
        Self { serving, regular, resident_kib, files, _turn: turn }
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

    /// Ends the measurement: asserts what the module doc says of so many connections, each with a
    /// limit of so many KiB. The connections must be gone, or go without being asked.
    async fn survived(self, connections: u64, limit_kib: u64) -> Serving {
        let peak = self.serving.peak_kib();
        let grown = peak.saturating_sub(self.resident_kib);
        let allowed = connections * (limit_kib + ALLOWANCE_KIB);
        assert!(
            grown <= allowed,
            "{grown} KiB more than the {} before, {allowed} are allowed",
            self.resident_kib
        );
        self.all_gone().await;
        let asked = self.regular.asked();
        self.regular.wait_for(asked + WINDOW).await;
        let (before, during) = self.regular.percentiles().await;
        let allowed = (before * 2).max(before + NOISE);
        assert!(during <= allowed, "p99 was {before:?} and became {during:?}");
        println!("grown by {grown} KiB; p99 {before:?} before and {during:?} meanwhile");
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

    /// How often it has been answered.
    fn asked(&self) -> usize {
        self.shared.round_trips.lock().unwrap().len()
    }

    async fn wait_for(&self, round_trips: usize) {
        let since = Instant::now();
        while self.asked() < round_trips {
            let alive = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
            assert!(alive && since.elapsed() < PATIENCE, "the regular client is not answered");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The middle one of the 99th percentiles before the flood, and since.
    async fn percentiles(&self) -> (Duration, Duration) {
        self.wait_for(WINDOW * (2 * WINDOWS + 1)).await;
        let round_trips = self.shared.round_trips.lock().unwrap();
        // The first window is its warming up.
        let windows: Vec<Duration> =
            round_trips.chunks_exact(WINDOW).skip(1).map(percentile).collect();
        let (before, during) = windows.split_at(WINDOWS);
        (middle(before), middle(during))
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
        let since = Instant::now();
        client.echo("\"are you there?\"").await;
        shared.round_trips.lock().unwrap().push(since.elapsed());
        // Its pace: a thousand a second at most.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    client.close().await;
}

/// The 99th percentile of a window: all but one round trip were no longer.
fn percentile(window: &[Duration]) -> Duration {
    let mut window = window.to_vec();
    window.sort();
    window[WINDOW - 2]
}

fn middle(durations: &[Duration]) -> Duration {
    let mut durations = durations.to_vec();
    durations.sort();
    durations[durations.len() / 2]
}
