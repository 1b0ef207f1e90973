//! fjall: a log-structured tree behind a checksummed journal.

use std::path::Path;

use anyhow::Result;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{CACHE_BYTES, Durability, Op, Store, keys};

pub(crate) struct Fjall {
    database: Database,
    messages: Keyspace,
    sessions: Keyspace,
    persist: Option<PersistMode>,
}

impl Fjall {
    pub(crate) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let persist = match durability {
            Durability::Least => None,
            Durability::Process => Some(PersistMode::Buffer),
            Durability::Power => Some(PersistMode::SyncData),
        };
        let database = Database::builder(folder.join("fjall"))
            .cache_size(CACHE_BYTES as u64)
            .worker_threads(1)
            .manual_journal_persist(true)
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(CACHE_BYTES as u64);
        Ok(Self {
            messages: database.keyspace("messages", options)?,
            sessions: database.keyspace("sessions", options)?,
            database,
            persist,
        })
    }
}

impl Store for Fjall {
    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        let mut batch = self.database.batch().durability(self.persist);
        for op in ops {
            match op {
                Op::Put(key, payload) => batch.insert(&self.messages, key.to_be_bytes(), *payload),
                Op::Delete(key) => batch.remove(&self.messages, key.to_be_bytes()),
                Op::Record(session, record) => {
                    batch.insert(&self.sessions, session.to_be_bytes(), *record);
                }
            }
        }
        Ok(batch.commit()?)
    }

    fn sweep(&mut self, session: u64) -> Result<()> {
        let (first, last) = keys(session).into_inner();
        let mut batch = self.database.batch().durability(self.persist);
        for entry in self.messages.range(first.to_be_bytes()..=last.to_be_bytes()) {
            batch.remove(&self.messages, entry.key()?);
        }
        Ok(batch.commit()?)
    }

    fn record(&self, session: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.sessions.get(session.to_be_bytes())?.map(|record| record.to_vec()))
    }

    fn each(&self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        for entry in self.messages.iter() {
            let (key, payload) = entry.into_inner()?;
            visit(u64::from_be_bytes(key.as_ref().try_into()?), &payload);
        }
        Ok(())
    }

    /// There is none: a block is checked when it is read.
    fn check(&mut self) -> Result<()> {
        self.each(&mut |_, _| ())
    }

    fn shrink(&mut self) -> Result<()> {
        self.messages.rotate_memtable_and_wait()?;
        Ok(self.messages.major_compact()?)
    }
}
