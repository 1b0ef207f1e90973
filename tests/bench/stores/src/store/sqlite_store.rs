//! SQLite with a write-ahead log: the log is checksummed, the pages are not. Each message
//! therefore has a sum of its own, over its key too.

use std::path::Path;

use anyhow::{Result, ensure};
use rusqlite::{Connection, OptionalExtension as _};

use super::{CACHE_BYTES, Durability, Op, Store, keys};

pub(crate) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub(crate) fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let connection = Connection::open(folder.join("store.sqlite"))?;
        let synchronous = match durability {
            Durability::Least => "OFF",
            Durability::Process => "NORMAL",
            Durability::Power => "FULL",
        };
        // Exclusive before the log is first used: then its index is memory of this process alone.
        connection.execute_batch(&format!(
            "PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA auto_vacuum = INCREMENTAL;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA journal_size_limit = {CACHE_BYTES};
             PRAGMA cache_size = -{};
             PRAGMA cell_size_check = ON;
             CREATE TABLE IF NOT EXISTS messages (key INTEGER PRIMARY KEY, payload BLOB NOT NULL,
                 sum INTEGER NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS sessions (key INTEGER PRIMARY KEY, record BLOB NOT NULL)
                 STRICT;",
            CACHE_BYTES / 1024
        ))?;
        Ok(Self { connection })
    }
}

impl Store for Sqlite {
    fn commit(&mut self, ops: &[Op]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction
                .prepare_cached("INSERT OR REPLACE INTO messages VALUES (?1, ?2, ?3)")?;
            let mut delete = transaction.prepare_cached("DELETE FROM messages WHERE key = ?1")?;
            let mut record =
                transaction.prepare_cached("INSERT OR REPLACE INTO sessions VALUES (?1, ?2)")?;
            for op in ops {
                match op {
                    Op::Put(key, payload) => {
                        put.execute((key.cast_signed(), payload, sum(*key, payload)))?
                    }
                    Op::Delete(key) => delete.execute([key.cast_signed()])?,
                    Op::Record(session, bytes) => record.execute((session.cast_signed(), bytes))?,
                };
            }
        }
        Ok(transaction.commit()?)
    }

    fn sweep(&mut self, session: u64) -> Result<()> {
        let (first, last) = keys(session).into_inner();
        self.connection
            .prepare_cached("DELETE FROM messages WHERE key BETWEEN ?1 AND ?2")?
            .execute([first.cast_signed(), last.cast_signed()])?;
        Ok(())
    }

    fn record(&self, session: u64) -> Result<Option<Vec<u8>>> {
        Ok(self
            .connection
            .prepare_cached("SELECT record FROM sessions WHERE key = ?1")?
            .query_row([session.cast_signed()], |row| row.get(0))
            .optional()?)
    }

    fn each(&self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        let mut all =
            self.connection.prepare("SELECT key, payload, sum FROM messages ORDER BY key")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get::<_, i64>(0)?.cast_unsigned();
            let payload = row.get_ref(1)?.as_blob()?;
            ensure!(row.get::<_, u32>(2)? == sum(key, payload), "a damaged message");
            visit(key, payload);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        let answer: String =
            self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        ensure!(answer == "ok", "{answer}");
        Ok(())
    }

    fn shrink(&mut self) -> Result<()> {
        // One page is freed for each row that is stepped over.
        let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

fn sum(key: u64, payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&key.to_le_bytes());
    sum.update(payload);
    sum.finalize()
}
