//! HTTP requests to the hosts that the sidecar grants in `[http]`. A response is read as it comes;
//! between two pieces a listener can [`flush`](crate::clients::flush) what it makes of them.
//!
//! ```no_run
//! use sporegate_guest::{Result, http};
//!
//! fn first_line(id: &str) -> Result<String> {
//!     let response = http::get(&format!("https://api.example.com/items/{id}"))?;
//!     if response.status() != 200 {
//!         return Err(format!("status {}", response.status()).into());
//!     }
//!     Ok(response.lines().next().transpose()?.unwrap_or_default())
//! }
//! ```

use std::fmt;
use std::time::Duration;

use crate::bindings::http::wasi::http::outgoing_handler;
use crate::bindings::http::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme, http_error_code,
};
use crate::bindings::http::wasi::io::streams::{InputStream, StreamError};

pub use crate::bindings::http::wasi::http::types::{ErrorCode, Method};

/// What one write to a stream may hold.
const WRITE_BYTES: usize = 4096;

/// What one read asks for.
const READ_BYTES: u64 = 16 << 10;

/// Gets a URL, `http://…` or `https://…`.
///
/// # Errors
/// Those of [`Request::send`].
pub fn get(url: &str) -> Result<Response, Error> {
    Request::new(Method::Get, url).send()
}

/// A request to be.
#[derive(Debug)]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    timeout: Option<Duration>,
}

/// A response whose head has come.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    chunks: Chunks,
}

/// The body of a response, piece by piece as it comes. After an error there is nothing more.
#[derive(Debug)]
pub struct Chunks {
    // Dropped first: it is a part of the body.
    stream: Option<InputStream>,
    _body: IncomingBody,
}

/// The body of a response, line by line: what is before each `\n`, and after the last one if that is
/// something. Bytes that are not UTF-8 become replacement characters.
#[derive(Debug)]
pub struct Lines {
    chunks: Option<Chunks>,
    rest: Vec<u8>,
}

/// Why there is no response, or not all of it.
#[derive(Debug)]
pub enum Error {
    /// What is asked for is no request: the URL, a header.
    Invalid(String),
    /// What the gateway or the other side says; shown by the name that the standard has for it.
    Failed(ErrorCode),
    /// The stream broke without a reason.
    Broken,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: &str) -> Self {
        let (headers, body) = Default::default();
        Self { method, url: url.to_owned(), headers, body, timeout: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits for so long at most: for the connection, for the response, and between two pieces of
    /// it. The limits of the sidecar and the time of the call hold all the same.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the request, and waits for the head of the response. No redirect is followed.
    ///
    /// # Errors
    /// No response came: the host is not granted or not there, or a limit is reached.
    pub fn send(self) -> Result<Response, Error> {
        let Url { scheme, authority, path } = Url::parse(&self.url)?;
        let invalid = |what: &str| Error::Invalid(what.to_owned());
        let headers = Fields::from_list(&self.headers)
            .map_err(|error| Error::Invalid(format!("a header: {error}")))?;
        let request = OutgoingRequest::new(headers);
        request.set_method(&self.method).map_err(|()| invalid("the method"))?;
        request.set_scheme(Some(&scheme)).map_err(|()| invalid("the scheme"))?;
        request.set_authority(Some(authority)).map_err(|()| invalid("the host of the URL"))?;
        request.set_path_with_query(Some(path)).map_err(|()| invalid("the path of the URL"))?;
        let options = self.timeout.map(options).transpose()?;
        let body = request.body().map_err(|()| invalid("the body"))?;
        let response = outgoing_handler::handle(request, options).map_err(Error::Failed)?;
        // Where it fails the response says why.
        let written = write(body, &self.body);
        let response = wait(&response)?;
        written?;
        Response::of(response)
    }
}

fn options(timeout: Duration) -> Result<RequestOptions, Error> {
    let options = RequestOptions::new();
    let nanoseconds = Some(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    let set = options
        .set_connect_timeout(nanoseconds)
        .and_then(|()| options.set_first_byte_timeout(nanoseconds))
        .and_then(|()| options.set_between_bytes_timeout(nanoseconds));
    set.map_err(|()| Error::Invalid("the timeout".to_owned()))?;
    Ok(options)
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| Error::Broken)?;
        for part in bytes.chunks(WRITE_BYTES) {
            stream.blocking_write_and_flush(part).map_err(|error| stream_error(&error))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(Error::Failed)
}

fn wait(response: &FutureIncomingResponse) -> Result<IncomingResponse, Error> {
    response.subscribe().block();
    match response.get() {
        Some(Ok(result)) => result.map_err(Error::Failed),
        Some(Err(())) | None => Err(Error::Broken),
    }
}

impl Response {
    fn of(response: IncomingResponse) -> Result<Self, Error> {
        let (status, headers) = (response.status(), response.headers().entries());
        let body = response.consume().map_err(|()| Error::Broken)?;
        let stream = body.stream().map_err(|()| Error::Broken)?;
        Ok(Self { status, headers, chunks: Chunks { stream: Some(stream), _body: body } })
    }

    /// The status, 200 for example.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of a name, in any case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| str::from_utf8(value).ok())
    }

    /// All headers.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The body as it comes.
    pub fn chunks(self) -> Chunks {
        self.chunks
    }

    /// The lines of the body as they come.
    pub fn lines(self) -> Lines {
        Lines { chunks: Some(self.chunks), rest: Vec::new() }
    }

    /// All of the body.
    ///
    /// # Errors
    /// It broke off.
    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        for chunk in self.chunks {
            all.extend(chunk?);
        }
        Ok(all)
    }
}

