//! The thread that writes a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::database::{self, Database, WriteError};
use super::record::{LeftState, SessionRecord};
use super::{Health, Shared, folder};
use crate::keyvalue::Bucket;
use crate::message::Payload;

/// Most changes, and bytes in them, that are committed at a time.
const MAX_OPS: usize = 4_096;
const MAX_BYTES: usize = 8 << 20;

/// Pause after files could not be made anew.
const RETRY: Duration = Duration::from_secs(1);

/// Without changes for so long, space that nobody needs is given back; and so often at most the size of
/// the files is looked at.
const LULL: Duration = Duration::from_secs(1);

/// One change.
#[derive(Debug)]
pub(super) enum Op {
    Put {
        record: Box<SessionRecord>,
        messages: Vec<Payload>,
    },
    Append {
        id: u128,
        payload: Payload,
    },
    Forget {
        id: u128,
    },
    /// Some of a bucket has changed; what, it says when it is asked.
    Values(Arc<Bucket>),
    /// Is answered when everything before has been written; never, if it could not be.
    Mark(oneshot::Sender<()>),
    Close {
        states: Vec<LeftState>,
        done: oneshot::Sender<bool>,
    },
}

/// The thread's own.
#[derive(Debug)]
pub(super) struct Writer {
    /// None while the store is failing.
    database: Option<Database>,
    folder: PathBuf,
    shared: Arc<Shared>,
    /// Every bucket that it was told of.
    buckets: Vec<Arc<Bucket>>,
    /// Whether something was written since space was given back.
    has_changed: bool,
    /// When the files were last made anew, or tried to be.
    tried: Instant,
    /// When their size was last looked at.
    measured: Instant,
}

impl Writer {
    pub(super) fn new(database: Database, folder: &Path, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        let writer = Self {
            database: Some(database),
            folder: folder.to_owned(),
            shared,
            buckets: Vec::new(),
            has_changed: false,
            tried: now,
            measured: now,
        };
        writer.measure();
        writer
    }

    /// Writes until everybody who could ask is gone, or the store is closed.
    pub(super) fn run(mut self, queue: &Receiver<Op>) {
        loop {
            let first = match queue.recv_timeout(LULL.min(RETRY)) {
                Ok(op) => op,
                Err(RecvTimeoutError::Timeout) => {
                    self.idle();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut bytes = first.bytes();
            let mut ops = vec![first];
            while ops.len() < MAX_OPS && bytes < MAX_BYTES && !ops.last().is_some_and(Op::is_last) {
                let Ok(op) = queue.try_recv() else { break };
                bytes += op.bytes();
                ops.push(op);
            }
            self.note_buckets(&ops);
            let written = self.write(&ops);
            for op in ops {
                match op {
                    Op::Mark(done) if written => drop(done.send(())),
                    Op::Close { states, done } => return self.close(&states, done),
                    Op::Mark(_)
                    | Op::Put { .. }
                    | Op::Append { .. }
                    | Op::Forget { .. }
                    | Op::Values(_) => {}
                }
            }
        }
    }

    fn note_buckets(&mut self, ops: &[Op]) {
        for op in ops {
            let Op::Values(bucket) = op else { continue };
            if !self.buckets.iter().any(|known| Arc::ptr_eq(known, bucket)) {
                self.buckets.push(Arc::clone(bucket));
            }
        }
    }

    /// Whether all of it was written.
    fn write(&mut self, ops: &[Op]) -> bool {
        let changes = ops.iter().filter(|op| op.is_change()).count() as u64;
        let Some(database) = &mut self.database else {
            self.shared.skipped.fetch_add(changes, Ordering::Relaxed);
            self.retry();
            return false;
        };
        let result = database.commit(ops);
        match &result {
            Ok(()) => {
                self.shared.committed.fetch_add(changes, Ordering::Relaxed);
                self.shared.stalled.store(false, Ordering::Relaxed);
                self.has_changed |= changes > 0;
            }
            Err(error) => self.fail(error),
        }
        if self.measured.elapsed() >= LULL {
            self.measured = Instant::now();
            self.measure();
        }
        result.is_ok()
    }

    /// What it says is not all that there is any more: it must not say anything.
    fn fail(&mut self, error: &WriteError) {
        self.shared.set_health(Health::Failing);
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        self.database = None;
        self.tried = Instant::now();
        let removed = folder::remove(&self.folder);
        tracing::error!(
            folder = %self.folder.display(),
            "the store of sessions fails: {error}; sessions live on in memory, and a crash would lose them"
        );
        if let Err(error) = removed {
            tracing::error!(
                folder = %self.folder.display(),
                "its files cannot be removed: {error}; remove them before the next start, for they are out of date"
            );
        }
    }

    fn idle(&mut self) {
        let Some(database) = &self.database else { return self.retry() };
        if !std::mem::take(&mut self.has_changed) {
            return;
        }
        if let Err(error) = database.shrink() {
            self.fail(&error.into());
        }
        self.measure();
    }

    /// Not after each change: somebody waits for it.
    fn measure(&self) {
        self.shared.bytes.store(folder::bytes(&self.folder), Ordering::Relaxed);
    }

    /// Makes the files anew, if it is time to try.
    fn retry(&mut self) {
        if self.tried.elapsed() < RETRY {
            return;
        }
        match self.make_anew() {
            Ok(database) => {
                self.database = Some(database);
                self.shared.stalled.store(false, Ordering::Relaxed);
                self.shared.set_health(Health::Behind);
                self.shared.anew.notify_one();
            }
            Err(error) => {
                self.shared.failures.fetch_add(1, Ordering::Relaxed);
                tracing::debug!("the store of sessions still fails: {error}");
            }
        }
        self.tried = Instant::now();
    }

    /// New files, with all buckets in them: who keeps sessions is asked for them later.
    fn make_anew(&self) -> Result<Database, WriteError> {
        let mut database = database::anew(&self.folder)?;
        self.buckets.iter().for_each(|bucket| bucket.forget_saved());
        let ops: Vec<Op> = self.buckets.iter().cloned().map(Op::Values).collect();
        database.commit(&ops)?;
        Ok(database)
    }

    fn close(self, states: &[LeftState], done: oneshot::Sender<bool>) {
        let written = match self.database {
            None => false,
            Some(database) => match database.close(states) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!("the store of sessions could not be closed well: {error}");
                    false
                }
            },
        };
        let _ = done.send(written);
    }
}

impl Op {
    fn is_change(&self) -> bool {
        !matches!(self, Self::Mark(_) | Self::Close { .. })
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Close { .. })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Put { messages, .. } => messages.iter().map(Payload::len).sum(),
            Self::Append { payload, .. } => payload.len(),
            Self::Forget { .. } | Self::Values(_) | Self::Mark(_) | Self::Close { .. } => 0,
        }
    }
}
