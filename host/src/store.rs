//! What outlives the process: sessions, the messages that wait for their clients, and the states
//! that listeners leave to the next start. One thread writes it to an SQLite database, everything
//! that has gathered at a time in one transaction.
//!
//! ```text
//! Working --a write fails--> Failing --the files could be made anew--> Behind
//!    ^                          ^                                        |
//!    |                          +----------a write fails----------------+
//!    +--every session was saved again: [`Store::is_complete`]-----------+
//! ```
//!
//! Invariant: the memory is what holds, the store only follows it. What it says of a session is
//! either all that the session had at one moment or nothing: where a write fails the files go, for
//! a session with a gap that nobody knows is worse than none.

mod database;
mod folder;
mod record;
mod values;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

pub use self::folder::FolderError;
pub use self::record::{LeftState, SessionRecord, Standing, StoredSession, Token};

use self::writer::Op;
use crate::keyvalue::{Bucket, StoredValue};
use crate::message::Payload;

/// A call waits so long for what it sent to clients who are away to be written. Longer, and the
/// store counts as stalled: until it has caught up nobody waits for it.
const PATIENCE: Duration = Duration::from_millis(250);

/// The store of one gateway. All of it but [`Store::settled`] returns at once.
#[derive(Debug)]
pub struct Store {
    ops: Sender<Op>,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and those who ask share.
#[derive(Debug, Default)]
struct Shared {
    health: AtomicU8,
    stalled: AtomicBool,
    anew: Notify,
    committed: AtomicU64,
    failures: AtomicU64,
    skipped: AtomicU64,
    bytes: AtomicU64,
}

/// What was found when it was opened.
#[derive(Debug, Default)]
pub struct Found {
    /// Every session, in the order in which they began.
    pub sessions: Vec<StoredSession>,
    /// What listeners left.
    pub states: Vec<LeftState>,
    /// What modules keep, by bucket and key.
    pub values: Vec<StoredValue>,
    /// Whether the gateway before had stopped in an orderly way.
    pub clean: bool,
    /// Sessions that could not be read, or not all of whose messages could.
    pub damaged: u64,
    /// Values of modules that could not be read.
    pub damaged_values: u64,
    /// Where files that are no store, or one that cannot be read at all, were put aside.
    pub aside: Option<PathBuf>,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not right.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Another gateway has it.
    #[error(
        "{}: another process uses it; every gateway needs a reconnect_folder of its own", .0.display()
    )]
    InUse(PathBuf),
    /// The library says no.
    #[error("{}: {source}; mend it, or remove the file and lose the sessions in it", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// No thread for the writer.
    #[error("the thread that writes the store: {0}")]
    Thread(std::io::Error),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Health {
    Working,
    /// It is new, and does not know all sessions yet.
    Behind,
    Failing,
}

impl Store {
    /// Opens the store in a folder, which is made where there is none, and reads all of it.
    ///
    /// # Errors
    /// It cannot be written, or is in use. A file that is damaged is no error: see
    /// [`Found::aside`].
    pub fn open(folder: &Path) -> Result<(Self, Found), OpenError> {
        let (database, found) = database::open(folder)?;
        let shared = Arc::new(Shared::default());
        let (ops, queue) = std::sync::mpsc::channel();
        let writing = writer::Writer::new(database, folder, Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("store".to_owned());
        let writer = thread.spawn(move || writing.run(&queue)).map_err(OpenError::Thread)?;
        Ok((Self { ops, shared, writer: Mutex::new(Some(writer)) }, found))
    }

    /// Saves a session with exactly these messages, in the place of all that was known of it.
    pub fn put(&self, record: SessionRecord, messages: Vec<Payload>) {
        self.ask(Op::Put { record: Box::new(record), messages });
    }

    /// Adds a message to a session that waits for its client.
    pub fn append(&self, id: u128, payload: Payload) {
        self.ask(Op::Append { id, payload });
    }

    /// Forgets a session: all that had to happen at its end has happened.
    pub fn forget(&self, id: u128) {
        self.ask(Op::Forget { id });
    }

    /// Has the writer take what has changed in a bucket, when it comes to it.
    pub fn save(&self, bucket: Arc<Bucket>) {
        self.ask(Op::Values(bucket));
    }

    /// Waits until everything that this thread has asked for outlives the process. Returns at once
    /// where the store is failing or stalled, and when it turns out to be.
    pub async fn settled(&self) -> bool {
        if self.shared.health() == Health::Failing || self.shared.stalled.load(Ordering::Relaxed) {
            return false;
        }
        let (done, settled) = oneshot::channel();
        if self.ops.send(Op::Mark(done)).is_err() {
            return false;
        }
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(answer) => answer.is_ok(),
            Err(_) => {
                if !self.shared.stalled.swap(true, Ordering::Relaxed) {
                    tracing::error!("the store does not answer; nobody waits for it until it does");
                }
                false
            }
        }
    }

    /// Resolves whenever the files had to be made anew: every session has to be saved again, and
    /// then [`Self::is_complete`] called.
    pub async fn made_anew(&self) {
        self.shared.anew.notified().await;
    }

    /// Every session has been saved since the files were made anew.
    pub async fn is_complete(&self) {
        if self.settled().await {
            let _ = self.shared.health.compare_exchange(
                Health::Behind as u8,
                Health::Working as u8,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
        }
    }

    /// Whether what is accepted for a client that is away would outlive the process now.
    pub fn is_well(&self) -> bool {
        self.shared.health() == Health::Working && !self.shared.stalled.load(Ordering::Relaxed)
    }

    /// Writes what is left, with the states of listeners, for the next start, and lets go of the
    /// files. Returns whether all of it is on the disk.
    pub async fn close(&self, states: Vec<LeftState>) -> bool {
        let (done, closed) = oneshot::channel();
        if self.ops.send(Op::Close { states, done }).is_err() {
            return false;
        }
        let written = closed.await.unwrap_or(false);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It has nothing more to do.
        written && writer.is_none_or(|writer| writer.join().is_ok())
    }

    /// Changes that were written.
    pub fn committed(&self) -> u64 {
        self.shared.committed.load(Ordering::Relaxed)
    }

    /// How often writing failed.
    pub fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }

    /// Changes that were not written because it was failing.
    pub fn skipped(&self) -> u64 {
        self.shared.skipped.load(Ordering::Relaxed)
    }

    /// Size of its files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    fn ask(&self, op: Op) {
        if self.shared.health() == Health::Failing || self.ops.send(op).is_err() {
            self.shared.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn health(&self) -> Health {
        match self.health.load(Ordering::Acquire) {
            0 => Health::Working,
            1 => Health::Behind,
            _ => Health::Failing,
        }
    }

    fn set_health(&self, health: Health) {
        self.health.store(health as u8, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
