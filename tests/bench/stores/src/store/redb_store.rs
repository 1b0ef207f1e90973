//! redb: a B-tree that is copied on write, checksummed. It knows no commit without fsync that
//! outlives the process; `Process` therefore puts a file below it that does not sync.

use std::fs::OpenOptions;
use std::ops::Bound;
use std::path::Path;

use anyhow::{Result, ensure};
use redb::backends::FileBackend;
use redb::{
    BackendError, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
};

use super::{CACHE_BYTES, Durability, Op, Store, keys};

const MESSAGES: TableDefinition<u64, &[u8]> = TableDefinition::new("messages");
const SESSIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("sessions");

pub(crate) struct Redb {
    database: Database,
    durability: redb::Durability,
}

impl Redb {
    pub(crate) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("store.redb"))?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = if durability == Durability::Process {
            builder.create_with_backend(Unsynced(FileBackend::new(file)?))?
        } else {
            builder.create_with_backend(FileBackend::new(file)?)?
        };
        let transaction = database.begin_write()?;
        transaction.open_table(MESSAGES)?;
        transaction.open_table(SESSIONS)?;
        transaction.commit()?;
        let durability = match durability {
            Durability::Least => redb::Durability::None,
            Durability::Process | Durability::Power => redb::Durability::Immediate,
        };
        Ok(Self { database, durability })
    }
}

impl Store for Redb {
    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(self.durability)?;
        {
            let mut messages = transaction.open_table(MESSAGES)?;
            for op in ops {
                match op {
                    Op::Put(key, payload) => drop(messages.insert(key, *payload)?),
                    Op::Delete(key) => drop(messages.remove(key)?),
                    Op::Record(session, record) => {
                        drop(transaction.open_table(SESSIONS)?.insert(session, *record)?);
                    }
                }
            }
        }
        Ok(transaction.commit()?)
    }

    fn sweep(&mut self, session: u64) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(self.durability)?;
        transaction.open_table(MESSAGES)?.retain_in(keys(session), |_, _| false)?;
        Ok(transaction.commit()?)
    }

    fn record(&self, session: u64) -> Result<Option<Vec<u8>>> {
        let table = self.database.begin_read()?.open_table(SESSIONS)?;
        Ok(table.get(session)?.map(|record| record.value().to_vec()))
    }

    fn each(&self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        for entry in self.database.begin_read()?.open_table(MESSAGES)?.iter()? {
            let (key, payload) = entry?;
            visit(key.value(), payload.value());
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        ensure!(self.database.check_integrity()?, "was damaged, is repaired");
        Ok(())
    }

    fn shrink(&mut self) -> Result<()> {
        while self.database.compact()? {}
        Ok(())
    }
}

/// A file whose syncs do nothing.
#[derive(Debug)]
struct Unsynced(FileBackend);

impl StorageBackend for Unsynced {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<(), std::io::Error> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}
