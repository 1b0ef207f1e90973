//! What a guest prints: whole lines, limited in length and rate, with the module's name. A guest
//! that prints without end fills neither the log nor memory.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::printable::printable;
use crate::rate::LineRate;

const MAX_LINE_BYTES: usize = 4_096;
const WRITE_PERMIT_BYTES: usize = 64 << 10;

/// The log of one module: standard output and standard error of all its instances.
#[derive(Debug)]
pub struct ModuleLog {
    module: Arc<str>,
    rate: LineRate,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Stdout,
    Stderr,
}

/// One of the two output streams.
#[derive(Debug)]
pub(super) struct LogStream {
    log: Arc<ModuleLog>,
    source: Source,
    line: Arc<Mutex<Vec<u8>>>,
}

impl ModuleLog {
    /// A log that takes so many lines per second.
    pub fn new(module: Arc<str>, lines_per_second: u32) -> Self {
        Self { module, rate: LineRate::new(lines_per_second) }
    }

    fn line(&self, source: Source, line: &[u8]) {
        let Some(admitted) = self.rate.admit() else { return };
        let module = &*self.module;
        if admitted.dropped_before > 0 {
            let dropped = admitted.dropped_before;
            tracing::warn!(module, dropped, "log lines dropped: more than limits.log_rate");
        }
        let text = String::from_utf8_lossy(line);
        // What is left of the end of a line, as other systems write it.
        let text = printable(text.strip_suffix('\r').unwrap_or(&text));
        match source {
            Source::Stdout => tracing::info!(target: "sporegate::guest", module, "{text}"),
            Source::Stderr => tracing::warn!(target: "sporegate::guest", module, "{text}"),
        }
    }
}

impl LogStream {
    pub(super) fn stdout(log: &Arc<ModuleLog>) -> Self {
        Self { log: Arc::clone(log), source: Source::Stdout, line: Arc::default() }
    }

    pub(super) fn stderr(log: &Arc<ModuleLog>) -> Self {
        Self { log: Arc::clone(log), source: Source::Stderr, line: Arc::default() }
    }

    fn share(&self) -> Self {
        Self { log: Arc::clone(&self.log), source: self.source, line: Arc::clone(&self.line) }
    }

    fn append(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
            }
            if *byte == b'\n' || line.len() >= MAX_LINE_BYTES {
                self.log.line(self.source, &line);
                line.clear();
            }
        }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.share())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.share())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT_BYTES)
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
