//! How long sessions wait for their clients, how much is kept for these, and where. The names of the
//! original for the time and the folder are accepted.

use std::path::PathBuf;
use std::time::Duration;

use super::section::Section;
use super::units::ByteSize;

/// What is kept for clients who are away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// How long a session waits for its client where no path says otherwise; none: not at all.
    pub timeout: Option<Duration>,
    /// Most sessions that wait for their clients; who left first is given up for one more.
    pub sessions: u32,
    /// Bytes of messages in all of them, likewise.
    pub memory_bytes: usize,
    /// Where sessions outlive the process; none: nowhere.
    pub folder: Option<PathBuf>,
}

const TIMEOUTS: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(24 * 3_600));

/// Reads all of it at the top of the file.
pub(super) fn read(top: &mut Section<'_, '_>) -> Reconnect {
    top.alias("reconnect_timeout", "reconnectTimeoutSec");
    let (least, most) = TIMEOUTS;
    let timeout = top.read_in("reconnect_timeout", Duration::from_secs(5), least..=most);
    let sessions = top.read_in("reconnect_sessions", 10_000, 1..=10_000_000);
    let memory = (ByteSize::kib(64), ByteSize::gib(64));
    let memory = top.read_in("reconnect_memory", ByteSize::mib(64), memory.0..=memory.1);
    top.alias("reconnect_folder", "reconnectMessageBufferFolder");
    top.alias("reconnect_folder", "tmpFileStorePath");
    let folder = top.optional("reconnect_folder", "none");
    Reconnect { timeout: some(timeout), sessions, memory_bytes: memory.as_len(), folder }
}

/// Reads how long a session waits in an entry of `[[paths]]`.
pub(super) fn read_timeout(
    entry: &mut Section<'_, '_>,
    above: Option<Duration>,
) -> Option<Duration> {
    let (least, most) = TIMEOUTS;
    let own = entry.optional_in("reconnect_timeout", "as above", least..=most);
    own.map_or(above, some)
}

fn some(timeout: Duration) -> Option<Duration> {
    Some(timeout).filter(|timeout| !timeout.is_zero())
}
