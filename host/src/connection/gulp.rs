//! Reads what has arrived in one system call, for a reader that asks for little at a time. What
//! the reader has not taken yet is kept only until it has: an idle stream holds no buffer. What it
//! takes is metered, and ends where a message has too many fragments. What is written is counted,
//! so that a peer that takes little can be told from one that takes nothing.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame_meter::{FrameMeter, TooManyFragments};

/// Most that one system call reads.
const GULP_BYTES: usize = 32 << 10;

thread_local! {
    /// One per thread, not per connection. Never held while anything waits.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; GULP_BYTES].into());
}

/// A stream with everything it has to read taken at once.
#[derive(Debug)]
pub struct Gulp<S> {
    stream: S,
    rest: Bytes,
    arrived: bool,
    taken_bytes: u64,
    meter: FrameMeter,
    metering: Metering,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metering {
    On,
    /// The next read fails.
    Failed,
    /// It has failed; from now on bytes are only bytes.
    Off,
}

/// What [`Gulp::poll_ahead`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// Something has come, or may have: there is no room for more.
    Arrived,
    Nothing,
    /// The peer sends nothing any more.
    Ended,
}

/// What a read fails with at the first fragment too many; all before has been read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a message has too many fragments")]
pub(super) struct Fragmented;

impl<S> Gulp<S> {
    /// A stream of which `early` was read before, whose messages may have so many fragments.
    pub fn new(stream: S, early: Bytes, max_fragments: u32) -> Self {
        // Also without a byte in them they can hold on to the buffer that they were read into.
        let rest = if early.is_empty() { Bytes::new() } else { early };
        let meter = FrameMeter::new(max_fragments);
        Self { stream, rest, arrived: false, taken_bytes: 0, meter, metering: Metering::On }
    }

    /// What has been read, as frames.
    pub(super) fn meter(&mut self) -> &mut FrameMeter {
        &mut self.meter
    }

    /// Whether anything has arrived since this was asked last, be it part of a message only.
    pub fn take_arrived(&mut self) -> bool {
        std::mem::take(&mut self.arrived)
    }

    /// Bytes that the stream has taken to be sent, since it was opened.
    pub(super) fn taken_bytes(&self) -> u64 {
        self.taken_bytes
    }

    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = buffer.remaining().min(self.rest.len());
        buffer.put_slice(&self.rest.split_to(count));
        if !self.rest.has_remaining() {
            self.rest = Bytes::new();
        }
    }
}

impl<S: AsyncRead + Unpin> Gulp<S> {
    /// Looks whether something has arrived, for a reader that takes nothing at the moment. What
    /// has is kept for it, up to the size of a gulp.
    pub(super) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Ahead {
        if self.rest.len() >= GULP_BYTES {
            return Ahead::Arrived;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut gulp = ReadBuf::new(scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut gulp) {
                Poll::Pending => Ahead::Nothing,
                Poll::Ready(Ok(())) if !gulp.filled().is_empty() => {
                    self.rest = [&self.rest, gulp.filled()].concat().into();
                    Ahead::Arrived
                }
                Poll::Ready(Ok(()) | Err(_)) => Ahead::Ended,
            }
        })
    }

    fn poll_bytes(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.has_remaining() {
            self.give(buffer);
            return Poll::Ready(Ok(()));
        }
        if buffer.remaining() >= GULP_BYTES {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            self.arrived |= buffer.filled().len() > before;
            return Poll::Ready(Ok(()));
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut gulp = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut gulp))?;
            let read = gulp.filled();
            self.arrived |= !read.is_empty();
            let (now, later) = read.split_at(read.len().min(buffer.remaining()));
            buffer.put_slice(now);
            if !later.is_empty() {
                self.rest = Bytes::copy_from_slice(later);
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gulp<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.metering != Metering::Failed {
            ready!(self.poll_bytes(context, buffer))?;
        }
        if self.metering == Metering::On {
            let fresh = buffer.filled().get(before..).unwrap_or_default();
            match self.meter.read(fresh) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(TooManyFragments { before: good }) => {
                    buffer.set_filled(before + good);
                    self.rest = Bytes::new();
                    self.metering = Metering::Failed;
                }
            }
        }
        // Nothing read would be the end of the stream.
        if self.metering == Metering::Failed && buffer.filled().len() == before {
            self.metering = Metering::Off;
            return Poll::Ready(Err(io::Error::other(Fragmented)));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gulp<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.taken_bytes += count as u64;
        }
        written
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn every_byte_comes_once_and_in_order() {
        let (mut writer, reader) = tokio::io::duplex(GULP_BYTES * 2);
        let sent: Vec<u8> = (0..GULP_BYTES * 2).map(|i| (i % 251) as u8).collect();
        let (early, later) = sent.split_at(10);
        let mut gulp = Gulp::new(reader, Bytes::copy_from_slice(early), u32::MAX);
        writer.write_all(later).await.unwrap();
        drop(writer);
        let mut received = Vec::new();
        for size in (1..100).cycle() {
            let mut part = vec![0; size];
            let count = gulp.read(&mut part).await.unwrap();
            if count == 0 {
                break;
            }
            received.extend_from_slice(&part[..count]);
        }
        assert!(received == sent);
        assert!(gulp.rest.is_empty());
    }

    #[tokio::test]
    async fn what_comes_before_a_fragment_too_many_is_read_and_then_it_fails_once() {
        let frames = |count: usize| {
            [&[0x01, 0x80, 1, 2, 3, 4][..], &[0x00, 0x80, 1, 2, 3, 4].repeat(count - 1)].concat()
        };
        for (early, size) in [(0, 1), (0, 7), (3, 4), (12, 64), (18, GULP_BYTES), (24, GULP_BYTES)]
        {
            let (mut writer, reader) = tokio::io::duplex(1 << 10);
            let sent = [frames(4), b"whatever comes then".to_vec()].concat();
            writer.write_all(&sent[early..]).await.unwrap();
            drop(writer);
            let mut gulp = Gulp::new(reader, Bytes::copy_from_slice(&sent[..early]), 3);
            let mut received = Vec::new();
            let mut part = vec![0; size];
            let error = loop {
                match gulp.read(&mut part).await {
                    Ok(count @ 1..) => received.extend_from_slice(&part[..count]),
                    Ok(0) => panic!("it ended"),
                    Err(error) => break error,
                }
            };
            assert!(error.get_ref().unwrap().is::<Fragmented>(), "{error}");
            assert_eq!(received, frames(3), "{early} {size}");
            // Then what is left is thrown away.
            while gulp.read(&mut part).await.unwrap() > 0 {}
        }
    }
}
