//! One request and its response, on a connection of its own.
//!
//! ```text
//! connect --> send --> head of the response --> body, piece by piece --> end
//!    |         |              |                       |
//!    +---------+--------------+-----------------------+--> failure: time, size, the other side,
//!                                                          the end of the call
//! ```

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::body::{Piece, RequestBody, ResponseBody};
use super::connect::{Stream, connect};
use super::failure::{ANSWERED, Failure};
use super::{CallScope, Outbound, Patience, Place, Target};
use crate::config::Networks;
use crate::counters::ModuleCounters;
use crate::limits::HttpLimits;

/// Headers of a response, at most.
const MAX_HEADERS: usize = 128;

/// A response whose head has come.
pub struct Exchange {
    /// The head, and the body as it comes.
    pub response: Response<ResponseBody>,
    /// Brings the body; whoever drops it ends the connection.
    pub bringing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("status", &self.response.status()).finish_non_exhaustive()
    }
}

/// A request that may be made, with all that it needs.
pub(super) struct Admitted {
    pub(super) target: Target,
    pub(super) private: Networks,
    pub(super) limits: HttpLimits,
    pub(super) place: Arc<Place>,
    pub(super) shared: Arc<Outbound>,
}

/// Counts what becomes of a request, whatever that is.
pub(super) struct Tally {
    counters: Arc<ModuleCounters>,
    host: String,
    began: Clock,
    over: bool,
}

type Connection<B> = Pin<Box<http1::Connection<TokioIo<Box<dyn Stream>>, RequestBody<B>>>>;

impl Tally {
    pub(super) fn new(counters: Arc<ModuleCounters>, host: &str) -> Self {
        Self { counters, host: host.to_owned(), began: Clock::now(), over: false }
    }

    pub(super) fn end(&mut self, result: Result<(), Failure>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let name = result.map_or_else(Failure::name, |()| ANSWERED);
        let took = self.began.elapsed();
        self.counters.outbound.increment(name);
        self.counters.outbound_duration.record(took);
        let (module, host, ms) = (self.counters.name(), &*self.host, took.as_secs_f64() * 1e3);
        tracing::debug!(module, host, result = name, ms, "request of a module");
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.end(Err(Failure::GivenUp));
    }
}

/// Makes a request, and waits for the head of its response.
pub(super) async fn exchange<B>(
    request: Request<B>,
    admitted: Admitted,
    patience: Patience,
    call: CallScope,
    mut tally: Tally,
) -> Result<Exchange, Failure>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let ended = call.ended.clone();
    let head = tokio::select! {
        biased;
        () = ended.cancelled() => Err(Failure::GivenUp),
        head = head(request, &admitted, patience, &call) => head,
    };
    let (response, connection) = head.inspect_err(|failure| tally.end(Err(*failure)))?;
    let between = admitted.limits.between_bytes_timeout;
    let between = patience.between_bytes.map_or(between, |asked| asked.min(between));
    let (sender, pieces) = mpsc::channel(1);
    let (parts, incoming) = response.into_parts();
    let Admitted { limits, place, .. } = admitted;
    let bringing = async move {
        let _place = place;
        let brought = bring(incoming, connection, &sender, &limits, between, &call).await;
        tally.end(brought);
        let last = brought.map_or_else(Piece::Failed, |()| Piece::End);
        tokio::select! {
            biased;
            _ = sender.send(last) => {}
            () = call.ended.cancelled() => {}
            () = sleep_until(call.until) => {}
        }
    };
    let response = Response::from_parts(parts, ResponseBody::new(pieces));
    Ok(Exchange { response, bringing: Box::pin(bringing) })
}

async fn head<B>(
    request: Request<B>,
    admitted: &Admitted,
    patience: Patience,
    call: &CallScope,
) -> Result<(Response<Incoming>, Option<Connection<B>>), Failure>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Admitted { target, private, limits, place, shared } = admitted;
    let until = |limit: Duration, asked: Option<Duration>| {
        call.until.min(Instant::now() + asked.map_or(limit, |asked| asked.min(limit)))
    };
    let deadline = until(limits.connect_timeout, patience.connect);
    let stream = connect(target, private, &shared.network, place, deadline).await?;
    let broken = |error: hyper::Error| Failure::of(&error, limits.header_bytes);
    let (mut requests, connection) = http1::Builder::new()
        .max_buf_size(limits.header_bytes)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut connection: Connection<B> = Box::pin(connection);
    let request = finished(request, target, limits.request_bytes)?;
    let deadline = until(limits.first_byte_timeout, patience.first_byte);
    let mut open = true;
    let answer = async {
        let mut answer = std::pin::pin!(requests.send_request(request));
        loop {
            tokio::select! {
                biased;
                response = &mut answer => return response.map_err(broken),
                closed = &mut connection, if open => {
                    open = false;
                    closed.map_err(broken)?;
                }
            }
        }
    };
    let response = timeout_at(deadline, answer).await.unwrap_or(Err(Failure::FirstByteTimeout))?;
    if response.body().size_hint().lower() > limits.response_bytes {
        return Err(Failure::ResponseSize(limits.response_bytes));
    }
    Ok((response, open.then_some(connection)))
}

/// The request as it is written: to the host that was granted, and no other.
fn finished<B>(
    request: Request<B>,
    target: &Target,
    limit: u64,
) -> Result<Request<RequestBody<B>>, Failure> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    // The form for a server, not the one for a proxy.
    parts.uri = path.parse::<Uri>().map_err(|_| Failure::Request)?;
    let host = HeaderValue::from_str(&target.authority()).map_err(|_| Failure::Request)?;
    parts.headers.insert(HOST, host);
    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(Request::from_parts(parts, RequestBody::new(body, limit)))
}

/// Hands the body on as it comes, no faster than it is taken.
async fn bring<B>(
    mut incoming: Incoming,
    mut connection: Option<Connection<B>>,
    to: &Sender<Piece>,
    limits: &HttpLimits,
    between: Duration,
    call: &CallScope,
) -> Result<(), Failure>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut brought = 0;
    loop {
        let deadline = call.until.min(Instant::now() + between);
        let frame = loop {
            tokio::select! {
                biased;
                () = call.ended.cancelled() => return Err(Failure::GivenUp),
                () = to.closed() => return Err(Failure::GivenUp),
                frame = incoming.frame() => break frame,
                () = run(&mut connection), if connection.is_some() => {}
                () = sleep_until(deadline) => return Err(Failure::BetweenBytesTimeout),
            }
        };
        let frame = match frame {
            None => return Ok(()),
            Some(frame) => frame.map_err(|error| Failure::of(&error, limits.header_bytes))?,
        };
        brought += frame.data_ref().map_or(0, |data| data.remaining() as u64);
        if brought > limits.response_bytes {
            return Err(Failure::ResponseSize(limits.response_bytes));
        }
        tokio::select! {
            biased;
            () = call.ended.cancelled() => return Err(Failure::GivenUp),
            sent = to.send(Piece::Frame(frame)) => sent.map_err(|_| Failure::GivenUp)?,
            () = sleep_until(call.until) => return Err(Failure::GivenUp),
        }
    }
}

/// Lets the connection do its work until it is over. What is wrong with it comes by the body.
async fn run<B>(connection: &mut Option<Connection<B>>)
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Some(open) = connection {
        let _ = open.await;
    }
    *connection = None;
}
