//! What the gateway tells about itself, as text for a scraper (OpenMetrics 1.0, which Prometheus
//! reads). It is put together at the moment of the scrape from numbers that are kept anyway: no
//! message waits for it, and nothing is walked that grows with the clients.

mod families;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::{Registry as Exposition, Unit};

use crate::counters::{Counters, OfPath};
use crate::registry::Registry;
use crate::sandbox::MemoryMeter;
use crate::store::Store;
use families::Families;

/// What answers a scrape is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The text of a scrape.
#[derive(Debug)]
pub struct Metrics {
    exposition: Exposition,
}

/// What the text is made of.
#[derive(Debug)]
pub struct Sources {
    /// What was counted.
    pub counters: Arc<Counters>,
    /// The clients.
    pub registry: Arc<Registry>,
    /// The memory of all modules.
    pub memory: Arc<MemoryMeter>,
    /// Where sessions outlive the process.
    pub store: Option<Arc<Store>>,
    /// Whether everybody may connect without credentials.
    pub insecure: bool,
}

impl Metrics {
    /// Metrics from these sources.
    pub fn new(sources: Sources) -> Self {
        let mut exposition = Exposition::default();
        exposition.register_collector(Box::new(sources));
        Self { exposition }
    }

    /// Everything as it is now.
    ///
    /// # Errors
    /// None in practice: a `String` takes all text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.exposition)?;
        Ok(text)
    }
}

impl Collector for Sources {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families::new(encoder);
        self.gateway(&mut families)?;
        self.connections(&mut families)?;
        self.sessions(&mut families)?;
        self.store(&mut families)?;
        self.messages(&mut families)?;
        self.modules(&mut families)
    }
}

impl Sources {
    fn gateway(&self, families: &mut Families<'_>) -> fmt::Result {
        families.info("sporegate_build", "Version that runs", &[("version", VERSION)])?;
        let help = "1 where clients without credentials are admitted everywhere";
        families.gauge("sporegate_insecure", help, None, [([], u64::from(self.insecure))])?;
        let help = "1 where no new clients are admitted, because the gateway stops";
        families.gauge("sporegate_draining", help, None, [([], self.counters.draining.get())])?;
        let help = "Errors of the operating system when a connection was accepted";
        let errors = self.counters.accept_errors.all();
        families.counter(
            "sporegate_accept_errors",
            help,
            None,
            errors.into_iter().map(|(reason, count)| ([("reason", reason)], count)),
        )
    }

    fn connections(&self, families: &mut Families<'_>) -> fmt::Result {
        let counters = &self.counters;
        let help = "Clients that are connected now, by pattern of [[paths]]";
        families.gauge("sporegate_connections", help, None, self.paths(OfPath::Connections))?;
        let help = "Most clients at a time";
        let most = self.registry.max_connections() as u64;
        families.gauge("sporegate_connections_limit", help, None, [([], most)])?;
        let help = "Clients that are connected now, under the name that Mashroom has for it";
        let all = counters.paths().iter().map(|path| path.get(OfPath::Connections)).sum();
        families.gauge("mashroom_websocket_connections_total", help, None, [([], all)])?;
        let help = "TCP connections that have not become clients";
        let http = counters.http_connections.get();
        families.gauge("sporegate_http_connections", help, None, [([], http)])?;
        let help = "Handshakes that were accepted";
        families.counter("sporegate_accepted", help, None, self.paths(OfPath::Accepted))?;
        let help = "Requests and connections that were turned away before the upgrade";
        let rejected = counters.rejected.all();
        let rejected = rejected.into_iter().map(|(reason, count)| ([("reason", reason)], count));
        families.counter("sporegate_rejected", help, None, rejected)?;
        let help = "Clients that have gone, by close code and who closed";
        let closed: Vec<_> = counters
            .closed
            .all()
            .into_iter()
            .map(|(why, n)| (why.code.to_string(), why, n))
            .collect();
        let closed = closed.iter().map(|(code, why, count)| {
            let labels = [("code", &**code), ("reason", why.reason), ("initiator", why.initiator)];
            (labels, *count)
        });
        families.counter("sporegate_closes", help, None, closed)?;
        let help = "Clients that did not do their half of a close in time";
        let late = [([], counters.close_timeouts.get())];
        families.counter("sporegate_close_timeouts", help, None, late)?;
        let help = "From a ping until its pong";
        families.durations("sporegate_ping_round_trip", help, [([], counters.ping.snapshot())])
    }

    fn sessions(&self, families: &mut Families<'_>) -> fmt::Result {
        let counters = &self.counters;
        let help = "Sessions that began";
        let opened = [([], counters.sessions_opened.get())];
        families.counter("sporegate_sessions_opened", help, None, opened)?;
        let help = "Sessions that ended";
        let ended = [([], counters.sessions_ended.get())];
        families.counter("sporegate_sessions_ended", help, None, ended)?;
        let help = "Clients that came back to their sessions";
        let resumed = [([], counters.resumed.get())];
        families.counter("sporegate_sessions_resumed", help, None, resumed)?;
        let help = "Clients that came back and got another session";
        let refused = counters.resumes_refused.all();
        let refused = refused.into_iter().map(|(reason, count)| ([("reason", reason)], count));
        families.counter("sporegate_resumes_refused", help, None, refused)?;
        let kept = self.registry.kept();
        let help = "Sessions that wait for their clients";
        families.gauge("sporegate_sessions_away", help, None, [([], kept.sessions() as u64)])?;
        let help = "Bytes of messages that are kept in them";
        let bytes = Some(&Unit::Bytes);
        families.gauge("sporegate_away", help, bytes, [([], kept.bytes() as u64)])?;
        let help = "Bytes that were written, and are kept until it is known that they arrived";
        families.gauge("sporegate_replay", help, bytes, self.paths(OfPath::ReplayBytes))
    }

