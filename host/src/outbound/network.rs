//! What is reached: the network of the system, or services that only a script knows.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Target;
use super::connect::{Stream, admitted};
use super::failure::Failure;
use super::tls::Tls;
use crate::config::{HttpAnswer, Networks};
use crate::printable::excerpt;

/// What a service may have sent before somebody reads it, in bytes; as a kernel's buffers.
const BUFFERED_BYTES: usize = 64 << 10;

/// Where requests go.
#[derive(Debug)]
pub(super) enum Network {
    /// Out, with TLS where they want it.
    System(Tls),
    /// To services in memory, and nowhere else.
    Script(Script),
}

/// Services that say the same to whoever asks the same. TLS is not spoken with them.
#[derive(Debug)]
pub struct Script(Vec<Answer>);

/// An answer, and what it is one to.
#[derive(Clone, Debug)]
struct Answer {
    method: Method,
    url: Uri,
    head: Response<()>,
    body: Vec<Bytes>,
    breaks: bool,
}

impl Script {
    /// Services that answer this.
    ///
    /// # Errors
    /// One of the answers is not possible in HTTP.
    pub fn new(answers: &[HttpAnswer]) -> Result<Self, hyper::http::Error> {
        answers.iter().map(Answer::of).collect::<Result<_, _>>().map(Self)
    }

    /// Connects, if anything is said of the target at all, and with the checks that an address
    /// would have to pass.
    pub(super) fn connect(
        &self,
        target: &Target,
        private: &Networks,
    ) -> Result<Box<dyn Stream>, Failure> {
        let address = target.address();
        if let Some(address) = address {
            admitted(&[address], private)?;
        }
        let is_it = |answer: &&Answer| Target::of(&answer.url).as_ref() == Ok(target);
        let service = Self(self.0.iter().filter(is_it).cloned().collect());
        if service.0.is_empty() {
            let host = target.authority();
            let host = excerpt(&host);
            tracing::warn!(%host, "no [[http]] of the conversation has an answer of this host");
            return Err(address.map_or(Failure::NotFound, |_| Failure::Connect));
        }
        let (client, server) = tokio::io::duplex(BUFFERED_BYTES);
        tokio::spawn(async move { service.serve(server).await });
        Ok(Box::new(client))
    }

    /// Speaks HTTP/1.1 on a connection until that is over, as all of the services in one.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| {
            let response = self.answer(&request);
            async { Ok::<_, Infallible>(response) }
        });
        // One that breaks is what some of them are for.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let path = request.uri().path_and_query();
        let fits = |answer: &&Answer| {
            answer.method == request.method() && answer.url.path_and_query() == path
        };
        let Some(answer) = self.0.iter().find(fits) else {
            let asked = format!("{} {}", request.method(), request.uri());
            let asked = excerpt(&asked);
            tracing::warn!(%asked, "no [[http]] of the conversation answers this: it gets 404");
            let mut response = Response::new(body(&[], false));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        };
        answer.head.clone().map(|()| body(&answer.body, answer.breaks))
    }
}

impl Answer {
    fn of(answer: &HttpAnswer) -> Result<Self, hyper::http::Error> {
        let mut head = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            head = head.header(name, value);
        }
        let body = answer.body.iter().map(|piece| Bytes::copy_from_slice(piece.as_bytes()));
        Ok(Self {
            method: answer.method.parse()?,
            url: answer.url.parse()?,
            head: head.body(())?,
            body: body.collect(),
            breaks: answer.breaks,
        })
    }
}

impl Target {
    /// Its address, where the host is one.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        Some(SocketAddr::new(bare.parse::<IpAddr>().ok()?, self.port))
    }
}

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

fn body(pieces: &[Bytes], breaks: bool) -> Body {
    let mut frames: Vec<_> = pieces.iter().map(|piece| Ok(Frame::data(piece.clone()))).collect();
    if breaks {
        frames.push(Err(std::io::Error::other("the conversation says so")));
    }
    // Each piece leaves by itself: what comes before a break is on its way by then.
    let frames = stream::iter(frames).then(|frame| async {
        tokio::task::yield_now().await;
        frame
    });
    StreamBody::new(frames.boxed())
}
