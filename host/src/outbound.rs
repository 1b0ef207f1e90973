//! HTTP requests that modules make: to whom, with what limits, and what becomes of them. It knows
//! nothing of the engine.
//!
//! No request leaves for a host that the module is not granted, nor for an address that is not
//! public unless it is granted, too. No redirect is followed, no proxy of the environment used, no
//! connection kept for another request, and no request outlives the call that it was made in.

mod address;
mod body;
mod connect;
mod exchange;
mod failure;
mod network;
mod tls;

use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Body;
use hyper::{Method, Request, Uri};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use body::ResponseBody;
pub use exchange::Exchange;
pub use failure::{Failure, results};
pub use network::Script;
pub use tls::CaFileError;

use exchange::{Admitted, Tally, exchange};
use network::Network;
use tls::Tls;

use crate::config::{Destination, HttpGrant, Networks, authority};
use crate::counters::ModuleCounters;
use crate::limits::HttpLimits;
use crate::printable::excerpt;
use crate::rate::LineRates;

/// Log lines of one kind in a second, each about another module.
const LINES_PER_SECOND: usize = 16;

/// What all modules share.
#[derive(Debug)]
pub struct Outbound {
    places: Arc<Semaphore>,
    network: Network,
    lines: LineRates<Arc<str>>,
}

/// What it is made of.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// Requests of all modules at a time.
    pub requests: usize,
    /// Certificate authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// Makes the requests of one module.
#[derive(Debug)]
pub struct Client {
    module: Arc<str>,
    hosts: Vec<Destination>,
    private: Networks,
    limits: HttpLimits,
    places: Arc<Semaphore>,
    counters: Arc<ModuleCounters>,
    shared: Arc<Outbound>,
}

/// How long a module itself wants to wait; never longer than its limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// For a connection.
    pub connect: Option<Duration>,
    /// For the head of the response.
    pub first_byte: Option<Duration>,
    /// For each piece of the body.
    pub between_bytes: Option<Duration>,
}

/// The call that a request is made in.
#[derive(Clone, Debug)]
pub struct CallScope {
    /// The last moment at which the call can still do something with an answer.
    pub until: Instant,
    /// It is over.
    pub ended: CancellationToken,
}

/// A place among the requests of the module and of the gateway.
#[derive(Debug)]
struct Place {
    _permits: [OwnedSemaphorePermit; 2],
}

/// Whom a request goes to.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
    tls: bool,
}

impl Outbound {
    /// Reads the certificate authorities of the settings.
    pub fn new(settings: &OutboundSettings) -> Result<Self, CaFileError> {
        let tls = Tls::new(settings.ca_file.as_deref())?;
        Ok(Self::over(Network::System(tls), settings))
    }

    /// Reaches nothing but these services.
    pub fn scripted(script: Script, settings: &OutboundSettings) -> Self {
        Self::over(Network::Script(script), settings)
    }

    fn over(network: Network, settings: &OutboundSettings) -> Self {
        let places = Arc::new(Semaphore::new(settings.requests));
        Self { places, network, lines: LineRates::new(LINES_PER_SECOND) }
    }

    /// Tells about a module, once a second at most for each reason.
    fn tell(&self, module: &Arc<str>, reason: &'static str, host: &str) {
        if let Some(admitted) = self.lines.admit(reason, Arc::clone(module)) {
            let (module, dropped) = (&**module, admitted.dropped_before);
            let host = excerpt(host);
            tracing::warn!(module, reason, %host, dropped, "a request of a module was refused");
        }
    }
}

impl Client {
    /// The client of a module with these grants.
    pub fn new(
        module: Arc<str>,
        grant: &HttpGrant,
        counters: Arc<ModuleCounters>,
        shared: Arc<Outbound>,
    ) -> Self {
        let HttpGrant { hosts, private, limits } = grant.clone();
        let places = Arc::new(Semaphore::new(limits.requests as usize));
        Self { module, hosts, private, limits, places, counters, shared }
    }

    /// What its requests may use up.
    pub fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    /// Makes a request, whose address is absolute. What can be refused at once is, before the
    /// future is polled.
    ///
    /// # Errors
    /// Those of [`Failure`]; the body of the response has the same.
    pub fn send<B>(
        &self,
        request: Request<B>,
        patience: Patience,
        call: CallScope,
    ) -> impl Future<Output = Result<Exchange, Failure>> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let host = request.uri().authority().map_or("", |authority| authority.as_str());
        let mut tally = Tally::new(Arc::clone(&self.counters), host);
        let admitted = self.admit(request.method(), request.uri());
        if let Err(failure @ (Failure::Host | Failure::Request)) = &admitted {
            self.shared.tell(&self.module, failure.name(), host);
        }
        let refused = admitted.as_ref().err().copied();
        refused.iter().for_each(|failure| tally.end(Err(*failure)));
        let told = (Arc::clone(&self.shared), Arc::clone(&self.module), host.to_owned());
        async move {
            let result = exchange(request, admitted?, patience, call, tally).await;
            if let Err(failure @ Failure::Address) = &result {
                let (shared, module, host) = told;
                shared.tell(&module, failure.name(), &host);
            }
            result
        }
    }

    /// Whether it may be made, and room for it.
    fn admit(&self, method: &Method, uri: &Uri) -> Result<Admitted, Failure> {
        // The one opens a tunnel, the other tells what was sent on the way.
        if *method == Method::CONNECT || *method == Method::TRACE {
            return Err(Failure::Request);
        }
        let target = Target::of(uri)?;
        let Target { host, port, tls } = &target;
        let usual = usual_port(*tls);
        if !self.hosts.iter().any(|granted| granted.admits(host, *port, usual)) {
            return Err(Failure::Host);
        }
        let place = |among: &Arc<Semaphore>| {
            Arc::clone(among).try_acquire_owned().map_err(|_| Failure::TooMany)
        };
        let permits = [place(&self.places)?, place(&self.shared.places)?];
        Ok(Admitted {
            target,
            private: self.private.clone(),
            limits: self.limits,
            place: Arc::new(Place { _permits: permits }),
            shared: Arc::clone(&self.shared),
        })
    }
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, Failure> {
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(Failure::Request),
        };
        let given = uri.authority().ok_or(Failure::Request)?;
        let (host, port) = authority(given.as_str()).map_err(|_| Failure::Request)?;
        Ok(Self { host, port: port.unwrap_or(usual_port(tls)), tls })
    }

    /// What the header `Host` says.
    fn authority(&self) -> String {
        match self.port == usual_port(self.tls) {
            true => self.host.clone(),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

fn usual_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}