    fn store(&self, families: &mut Families<'_>) -> fmt::Result {
        let Some(store) = &self.store else { return Ok(()) };
        let help = "1 where sessions outlive the process, 0 where the store fails or is behind";
        families.gauge("sporegate_store_up", help, None, [([], u64::from(store.is_well()))])?;
        let help = "Changes that were written to the store";
        families.counter("sporegate_store_writes", help, None, [([], store.committed())])?;
        let help = "How often writing to the store failed, or making it anew";
        families.counter("sporegate_store_failures", help, None, [([], store.failures())])?;
        let help = "Changes that were not written because the store was failing";
        families.counter("sporegate_store_skipped", help, None, [([], store.skipped())])?;
        let help = "Size of the files of the store";
        families.gauge("sporegate_store", help, Some(&Unit::Bytes), [([], store.bytes())])?;
        let help = "Sessions that an earlier process had left";
        let restored = [([], self.counters.sessions_restored.get())];
        families.counter("sporegate_sessions_restored", help, None, restored)?;
        let help = "Sessions that were left to the next start";
        let handed_over = [([], self.counters.sessions_handed_over.get())];
        families.counter("sporegate_sessions_handed_over", help, None, handed_over)?;
        let help = "Sessions that an earlier process had left, and that could not be read";
        let lost = [([], self.counters.sessions_lost.get())];
        families.counter("sporegate_sessions_lost", help, None, lost)
    }

    fn messages(&self, families: &mut Families<'_>) -> fmt::Result {
        let counters = &self.counters;
        let bytes = Some(&Unit::Bytes);
        let help = "Messages from clients";
        let numbers = self.paths(OfPath::MessagesReceived);
        families.counter("sporegate_messages_received", help, None, numbers)?;
        let help = "Bytes in messages from clients";
        families.counter("sporegate_received", help, bytes, self.paths(OfPath::BytesReceived))?;
        let help = "Messages to clients";
        families.counter(
            "sporegate_messages_sent",
            help,
            None,
            self.paths(OfPath::MessagesSent),
        )?;
        let help = "Bytes in messages to clients";
        families.counter("sporegate_sent", help, bytes, self.paths(OfPath::BytesSent))?;
        let help = "Messages that no listener wanted";
        let numbers = self.paths(OfPath::Unmatched);
        families.counter("sporegate_messages_unmatched", help, None, numbers)?;
        let help = "Messages that a limit dropped";
        let dropped = counters.dropped.all();
        let dropped = dropped.into_iter().map(|(reason, count)| ([("reason", reason)], count));
        families.counter("sporegate_messages_dropped", help, None, dropped)?;
        let help = "Sends to one client that a listener was refused";
        let refused = counters.sends_refused.all();
        let refused = refused.into_iter().map(|(reason, count)| ([("reason", reason)], count));
        families.counter("sporegate_sends_refused", help, None, refused)?;
        let help = "Bytes that wait for clients now";
        families.gauge("sporegate_outbox", help, bytes, self.paths(OfPath::OutboxBytes))?;
        let help = "From the arrival of a message until all its listeners have answered";
        let dispatch = counters.dispatch.snapshot();
        families.durations("sporegate_dispatch_duration", help, [([], dispatch)])
    }

    fn modules(&self, families: &mut Families<'_>) -> fmt::Result {
        let modules = self.counters.modules();
        let help = "Calls of listeners";
        let calls = modules.iter().map(|module| ([("module", module.name())], module.calls.get()));
        families.counter("sporegate_calls", help, None, calls)?;
        let help = "Calls of listeners that did not succeed; all but `refused` ended the instance";
        let failures = modules.iter().flat_map(|module| {
            let all = module.failures.all().into_iter();
            all.map(|(cause, count)| ([("module", module.name()), ("cause", cause)], count))
        });
        families.counter("sporegate_call_failures", help, None, failures)?;
        let help = "Calls of listeners, the wait for an instance included";
        let durations =
            modules.iter().map(|module| ([("module", module.name())], module.duration.snapshot()));
        families.durations("sporegate_call_duration", help, durations)?;
        // Of most modules there are none.
        let calling = modules.iter().filter(|module| module.outbound.get() > 0);
        let help = "HTTP requests of modules, by what became of them";
        let requests = calling.clone().flat_map(|module| {
            let all = module.outbound.all().into_iter();
            all.map(|(result, count)| ([("module", module.name()), ("result", result)], count))
        });
        families.counter("sporegate_outbound_requests", help, None, requests)?;
        let help = "HTTP requests of modules, until the end of the response";
        let durations = calling
            .map(|module| ([("module", module.name())], module.outbound_duration.snapshot()));
        families.durations("sporegate_outbound_duration", help, durations)?;
        let help = "Changes of modules, by what they came to";
        let swaps = self.counters.swaps.all();
        let swaps = swaps.into_iter().map(|(result, count)| ([("result", result)], count));
        families.counter("sporegate_module_changes", help, None, swaps)?;
        let help = "How long a swap kept a module from being called";
        let pause = self.counters.swap_pause.snapshot();
        families.durations("sporegate_swap_pause", help, [([], pause)])?;
        let help = "Memory of all instances of all modules";
        let used = self.memory.used() as u64;
        families.gauge("sporegate_module_memory", help, Some(&Unit::Bytes), [([], used)])
    }

    fn paths(&self, number: OfPath) -> impl Iterator<Item = ([(&str, &str); 1], u64)> {
        let paths = self.counters.paths().iter();
        paths.map(move |path| ([("path", path.pattern())], path.get(number)))
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
