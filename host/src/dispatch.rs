//! The only place that knows both clients and listeners. A message goes straight through it:
//! routes of its path, listeners that match, one call after the other, effects to the outboxes.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::close::CloseReason;
use crate::counters::{Counters, OfPath};
use crate::limits::OnFailure;
use crate::message::Payload;
use crate::modules::{Missed, Module, ModuleTable};
use crate::rate::LineRate;
use crate::registry::Registry;
use crate::router::{Content, DisconnectRoute, Matches, PathRoutes, Route};
use crate::sandbox::{CallFailure, DisconnectCall, MessageCall, Outcome};
use crate::session::{Dropped, Session};

pub use crate::modules::RouteCache;

/// Log lines per second about messages that nobody wanted, and about failing calls.
const UNMATCHED_LINES_PER_SECOND: u32 = 1;
const FAILURE_LINES_PER_SECOND: u32 = 10;

/// Sub path of the echo that never leaves native code; only for measuring.
const NATIVE_ECHO_PATH: &str = "/__native_echo";

/// Texts from this size on are looked through by a thread that leaves its other tasks to another one: to
/// read a mebibyte of JSON takes a millisecond, and what many of them take, the other clients of the
/// thread would wait for.
const LARGE_TEXT: usize = 128 << 10;

/// Messages that were dropped because their client is slow: the oldest, the newest, or replaced.
const OUTBOX_DROPS: [&str; 3] = ["outbox-oldest", "outbox-newest", "outbox-replaced"];

/// Every reason for which a message is dropped.
pub fn drops() -> Vec<&'static str> {
    let above_rate = [CloseReason::RATE, CloseReason::BYTE_RATE].map(|reason| reason.name());
    OUTBOX_DROPS.into_iter().chain(above_rate).collect()
}

/// Brings messages and disconnects to listeners.
#[derive(Debug)]
pub struct Dispatcher {
    registry: Arc<Registry>,
    modules: Arc<ModuleTable>,
    counters: Arc<Counters>,
    unmatched_lines: LineRate,
    failure_lines: LineRate,
    /// Who may look through a large text: one for each processor but one.
    large_texts: Semaphore,
    native_echo: bool,
}

