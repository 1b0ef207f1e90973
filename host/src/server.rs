//! Accepts connections, answers plain HTTP, and turns requests that pass the gate into sessions.
//! No request body is ever read.

mod accept;
mod http;
mod page;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use accept::{BindError, bind, serve};

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
    /// Time a client has for its request head.
    pub handshake_timeout: Duration,
    /// Largest request head, in bytes; more gets 431.
    pub header_bytes: usize,
    /// Most header fields; more gets 431.
    pub header_count: usize,
}

/// Log lines per second about rejected requests.
const REJECTED_LINES_PER_SECOND: u32 = 5;

impl Server {
    /// A server that is ready, and accepts nothing yet.
    pub fn new(
        settings: ServerSettings,
        gate: Gate,
        registry: Arc<Registry>,
        dispatcher: Dispatcher,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            settings,
            gate,
            registry,
            dispatcher,
            counters,
            rejected_lines: LineRate::new(REJECTED_LINES_PER_SECOND),
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

/// Who is at the other end, for the log.
#[derive(Clone, Copy, Debug)]
struct Peer(SocketAddr);
