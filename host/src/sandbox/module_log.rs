//! What a guest prints: whole lines, limited in length and rate, with the module's name, and the client
//! that its call is about. A guest that prints without end fills neither the log nor memory.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::printable::{excerpt, printable};
use crate::rate::LineRate;
use crate::session::ClientId;

const MAX_LINE_BYTES: usize = 4_096;
const WRITE_PERMIT_BYTES: usize = 64 << 10;

/// The log of one module: standard output and standard error of all its instances.
#[derive(Debug)]
pub struct ModuleLog {
    module: Arc<str>,
    rate: LineRate,
}

/// How much a line matters, as its module says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// One of the two output streams of an instance.
#[derive(Clone, Debug)]
pub(super) struct LogStream(Arc<Output>);

/// Whom the call of an instance is about, if it is about a client.
pub(super) type About = Arc<Mutex<Option<ClientId>>>;

/// What all handles of a stream share. What it holds of a line is logged when its call ends, or when
/// the last is dropped, which is with the instance.
#[derive(Debug)]
struct Output {
    log: Arc<ModuleLog>,
    level: LogLevel,
    about: About,
    line: Mutex<Vec<u8>>,
}

impl ModuleLog {
    /// A log that takes so many lines per second.
    pub fn new(module: Arc<str>, lines_per_second: u32) -> Self {
        Self { module, rate: LineRate::new(lines_per_second) }
    }

    /// A message, as one line or the beginning of it, with where it comes from if that is said.
    pub(super) fn message(
        &self,
        level: LogLevel,
        client: Option<ClientId>,
        context: &str,
        message: &str,
    ) {
        if self.admits() {
            let context = (!context.is_empty()).then_some(context);
            self.write(level, client, context, cut(message));
        }
    }

    /// What was printed, without the end of its line.
    fn line(&self, level: LogLevel, client: Option<ClientId>, line: &[u8]) {
        if self.admits() {
            let text = String::from_utf8_lossy(line);
            // What is left of the end of a line, as other systems write it.
            self.write(level, client, None, text.strip_suffix('\r').unwrap_or(&text));
        }
    }

    fn write(&self, level: LogLevel, client: Option<ClientId>, context: Option<&str>, text: &str) {
        let module = &*self.module;
        let client = client.map(|client| client.to_string());
        let client = client.as_deref();
        let context = context.map(excerpt);
        let context = context.as_deref();
        let text = printable(text);
        macro_rules! tell {
            ($level:ident) => {
                tracing::$level!(target: "sporegate::guest", module, client, context, "{text}")
            };
        }
        match level {
            LogLevel::Trace => tell!(trace),
            LogLevel::Debug => tell!(debug),
            LogLevel::Info => tell!(info),
            LogLevel::Warn => tell!(warn),
            LogLevel::Error => tell!(error),
        }
    }

    /// Whether one more line fits; tells of those that did not.
    fn admits(&self) -> bool {
        let Some(admitted) = self.rate.admit() else { return false };
        if admitted.dropped_before > 0 {
            let (module, dropped) = (&*self.module, admitted.dropped_before);
            tracing::warn!(module, dropped, "log lines dropped: more than limits.log_rate");
        }
        true
    }
}

/// The beginning of a text, as long as a line may be.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_LINE_BYTES)).unwrap_or(text)
}

impl LogStream {
    pub(super) fn stdout(log: &Arc<ModuleLog>, about: &About) -> Self {
        Self::new(log, about, LogLevel::Info)
    }

    pub(super) fn stderr(log: &Arc<ModuleLog>, about: &About) -> Self {
        Self::new(log, about, LogLevel::Warn)
    }

    fn new(log: &Arc<ModuleLog>, about: &About, level: LogLevel) -> Self {
        let (log, about) = (Arc::clone(log), Arc::clone(about));
        Self(Arc::new(Output { log, level, about, line: Mutex::default() }))
    }

    /// A call is over: the next one, of another client, begins a line of its own.
    pub(super) fn end_line(&self) {
        self.0.end_line();
    }
}

impl Output {
    fn client(&self) -> Option<ClientId> {
        *self.about.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_line(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if !line.is_empty() {
            self.log.line(self.level, self.client(), &line);
            line.clear();
        }
    }

    fn append(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte != b'\n' {
                line.push(*byte);
            }
            if *byte == b'\n' || line.len() >= MAX_LINE_BYTES {
                self.log.line(self.level, self.client(), &line);
                line.clear();
            }
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.end_line();
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.append(&bytes);
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
        self.0.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Written {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// The lines that are logged meanwhile: level and text.
    fn logged(what: impl FnOnce()) -> String {
        let written = Written::default();
        let format = tracing_subscriber::fmt().with_writer(written.clone()).with_ansi(false);
        let format = format.without_time().with_target(false);
        tracing::subscriber::with_default(format.finish(), what);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_ends_with_its_call_and_names_whom_it_is_about() {
        let log = Arc::new(ModuleLog::new("unit".into(), 100));
        let about = About::default();
        let id: ClientId = "0a".repeat(16).parse().unwrap();
        let lines = logged(|| {
            let stream = LogStream::stdout(&log, &about);
            stream.p2_stream().write("of the start".into()).unwrap();
            stream.end_line();
            *about.lock().unwrap() = Some(id);
            stream.p2_stream().write("of a\nclient".into()).unwrap();
            stream.end_line();
            stream.end_line();
            log.message(LogLevel::Error, Some(id), "", "with a level");
        });
        let lines: Vec<&str> = lines.lines().map(str::trim_start).collect();
        let client = format!("module=\"unit\" client=\"{id}\"");
        let expected = [
            "INFO of the start module=\"unit\"",
            &format!("INFO of a {client}"),
            &format!("INFO client {client}"),
            &format!("ERROR with a level {client}"),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_has_no_end_of_line_is_a_line_when_the_instance_is_dropped() {
        let log = Arc::new(ModuleLog::new("unit".into(), 100));
        let lines = logged(|| {
            let about = About::default();
            let stream = LogStream::stderr(&log, &about);
            let mut handle = stream.p2_stream();
            handle.write("first\nand last ".into()).unwrap();
            drop(handle);
            stream.p2_stream().write("words".into()).unwrap();
            tracing::info!("before the drop");
            drop(stream);
            LogStream::stdout(&log, &about).p2_stream().write("whole\n".into()).unwrap();
        });
        let lines: Vec<&str> = lines.lines().map(str::trim_start).collect();
        let module = "module=\"unit\"";
        let expected = [
            &format!("WARN first {module}"),
            "INFO before the drop",
            &format!("WARN and last words {module}"),
            &format!("INFO whole {module}"),
        ];
        assert_eq!(lines, expected);
    }
}
