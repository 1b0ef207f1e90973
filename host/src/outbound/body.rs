//! Bodies: what a module sends, counted, and what it gets, piece by piece.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::Receiver;

use super::failure::Failure;

/// What comes of a body.
pub(super) enum Piece {
    /// Some of it.
    Frame(Frame<Bytes>),
    /// There is no more.
    End,
    /// There would be more.
    Failed(Failure),
}

/// The body of a response. It breaks off with an error, never with an end, where it is not whole.
#[derive(Debug)]
pub struct ResponseBody {
    pieces: Receiver<Piece>,
    over: bool,
}

impl ResponseBody {
    pub(super) fn new(pieces: Receiver<Piece>) -> Self {
        Self { pieces, over: false }
    }
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Frame(_) => f.write_str("Frame"),
            Self::End => f.write_str("End"),
            Self::Failed(failure) => write!(f, "Failed({failure})"),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(context));
        Poll::Ready(match piece {
            Some(Piece::Frame(frame)) => Some(Ok(frame)),
            Some(Piece::End) => {
                self.over = true;
                None
            }
            Some(Piece::Failed(failure)) => {
                self.over = true;
                Some(Err(failure))
            }
            // Whoever brought it was ended.
            None => {
                self.over = true;
                Some(Err(Failure::GivenUp))
            }
        })
    }
}

/// The body of a request, which fails where it is larger than it may be.
pub(super) struct RequestBody<B> {
    inner: Pin<Box<B>>,
    sent: u64,
    limit: u64,
}

impl<B> RequestBody<B> {
    pub(super) fn new(inner: B, limit: u64) -> Self {
        Self { inner: Box::pin(inner), sent: 0, limit }
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B>
where
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(self.inner.as_mut().poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            self.sent += frame.data_ref().map_or(0, |data| data.remaining() as u64);
            if self.sent > self.limit {
                return Poll::Ready(Some(Err(Failure::RequestSize(self.limit).into())));
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