impl Dispatcher {
    /// A dispatcher between these clients and these listeners.
    pub fn new(
        registry: Arc<Registry>,
        modules: Arc<ModuleTable>,
        counters: Arc<Counters>,
    ) -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self {
            registry,
            modules,
            counters,
            unmatched_lines: LineRate::new(UNMATCHED_LINES_PER_SECOND),
            failure_lines: LineRate::new(FAILURE_LINES_PER_SECOND),
            large_texts: Semaphore::new(processors.saturating_sub(1).max(1)),
            native_echo: false,
        }
    }

    /// Answers messages on one hidden path natively, to measure what a listener costs.
    #[must_use]
    pub fn with_native_echo(self, native_echo: bool) -> Self {
        Self { native_echo, ..self }
    }

    /// Calls every listener that wants the message, by priority, until one says stop. Returns why
    /// the client has to be closed, if it has to.
    pub async fn message(
        &self,
        session: &Arc<Session>,
        cache: &mut RouteCache,
        payload: Payload,
    ) -> Option<CloseReason> {
        self.counters.messages_received.increment();
        let sequence = session.received(payload.len());
        if self.native_echo && session.path().as_str() == NATIVE_ECHO_PATH {
            return session.send(payload).err().map(|_| CloseReason::SLOW_CONSUMER);
        }
        let began = self.counters.now();
        let mut mark = began;
        let received_at_ms = unix_ms();
        // Who has had the message, where a module was swapped meanwhile.
        let mut had: Vec<Listener> = Vec::new();
        'table: loop {
            let routes = self.modules.routes(session, cache);
            let roles = session.principal().roles();
            let mut matches = match payload {
                Payload::Text(ref text) if text.len() >= LARGE_TEXT => {
                    Box::pin(self.find_in_large(&routes, roles, text)).await
                }
                Payload::Text(_) | Payload::Binary(_) => routes.find(roles, content(&payload)),
            };
            if had.is_empty() && matches.len() == 0 {
                self.note_unmatched(session);
                return None;
            }
            let mut all = matches.clone();
            while let Some(route) = matches.next() {
                let module = &route.target;
                if !had.is_empty() && had.iter().any(|listener| listener.is(route)) {
                    continue;
                }
                let call = MessageCall {
                    listener: &route.name,
                    session,
                    payload: &payload,
                    path_params: route.matcher.captures(session.path()),
                    sequence,
                    received_at_ms,
                };
                let result = self.call_message(module, &call).await;
                if let Some(since) = &mut mark {
                    let now = Instant::now();
                    module.counters().duration.record(now - *since);
                    *since = now;
                }
                match result {
                    Ok(Outcome::Proceed) => {}
                    Ok(Outcome::Stop) => break 'table,
                    Err(Missed::Failed(CallFailure::Refused(_))) => {}
                    Err(Missed::Failed(CallFailure::Ended { .. })) => {
                        match session.policy().on_failure {
                            OnFailure::Skip => {}
                            OnFailure::Close => return Some(CloseReason::LISTENER_FAILED),
                        }
                    }
                    Err(Missed::Unavailable) => match session.policy().on_failure {
                        OnFailure::Skip => {}
                        OnFailure::Close => return Some(CloseReason::UNAVAILABLE),
                    },
                    // Whoever listens now gets it, each once.
                    Err(Missed::Retired) => {
                        let before = all.len() - matches.len() - 1;
                        had.extend(all.by_ref().take(before).map(|route| Listener::of(route)));
                        continue 'table;
                    }
                }
            }
            break;
        }
        if let (Some(began), Some(ended)) = (began, mark) {
            self.counters.dispatch.record(ended - began);
        }
        None
    }

    /// Takes an ended session out of every query, then tells its disconnect listeners, each once.
    pub async fn disconnected(&self, session: &Arc<Session>, reason: &CloseReason) {
        session.outbox().end();
        if !self.registry.remove(session) {
            return;
        }
        let mut told: Vec<Listener> = Vec::new();
        let mut routes = self.modules.disconnect_routes(session.path()).into_iter();
        while let Some(DisconnectRoute { target, module, name, .. }) = routes.next() {
            let listener = Listener { module, name };
            if told.contains(&listener) {
                continue;
            }
            let call = DisconnectCall { listener: &listener.name, session, reason };
            let began = self.counters.now();
            let result = target.on_disconnect(&call).await;
            if let Some(began) = began {
                target.counters().duration.record(began.elapsed());
            }
            self.modules.refresh(&target);
            match result {
                Ok(turn) => turn.finish().await,
                Err(Missed::Failed(failure)) => self.tell_failure(&target, session, &failure),
                // No disconnect is refused.
                Err(Missed::Unavailable) => {}
                Err(Missed::Retired) => {
                    routes = self.modules.disconnect_routes(session.path()).into_iter();
                    continue;
                }
            }
            told.push(listener);
        }
    }

    /// [`PathRoutes::find`] for what may take long.
    async fn find_in_large<'r>(
        &self,
        routes: &'r PathRoutes<Arc<Module>>,
        roles: &[Arc<str>],
        text: &str,
    ) -> Matches<'r, Arc<Module>> {
        let find = || routes.find(roles, Content::Text(text));
        // It is never closed.
        let _permit = self.large_texts.acquire().await;
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(find),
            _ => find(),
        }
    }

    async fn call_message(
        &self,
        module: &Arc<Module>,
        call: &MessageCall<'_>,
    ) -> Result<Outcome, Missed> {
        let result = module.on_message(call).await;
        self.modules.refresh(module);
        let result = match result {
            Ok(turn) => Ok(turn.finish().await),
            Err(missed) => Err(missed),
        };
        // It may have sent to clients who are away.
        self.registry.relieve();
        if let Err(Missed::Failed(failure)) = &result {
            self.tell_failure(module, call.session, failure);
        }
        result
    }

    /// The client of a session has shown that it has what it was sent so far, its token included.
    pub fn confirm_token(&self, session: &Session) {
        self.registry.confirm_token(session);
    }

    /// Counts how long after a ping its pong came.
    pub fn count_round_trip(&self, after_ping: Option<Duration>) {
        if let Some(elapsed) = after_ping {
            self.counters.ping.record(elapsed);
        }
    }

    /// Counts messages for a slow client that were dropped.
    pub fn count_dropped(&self, dropped: Dropped) {
        let counts = [dropped.oldest, dropped.newest, dropped.replaced];
        for (reason, count) in OUTBOX_DROPS.into_iter().zip(counts) {
            if count > 0 {
                self.counters.dropped.add(reason, u64::from(count));
            }
        }
    }

    /// Counts a client that did not do its half of a close in time.
    pub fn count_close_timeout(&self) {
        self.counters.close_timeouts.increment();
    }

    /// Counts a message of a client that was dropped because it sends too fast, by why it would
    /// have been closed for it elsewhere.
    pub fn count_over_rate(&self, reason: &CloseReason) {
        self.counters.dropped.increment(reason.name());
    }

    fn note_unmatched(&self, session: &Session) {
        self.counters.unmatched.increment();
        session.counters().add(OfPath::Unmatched, 1);
        if let Some(admitted) = self.unmatched_lines.admit() {
            let path = session.path().as_str();
            let client = session.id_text();
            let more = admitted.dropped_before;
            tracing::warn!(path, client, more, "no listener wants this message");
        }
    }

    /// The module has counted it.
    fn tell_failure(&self, module: &Module, session: &Session, failure: &CallFailure) {
        let Some(admitted) = self.failure_lines.admit() else { return };
        let name = &**module.name();
        let (revision, cause) = (module.digest(), failure.cause());
        let client = session.id_text();
        let more = admitted.dropped_before;
        tracing::warn!(module = name, %revision, client, cause, more, "listener failed: {failure}");
    }
}

/// A listener by its names, whatever revision of its module it is of.
#[derive(Debug, PartialEq, Eq)]
struct Listener {
    module: Arc<str>,
    name: Arc<str>,
}

impl Listener {
    fn of<T>(route: &Route<T>) -> Self {
        Self { module: Arc::clone(&route.module), name: Arc::clone(&route.name) }
    }

    fn is<T>(&self, route: &Route<T>) -> bool {
        self.module == route.module && self.name == route.name
    }
}

fn content(payload: &Payload) -> Content<'_> {
    match payload {
        Payload::Text(text) => Content::Text(text),
        Payload::Binary(bytes) => Content::Binary(bytes),
    }
}

fn unix_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
