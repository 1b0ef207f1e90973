//! Accepts connections, answers plain HTTP, and turns requests that pass the gate into sessions.
//! No request body is ever read.

mod accept;
mod drain;
mod forwarded;
mod http;
mod intake;
mod life;
mod lobby;
mod memory;
mod page;
mod restore;
mod scrape;
mod spare;
mod upgrade;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use accept::{ACCEPT_ERRORS, BindError, bind, serve};
pub use drain::{DrainSettings, Remaining};
pub use memory::default_memory_limit;
pub use scrape::serve_metrics;

use self::lobby::{Lobby, NoPlace};
use self::spare::Spare;
use crate::admission::AddressKey;
use crate::auth::AuthError;
use crate::config::{ForwardedHeader, Networks};
use crate::counters::Counters;
use crate::dispatch::Dispatcher;
use crate::gate::{Gate, Rejection, Remote};
use crate::rate::{Buckets, LineRate, LineRates};
use crate::registry::Registry;
use crate::store::Store;

/// What all connections of a server share.
#[derive(Debug)]
pub struct Server {
    settings: ServerSettings,
    gate: Gate,
    registry: Arc<Registry>,
    dispatcher: Dispatcher,
    counters: Arc<Counters>,
    store: Option<Arc<Store>>,
    attempts: Option<Buckets<AddressKey>>,
    failed_logins: Option<Buckets<AddressKey>>,
    rejected_lines: LineRates<AddressKey>,
    ended_lines: LineRates<AddressKey>,
    accept_lines: LineRate,
    lobby: Lobby,
    spare: Spare,
    next_connection: AtomicU64,
    /// Nobody comes any more, and nobody who is away comes back.
    stopping: CancellationToken,
    /// Nobody is answered any more.
    stopped: CancellationToken,
    /// Clients, each until its disconnect listeners were told.
    sessions: TaskTracker,
    /// TCP connections that are no clients, scrapers included.
    requests: TaskTracker,
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
    /// How many of them one address has that is no proxy's; one more gets 429 and is closed.
    pub handshakes_per_address: usize,
    /// Handshakes of one address in a second; zero: any number.
    pub connect_rate: u32,
    /// Handshakes that an address may have in one go.
    pub connect_burst: u32,
    /// Bad credentials of one address in a minute; zero: any number.
    pub failed_logins: u32,
    /// Who is believed when it says for whom it asks.
    pub proxies: Networks,
    /// Where it says so.
    pub forwarded_header: ForwardedHeader,
    /// Longest request target, in bytes; a longer one gets 414.
    pub uri_bytes: usize,
    /// Largest request head, in bytes; more gets 431.
    pub header_bytes: usize,
    /// Most header fields; more gets 431.
    pub header_count: usize,
    /// How it stops.
    pub drain: DrainSettings,
}

/// Log lines per second and reason about rejected requests, and about clients that were closed
/// for what they did; one of each address.
const REJECTED_LINES_PER_SECOND: usize = 10;
const ENDED_LINES_PER_SECOND: usize = 10;

/// Addresses that limits of rates remember, at some 40 bytes each.
const REMEMBERED_ADDRESSES: usize = 65_536;

/// Log lines per second about connections that could not be accepted.
const ACCEPT_LINES_PER_SECOND: u32 = 1;

/// Pause after an accept that failed for lack of something that others hold.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Every reason for which a server turns away a request or a connection.
pub fn rejections() -> Vec<&'static str> {
    let of_requests = Rejection::REASONS.into_iter().chain(AuthError::REASONS);
    let of_connections = http::REFUSALS.into_iter().chain(NoPlace::ALL.map(NoPlace::reason));
    of_requests.chain(of_connections).collect()
}

impl Server {
    /// A server that is ready, and accepts nothing yet.
    pub fn new(
        settings: ServerSettings,
        gate: Gate,
        registry: Arc<Registry>,
        dispatcher: Dispatcher,
        counters: Arc<Counters>,
    ) -> Self {
        let lobby = Lobby::new(
            settings.handshakes,
            settings.handshakes_per_address,
            settings.proxies.clone(),
        );
        Self {
            gate,
            registry,
            dispatcher,
            counters,
            store: None,
            attempts: Buckets::new(
                settings.connect_rate,
                Duration::from_secs(1),
                settings.connect_burst,
                REMEMBERED_ADDRESSES,
            ),
            failed_logins: Buckets::new(
                settings.failed_logins,
                Duration::from_secs(60),
                settings.failed_logins,
                REMEMBERED_ADDRESSES,
            ),
            rejected_lines: LineRates::new(REJECTED_LINES_PER_SECOND),
            ended_lines: LineRates::new(ENDED_LINES_PER_SECOND),
            accept_lines: LineRate::new(ACCEPT_LINES_PER_SECOND),
            lobby,
            spare: Spare::default(),
            next_connection: AtomicU64::new(1),
            settings,
            stopping: CancellationToken::new(),
            stopped: CancellationToken::new(),
            sessions: TaskTracker::new(),
            requests: TaskTracker::new(),
        }
    }

    /// Sessions outlive the process in this store.
    #[must_use]
    pub fn with_store(self, store: Option<Arc<Store>>) -> Self {
        Self { store, ..self }
    }

    /// Whether what is kept for clients who are away would outlive the process, where it should.
    fn keeps_sessions(&self) -> bool {
        self.store.as_ref().is_none_or(|store| store.is_well())
    }

    /// Whether new connections are welcome.
    pub fn is_ready(&self) -> bool {
        !self.stopping.is_cancelled()
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

    /// Where a request comes from.
    fn remote(&self, peer: Peer, headers: &HeaderMap) -> Remote {
        let ServerSettings { proxies, forwarded_header, .. } = &self.settings;
        let peer = peer.address.ip();
        Remote { peer, client: forwarded::client(peer, headers, proxies, *forwarded_header) }
    }

    /// Before any work for a handshake: whether its address may have one more.
    fn admit_attempt(&self, client: IpAddr) -> Result<(), Rejection> {
        if self.attempts.is_none() && self.failed_logins.is_none() {
            return Ok(());
        }
        let (key, now) = (AddressKey::from(client), Instant::now());
        if let Some(failed) = &self.failed_logins {
            failed.look(&key, now).map_err(Rejection::FailedLogins)?;
        }
        match &self.attempts {
            Some(attempts) => attempts.take(&key, now).map_err(Rejection::ConnectRate),
            None => Ok(()),
        }
    }

    /// Remembers bad credentials against their address.
    fn note_failed_login(&self, client: IpAddr) {
        if let Some(failed) = &self.failed_logins {
            // An empty bucket cannot become emptier.
            let _ = failed.take(&AddressKey::from(client), Instant::now());
        }
    }

    /// Counts a connection that was turned away without a request, and tells it at a limited rate.
    fn turned_away(&self, peer: Peer, reason: &'static str, status: Option<u16>) {
        self.counters.rejected.increment(reason);
        let address = AddressKey::from(peer.address.ip());
        if let Some(admitted) = self.rejected_lines.admit(reason, address) {
            let (connection, more) = (peer.connection, admitted.dropped_before);
            tracing::info!(connection, peer = %peer.address, status, reason, more, "rejected");
        }
    }
}

/// Who is at the other end of a TCP connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// Number of the connection in this process, for the log.
    connection: u64,
    address: SocketAddr,
}
