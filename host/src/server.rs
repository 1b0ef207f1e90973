//! Accepts connections, answers plain HTTP, and turns requests that pass the gate into sessions.
//! No request body is ever read.

mod accept;
mod http;
mod intake;
mod page;
mod scrape;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use accept::{BindError, bind, serve};
pub use scrape::serve_metrics;

use crate::close::CloseReason;
use crate::counters::Counters;
use crate::dispatch::Dispatcher;
use crate::gate::Gate;
use crate::rate::LineRate;
use crate::registry::Registry;

/// What all connections of a server share.
#[derive(Debug)]
pub struct Server {
    settings: ServerSettings,
    gate: Gate,
    registry: Arc<Registry>,
    dispatcher: Dispatcher,
    counters: Arc<Counters>,
    rejected_lines: LineRate,
    accept_lines: LineRate,
    /// Room for connections that are no clients yet.
    handshakes: Arc<Semaphore>,
    next_connection: AtomicU64,
    ready: AtomicBool,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// Settings of the HTTP side.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Path under which clients connect, without a slash at the end.
    pub base_path: Arc<str>,
    /// Whether `<base path>/test` shows the test page.
    pub test_page: bool,
    /// Time from the TCP connection to the end of the upgrade; then it is closed, after a 408 if
    /// it is in the middle of a request.
    pub handshake_timeout: Duration,
    /// TCP connections at a time that are no clients yet; one more gets 503 and is closed.
    pub handshakes: usize,
    /// Longest request target, in bytes; a longer one gets 414.
    pub uri_bytes: usize,
    /// Largest request head, in bytes; more gets 431.
    pub header_bytes: usize,
    /// Most header fields; more gets 431.
    pub header_count: usize,
}

/// Log lines per second about rejected requests.
const REJECTED_LINES_PER_SECOND: u32 = 5;

/// Log lines per second about connections that could not be accepted.
const ACCEPT_LINES_PER_SECOND: u32 = 1;

/// Pause after an accept that failed for lack of something that others hold.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

impl Server {
    /// A server that is ready, and accepts nothing yet.
    pub fn new(
        settings: ServerSettings,
        gate: Gate,
        registry: Arc<Registry>,
        dispatcher: Dispatcher,
        counters: Arc<Counters>,
    ) -> Self {
        let handshakes = Arc::new(Semaphore::new(settings.handshakes));
        Self {
            settings,
            gate,
            registry,
            dispatcher,
            counters,
            rejected_lines: LineRate::new(REJECTED_LINES_PER_SECOND),
            accept_lines: LineRate::new(ACCEPT_LINES_PER_SECOND),
            handshakes,
            next_connection: AtomicU64::new(1),
            ready: AtomicBool::new(true),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Whether new connections are welcome.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// The clients.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// What was counted.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    fn next_connection(&self) -> u64 {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a connection that was turned away without a request, and tells it at a limited rate.
    fn turned_away(&self, peer: Peer, reason: &'static str, status: u16) {
        self.counters.rejected.increment(reason);
        if let Some(admitted) = self.rejected_lines.admit() {
            let (connection, more) = (peer.connection, admitted.dropped_before);
            tracing::info!(connection, peer = %peer.address, status, reason, more, "rejected");
        }
    }

    /// Stops: refuses new connections, closes every client, and waits until all disconnect
    /// listeners were told, at most for `timeout`. Returns whether it was in time.
    pub async fn stop(&self, timeout: Duration) -> bool {
        self.ready.store(false, Ordering::Relaxed);
        self.stopping.cancel();
        self.tasks.close();
        for session in self.registry.all() {
            session.close(CloseReason::GOING_AWAY);
        }
        tokio::time::timeout(timeout, self.tasks.wait()).await.is_ok()
    }
}

/// Who is at the other end of a TCP connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// Number of the connection in this process, for the log.
    connection: u64,
    address: SocketAddr,
}
