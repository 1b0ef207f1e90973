//! A TCP connection until it is upgraded. It has so much time in all, whatever it does meanwhile:
//! a slow head, a stalled answer and an idle wait end alike. An address that is too long is
//! refused while it arrives, not after all of it was read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// Bytes of a request line besides the address: the longest method, spaces and the version.
const LINE_SLACK_BYTES: usize = 32;

const TIMEOUT_REPLY: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 43\r\nconnection: close\r\n\r\n\
    408 the request took too long; send at once";

const URI_REPLY: &[u8] = b"HTTP/1.1 414 URI Too Long\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 43\r\nconnection: close\r\n\r\n\
    414 the address is longer than the limit is";

/// Why a connection ends before its upgrade. Travels as the inner error of an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IntakeError {
    /// Its time was over in the middle of a request; it was answered with 408.
    #[error("the request was not whole in time")]
    SlowRequest,
    /// Its time was over and it had not said a word.
    #[error("it asked for nothing in time")]
    Silent,
    /// Its time was over and it did not take the answer.
    #[error("it did not take the answer in time")]
    Unread,
    /// Its time was over, and it had been answered whatever it had asked for.
    #[error("its time was over")]
    Idle,
    /// The request line was too long; it was answered with 414.
    #[error("the address is too long")]
    LongAddress,
}

/// A connection that is read by the HTTP side.
#[derive(Debug)]
pub(super) struct Intake {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    /// Bytes that the first line may still have; none once it has ended.
    line_room: Option<usize>,
    line_begun: bool,
    silent: bool,
    asked: bool,
    stalled: bool,
    ending: Arc<OnceLock<IntakeError>>,
}

impl Intake {
    /// A connection that has `time` for its upgrade, and addresses of at most `uri_bytes`.
    pub(super) fn new(stream: TcpStream, time: Duration, uri_bytes: usize) -> Self {
        Self {
            stream,
            deadline: Box::pin(tokio::time::sleep(time)),
            line_room: Some(uri_bytes.saturating_add(LINE_SLACK_BYTES)),
            line_begun: false,
            silent: true,
            asked: false,
            stalled: false,
            ending: Arc::default(),
        }
    }

    /// Where it is told why its time was over. Of a connection that waits for its first request the
    /// HTTP side keeps it to itself.
    pub(super) fn ending(&self) -> Arc<OnceLock<IntakeError>> {
        Arc::clone(&self.ending)
    }

    /// The connection, without any bound on its time.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Whether the time is over. Looked at before each read and write, for one who always has more
    /// to say never lets a timer ring.
    fn is_over(&self) -> bool {
        Instant::now() >= self.deadline.deadline()
    }

    /// An error once the time is over.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        ready!(self.deadline.as_mut().poll(context));
        if self.asked && !self.stalled {
            return Poll::Ready(self.refuse(TIMEOUT_REPLY, IntakeError::SlowRequest, context));
        }
        let why = match (self.silent, self.stalled) {
            (true, _) => IntakeError::Silent,
            (false, true) => IntakeError::Unread,
            (false, false) => IntakeError::Idle,
        };
        // Once is enough.
        let _ = self.ending.set(why);
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, why))
    }

    /// Answers as far as the socket takes it at once.
    fn refuse(&mut self, reply: &[u8], why: IntakeError, context: &mut Context<'_>) -> io::Error {
        // Whoever sends such requests may not read: nothing waits for it.
        let _ = Pin::new(&mut self.stream).poll_write(context, reply);
        self.asked = false;
        io::Error::new(io::ErrorKind::TimedOut, why)
    }

    /// Whether the first line has become too long.
    fn is_line_too_long(&mut self, new: &[u8]) -> bool {
        let Some(room) = self.line_room else { return false };
        // Line ends before a request are passed over (RFC 9112, section 2.2).
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let begin =
            if self.line_begun { Some(0) } else { new.iter().position(|b| !is_line_end(b)) };
        let Some(new) = begin.and_then(|begin| new.get(begin..)) else { return false };
        self.line_begun = true;
        let end = new.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(new.len());
        self.line_room = if end.is_some() { None } else { Some(room.saturating_sub(length)) };
        length > room
    }
}

impl AsyncRead for Intake {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over() {
            return self.poll_over(context).map(Err);
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.poll_over(context).map(Err),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                let new = buffer.filled().get(before..).unwrap_or_default();
                self.asked |= !new.is_empty();
                self.silent &= new.is_empty();
                if self.is_line_too_long(new) {
                    let error = self.refuse(URI_REPLY, IntakeError::LongAddress, context);
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Intake {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.stalled = written.is_pending();
        match written {
            Poll::Pending => self.poll_over(context).map(Err),
            // An answer: what came before it was whole.
            Poll::Ready(written) => {
                self.asked = false;
                Poll::Ready(written)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of a reply, by its content-length.
    fn body(reply: &[u8]) -> (usize, usize) {
        let text = std::str::from_utf8(reply).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        (length.parse().unwrap(), body.len())
    }

    #[test]
    fn the_fixed_replies_have_the_length_that_they_say() {
        for reply in [TIMEOUT_REPLY, URI_REPLY] {
            let (said, real) = body(reply);
            assert_eq!(said, real);
        }
    }
}
