//! A service that listeners call, with all the manners that services have.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// A service on a free port of this machine; it goes with the test.
pub struct Service {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Connections that are open now, and that ever were.
    open: AtomicUsize,
    accepted: AtomicUsize,
    /// How often each path was asked for.
    asked: Mutex<BTreeMap<String, usize>>,
    /// Lines that `/items/…` may send.
    lines: Arc<Lines>,
}

struct Lines(Semaphore);

impl Default for Lines {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

impl Service {
    /// In plain text.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// With TLS, if there is an acceptor for it.
    pub async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        tokio::spawn(accept(listener, Arc::clone(&state), tls));
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Connections that ever were.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.state.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    /// Lets so many more lines of an item go.
    pub fn send_lines(&self, count: usize) {
        self.state.lines.0.add_permits(count);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, tls: Option<TlsAcceptor>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        state.accepted.fetch_add(1, Ordering::SeqCst);
        state.open.fetch_add(1, Ordering::SeqCst);
        let (state, tls) = (Arc::clone(&state), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, &state).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, &state).await;
                    }
                }
            }
            state.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: &Arc<State>) {
    let service = service_fn(|request| answer(request, Arc::clone(state)));
    // A broken connection is what some of them are for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    *state.asked.lock().unwrap().entry(path.clone()).or_default() += 1;
    let (first, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    Ok(match (first, rest) {
        ("hello", _) => whole("hello"),
        ("items", _) => {
            let rest = rest.to_owned();
            let lines = (1..=3).map(move |line| Ok(format!("line {line} of {rest}\n")));
            stepwise(lines.chain([Ok("the last".to_owned())]), &state)
        }
        ("bytes", _) => pieces(vec![Ok(Bytes::from_static(b"a\xffb\n\nlast\n"))]),
        ("slow-head", _) => std::future::pending().await,
        ("slow-body", _) => {
            let some = stream::iter([Ok(Frame::data("some".into()))]);
            Response::new(StreamBody::new(some.chain(stream::pending()).boxed()))
        }
        ("endless", _) => {
            let piece = || Ok(Frame::data(Bytes::from(vec![b'x'; 8 << 10])));
            Response::new(StreamBody::new(stream::repeat_with(piece).boxed()))
        }
        ("large", size) => whole(&"x".repeat(size.parse().unwrap())),
        ("broken", _) => {
            let broken = std::io::Error::other("as told");
            pieces(vec![Ok("some".into()), Err(broken)])
        }
        ("redirect", _) => {
            let mut answer = whole("elsewhere");
            *answer.status_mut() = StatusCode::FOUND;
            answer.headers_mut().insert("location", "/secret".parse().unwrap());
            answer
        }
        ("big-head", size) => {
            let mut answer = whole("small");
            let value = "x".repeat(size.parse().unwrap());
            answer.headers_mut().insert("x-big", value.parse().unwrap());
            answer
        }
        ("headers", _) => {
            let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
            let headers: Vec<_> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect();
            whole(&serde_json::to_string(&headers).unwrap())
        }
        ("post", _) => match request.into_body().collect().await {
            Ok(body) => whole(&body.to_bytes().len().to_string()),
            Err(_) => whole("broken off"),
        },
        _ => {
            let mut answer = whole("nothing here");
            *answer.status_mut() = StatusCode::NOT_FOUND;
            answer
        }
    })
}

fn whole(text: &str) -> Response<Body> {
    let mut answer = pieces(vec![Ok(Bytes::copy_from_slice(text.as_bytes()))]);
    answer.headers_mut().insert("content-length", text.len().into());
    answer
}

fn pieces(pieces: Vec<Result<Bytes, std::io::Error>>) -> Response<Body> {
    let frames = pieces.into_iter().map(|piece| piece.map(Frame::data));
    // Each by itself, so that what came before a break is on its way.
    let frames = stream::iter(frames).then(|frame| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        frame
    });
    Response::new(StreamBody::new(frames.boxed()))
}

/// A line each time that the test says so.
fn stepwise(
    lines: impl Iterator<Item = Result<String, std::io::Error>> + Send + 'static,
    state: &Arc<State>,
) -> Response<Body> {
    let allowed = Arc::clone(&state.lines);
    let frames = stream::iter(lines).then(move |line| {
        let allowed = Arc::clone(&allowed);
        async move {
            allowed.0.acquire().await.unwrap().forget();
            line.map(|line| Frame::data(Bytes::from(line)))
        }
    });
    Response::new(StreamBody::new(frames.boxed()))
}

/// A service that says the same to everybody, HTTP or not, then closes or resets.
pub async fn blunt(said: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(say(stream, said));
        }
    });
    address
}

async fn say(mut stream: TcpStream, said: &'static [u8]) {
    let mut request = [0; 1024];
    let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
    let _ = stream.write_all(said).await;
    // Whatever has not been read resets the connection.
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}
