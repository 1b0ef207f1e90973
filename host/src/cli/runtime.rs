//! The asynchronous runtime and the signals that a gateway obeys.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a future on all cores.
pub(super) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(future);
    // A thread that reads standard input cannot be stopped, and must not be waited for.
    runtime.shutdown_background();
    result
}

/// SIGINT, SIGTERM and SIGHUP, caught from the moment this is made.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// To end, by the signal of this name.
    Stop(&'static str),
    /// To look at the modules.
    Reload,
}

impl Signals {
    /// To be called within the runtime.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Asks {
        tokio::select! {
            _ = self.interrupt.recv() => Asks::Stop("SIGINT"),
            _ = self.terminate.recv() => Asks::Stop("SIGTERM"),
            _ = self.hangup.recv() => Asks::Reload,
        }
    }

    /// Waits for the next one that asks to end, and returns its name; for a gateway that stops.
    pub(super) async fn next_stop(&mut self) -> &'static str {
        loop {
            match self.next().await {
                Asks::Stop(name) => return name,
                Asks::Reload => tracing::info!("modules are not looked at: the gateway stops"),
            }
        }
    }
}