impl Iterator for Chunks {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_ref()?;
        match stream.blocking_read(READ_BYTES) {
            Ok(bytes) => Some(Ok(bytes)),
            Err(StreamError::Closed) => {
                self.stream = None;
                None
            }
            Err(error) => {
                let error = stream_error(&error);
                self.stream = None;
                Some(Err(error))
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(Ok(text(line.strip_suffix(b"\n").unwrap_or(&line))));
            }
            match self.chunks.as_mut().and_then(Iterator::next) {
                Some(Ok(chunk)) => self.rest.extend(chunk),
                // What is half a line is none.
                Some(Err(error)) => {
                    self.chunks = None;
                    self.rest.clear();
                    return Some(Err(error));
                }
                None if self.rest.is_empty() => return None,
                None => return Some(Ok(text(&std::mem::take(&mut self.rest)))),
            }
        }
    }
}

fn stream_error(error: &StreamError) -> Error {
    match error {
        StreamError::LastOperationFailed(error) => {
            http_error_code(error).map_or(Error::Broken, Error::Failed)
        }
        StreamError::Closed => Error::Broken,
    }
}

/// The parts of a URL that a request has.
#[derive(Debug)]
struct Url<'a> {
    scheme: Scheme,
    authority: &'a str,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Result<Self, Error> {
        let refuse = || Error::Invalid("the URL must begin with http:// or https://".to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(refuse)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(refuse()),
        };
        // What follows `#` is not for the server.
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        Ok(Self { scheme, authority, path: if path.is_empty() { "/" } else { path } })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => write!(f, "not a request: {what}"),
            Self::Failed(code) => {
                let name = format!("{code:?}");
                f.write_str(name.strip_prefix("ErrorCode::").unwrap_or(&name))
            }
            Self::Broken => f.write_str("the stream broke"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_its_parts() {
        for (url, https, authority, path) in [
            ("http://a", false, "a", "/"),
            ("HTTPS://a.example:8443/b/c?d=e", true, "a.example:8443", "/b/c?d=e"),
            ("http://[::1]:80?x", false, "[::1]:80", "?x"),
            ("http://a/b#c", false, "a", "/b"),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(matches!(parsed.scheme, Scheme::Https), https, "{url}");
            assert_eq!((parsed.authority, parsed.path), (authority, path), "{url}");
        }
        for url in ["", "a", "ftp://a", "//a"] {
            assert!(Url::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_error_is_shown_by_its_name() {
        assert_eq!(Error::Failed(ErrorCode::HttpRequestDenied).to_string(), "HttpRequestDenied");
        let large = Error::Failed(ErrorCode::HttpResponseBodySize(Some(1)));
        assert_eq!(large.to_string(), "HttpResponseBodySize(Some(1))");
    }
}
