//! What is measured between the begin and the end of a loaded window.
//!
//! Invariant: start-up, module compilation, connecting and warm-up lie outside of it.

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::process::{self, Cpu};
use crate::server::Server;

/// Longest latency that is told apart from longer ones.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// The samples at the begin of a window, and what happens in it.
pub(crate) struct Meter<'a> {
    server: &'a Server,
    begun: Instant,
    server_cpu: Cpu,
    own_cpu: Cpu,
    machine_cpu: Cpu,
    messages: u64,
    latency: Histogram<u64>,
}

/// The figures of one window.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Figures {
    /// Messages answered or delivered.
    pub(crate) messages: u64,
    /// Length of the window, seconds.
    pub(crate) seconds: f64,
    /// CPU time of the server per message, microseconds.
    pub(crate) cpu_us: f64,
    /// Messages per second.
    pub(crate) rate: f64,
    /// Median latency, microseconds.
    pub(crate) p50_us: f64,
    /// 99th percentile of the latency, microseconds.
    pub(crate) p99_us: f64,
    /// CPUs that the server kept busy.
    pub(crate) server_cpus: f64,
    /// CPUs that the generator kept busy.
    pub(crate) generator_cpus: f64,
    /// CPUs that everything else on the machine kept busy: above 0.15 the figures are noisy.
    pub(crate) other_cpus: f64,
}

impl<'a> Meter<'a> {
    /// Begins a window.
    pub(crate) fn begin(server: &'a Server) -> Result<Self> {
        Ok(Self {
            server,
            messages: 0,
            latency: Histogram::new_with_max(LATENCY_MAX_NS, 3)?,
            machine_cpu: process::machine()?,
            own_cpu: process::cpu(std::process::id())?,
            server_cpu: server.cpu()?,
            begun: Instant::now(),
        })
    }

    /// How long the window has been open.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Counts one answer and its latency.
    pub(crate) fn answered(&mut self, latency: Duration) {
        self.delivered(1);
        self.latency(latency);
    }

    /// Counts messages, without a latency.
    pub(crate) fn delivered(&mut self, messages: usize) {
        self.messages += messages as u64;
    }

    /// Records one latency.
    pub(crate) fn latency(&mut self, latency: Duration) {
        let ns = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_MAX_NS);
        self.latency.saturating_record(ns);
    }

    /// Ends the window.
    ///
    /// # Errors
    /// The server has ended, or nothing was answered.
    pub(crate) fn end(self) -> Result<Figures> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let server = self.server.cpu()?.since(self.server_cpu).as_secs_f64();
        let own = process::cpu(std::process::id())?.since(self.own_cpu).as_secs_f64();
        let machine = process::machine()?.since(self.machine_cpu).as_secs_f64();
        anyhow::ensure!(self.messages > 0, "{} answered nothing", self.server.name);
        let messages = self.messages as f64;
        Ok(Figures {
            messages: self.messages,
            seconds,
            cpu_us: server * 1e6 / messages,
            rate: messages / seconds,
            p50_us: self.latency.value_at_quantile(0.50) as f64 / 1e3,
            p99_us: self.latency.value_at_quantile(0.99) as f64 / 1e3,
            server_cpus: server / seconds,
            generator_cpus: own / seconds,
            other_cpus: ((machine - server - own) / seconds).max(0.0),
        })
    }
}
