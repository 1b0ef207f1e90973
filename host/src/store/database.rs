//! The database of a store. What was committed outlives the process, for the operating system has
//! it; what outlives the power is what was there at the last checkpoint of its log.
//!
//! The library sums only its log (sqlite.org/walformat.html), so each row that matters has a sum of
//! its own, over its key, too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use rusqlite::{Connection, ErrorCode, Row, Transaction};

use super::folder;
use super::record::{LeftState, SessionRecord, Standing, StoredSession};
use super::values;
use super::writer::Op;
use super::{Found, OpenError};
use crate::message::Payload;

/// A gateway that is just about to stop may still have it.
const BUSY: Duration = Duration::from_secs(2);

/// Bits of the number of a message in its session; the others are the session's.
const MESSAGE_BITS: u32 = 23;

/// Pages of the log after which it is brought into the file, of 4 KiB each.
const SETTINGS: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA journal_size_limit = 8388608;
    PRAGMA cache_size = -8192;
    PRAGMA cell_size_check = ON;
    CREATE TABLE IF NOT EXISTS sessions (
        key INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        key INTEGER PRIMARY KEY, is_text INTEGER NOT NULL, payload BLOB NOT NULL,
        sum INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS states (
        module TEXT NOT NULL, place INTEGER NOT NULL, run TEXT NOT NULL, spread BLOB NOT NULL,
        schema INTEGER NOT NULL,
        media_type TEXT NOT NULL, data BLOB NOT NULL, sum INTEGER NOT NULL,
        PRIMARY KEY (module, place)) STRICT;
    CREATE TABLE IF NOT EXISTS buckets (
        module TEXT NOT NULL, bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
        sum INTEGER NOT NULL, PRIMARY KEY (module, bucket, key)) STRICT;
    CREATE TABLE IF NOT EXISTS clean (yes INTEGER PRIMARY KEY) STRICT;";

/// The open database, and where each session is in it.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    places: HashMap<u128, Place>,
    next_key: i64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    key: i64,
    next_message: i64,
}

/// Why a change was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The library says no.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The files cannot be made anew.
    #[error(transparent)]
    Files(#[from] std::io::Error),
    /// The same, of the folder.
    #[error(transparent)]
    Open(#[from] Box<OpenError>),
    /// A record cannot be written as text.
    #[error("a record: {0}")]
    Record(#[from] serde_json::Error),
    /// No number is left for one more message of a session.
    #[error("a session has too many messages")]
    Crowded,
}

/// Opens what is in a folder and reads it. Files that are none of a store are put aside.
pub(super) fn open(folder: &Path) -> Result<(Database, Found), OpenError> {
    let path = folder::prepare(folder)?;
    match read(&path) {
        Err(error) if is_damage(&error) => {
            let aside = folder::put_aside(folder).map_err(|source| OpenError::Database {
                path: path.clone(),
                source: rusqlite::Error::ToSqlConversionFailure(Box::new(source)),
            })?;
            folder::prepare(folder)?;
            let (database, found) = read(&path).map_err(|error| refusal(path, error))?;
            Ok((database, Found { aside: Some(aside), ..found }))
        }
        other => other.map_err(|error| refusal(path, error)),
    }
}

/// Makes an empty one in the place of what is there.
pub(super) fn anew(folder: &Path) -> Result<Database, WriteError> {
    folder::remove(folder)?;
    let (database, _) = open(folder).map_err(Box::new)?;
    Ok(database)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
        || matches!(error, rusqlite::Error::InvalidColumnType(..))
}

fn refusal(path: PathBuf, source: rusqlite::Error) -> OpenError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse(path),
        _ => OpenError::Database { path, source },
    }
}

fn read(path: &Path) -> Result<(Database, Found), rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(SETTINGS)?;
    let transaction = connection.transaction()?;
    let mut found = Found::default();
    let mut places = HashMap::new();
    let last = read_sessions(&transaction, &mut found, &mut places)?;
    read_states(&transaction, &mut found)?;
    values::read(&transaction, &mut found)?;
    found.clean = transaction.execute("DELETE FROM clean", [])? > 0;
    // They are given to one start only: the next one after a crash begins without.
    transaction.execute("DELETE FROM states", [])?;
    transaction.commit()?;
    found.sessions.sort_by_key(|session| session.record.order);
    Ok((Database { connection, places, next_key: last + 1 }, found))
}

/// Reads all sessions that can be read; returns the greatest key.
fn read_sessions(
    transaction: &Transaction<'_>,
    found: &mut Found,
    places: &mut HashMap<u128, Place>,
) -> Result<i64, rusqlite::Error> {
    let mut messages: HashMap<i64, Vec<Option<Payload>>> = HashMap::new();
    let mut all =
        transaction.prepare("SELECT key, is_text, payload, sum FROM messages ORDER BY key")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        let of = messages.entry(key >> MESSAGE_BITS).or_default();
        // One that is missing is as bad as one that is damaged.
        let expected = (of.len() as i64) == key & ((1 << MESSAGE_BITS) - 1);
        of.push(if expected { read_message(row)? } else { None });
    }
    let mut last = messages.keys().copied().max().unwrap_or(0);
    let mut all = transaction.prepare("SELECT key, record, sum FROM sessions")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (key, sum): (i64, u32) = (row.get(0)?, row.get(2)?);
        last = last.max(key);
        let bytes = row.get_ref(1)?.as_blob().map_err(|error| as_column(1, error))?;
        let intact = sum == sum_of(key, bytes);
        let record: Option<SessionRecord> =
            if intact { serde_json::from_slice(bytes).ok() } else { None };
        let Some(mut record) = record else {
            found.damaged += 1;
            continue;
        };
        let stored = messages.remove(&key).unwrap_or_default();
        let next_message = stored.len() as i64;
        let whole: Option<Vec<Payload>> = stored.into_iter().collect();
        let replay = match record.standing {
            Standing::Away { replay, .. } => replay,
            Standing::Attached | Standing::Over { .. } => 0,
        };
        let messages = whole.filter(|messages| messages.len() as u64 >= replay);
        let messages = messages.unwrap_or_else(|| {
            found.damaged += 1;
            // As if it had been connected: nobody knows what its client has missed.
            record.standing = Standing::Attached;
            Vec::new()
        });
        places.insert(record.id, Place { key, next_message });
        found.sessions.push(StoredSession { record, messages });
    }
    Ok(last)
}

fn read_message(row: &Row<'_>) -> Result<Option<Payload>, rusqlite::Error> {
    let (key, is_text, sum): (i64, bool, u32) = (row.get(0)?, row.get(1)?, row.get(3)?);
    let bytes = row.get_ref(2)?.as_blob().map_err(|error| as_column(2, error))?;
    if sum != sum_of(key, bytes) {
        return Ok(None);
    }
    let bytes = Bytes::copy_from_slice(bytes);
    Ok(match is_text {
        true => ByteString::try_from(bytes).ok().map(Payload::Text),
        false => Some(Payload::Binary(bytes)),
    })
}

fn read_states(transaction: &Transaction<'_>, found: &mut Found) -> Result<(), rusqlite::Error> {
    let mut all = transaction.prepare(
        "SELECT module, place, run, spread, schema, media_type, data, sum FROM states ORDER BY module, place",
    )?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (place, sum): (u32, u32) = (row.get(1)?, row.get(7)?);
        let data: Vec<u8> = row.get(6)?;
        if sum != sum_of(i64::from(place), &data) {
            found.damaged += 1;
            continue;
        }
        found.states.push(LeftState {
            module: row.get(0)?,
            run: row.get(2)?,
            spread: u128::from_le_bytes(row.get(3)?),
            place,
            schema: row.get(4)?,
            media_type: row.get(5)?,
            data,
        });
    }
    Ok(())
}

pub(super) fn as_column(index: usize, error: rusqlite::types::FromSqlError) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Blob;
    rusqlite::Error::FromSqlConversionFailure(index, kind, Box::new(error))
}

impl Database {
    /// Writes changes, all of them or none.
    pub(super) fn commit(&mut self, ops: &[Op]) -> Result<(), WriteError> {
        let Self { connection, places, next_key } = self;
        let transaction = connection.transaction()?;
        for op in ops {
            match op {
                Op::Put { record, messages } => {
                    let place = places.entry(record.id).or_insert_with(|| {
                        *next_key += 1;
                        Place { key: *next_key - 1, next_message: 0 }
                    });
                    clear(&transaction, place)?;
                    let text = serde_json::to_vec(&**record)?;
                    transaction
                        .prepare_cached("INSERT OR REPLACE INTO sessions VALUES (?1, ?2, ?3)")?
                        .execute((place.key, &text, sum_of(place.key, &text)))?;
                    for payload in messages {
                        add(&transaction, place, payload)?;
                    }
                }
                Op::Append { id, payload } => {
                    // One that nobody saved has been forgotten, or will be saved with this message.
                    if let Some(place) = places.get_mut(id) {
                        add(&transaction, place, payload)?;
                    }
                }
                Op::Forget { id } => {
                    if let Some(mut place) = places.remove(id) {
                        clear(&transaction, &mut place)?;
                        transaction
                            .prepare_cached("DELETE FROM sessions WHERE key = ?1")?
                            .execute([place.key])?;
                    }
                }
                Op::Values(bucket) => values::write(&transaction, bucket)?,
                Op::Mark(_) | Op::Close { .. } => {}
            }
        }
        Ok(transaction.commit()?)
    }

    /// Gives pages that nobody needs back to the file system.
    pub(super) fn shrink(&self) -> Result<(), rusqlite::Error> {
        let mut vacuum = self.connection.prepare_cached("PRAGMA incremental_vacuum(256)")?;
        let mut rows = vacuum.query([])?;
        // One page is freed for each row that is stepped over.
        while rows.next()?.is_some() {}
        Ok(())
    }

    /// Writes the states of listeners and that all is in order, and brings everything to the disk.
    pub(super) fn close(mut self, states: &[LeftState]) -> Result<(), WriteError> {
        self.connection.execute_batch("PRAGMA synchronous = FULL;")?;
        let transaction = self.connection.transaction()?;
        for state in states {
            let LeftState { module, run, spread, place, schema, media_type, data } = state;
            let spread = spread.to_le_bytes();
            let sum = sum_of(i64::from(*place), data);
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO states VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute((module, place, run, spread, schema, media_type, data, sum))?;
        }
        transaction.execute("INSERT OR REPLACE INTO clean VALUES (1)", [])?;
        transaction.commit()?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

/// Removes all messages of a session.
fn clear(transaction: &Transaction<'_>, place: &mut Place) -> Result<(), WriteError> {
    if place.next_message > 0 {
        let first = place.key << MESSAGE_BITS;
        transaction
            .prepare_cached("DELETE FROM messages WHERE key BETWEEN ?1 AND ?2")?
            .execute([first, first + place.next_message])?;
        place.next_message = 0;
    }
    Ok(())
}

/// Adds a message to a session.
fn add(
    transaction: &Transaction<'_>,
    place: &mut Place,
    payload: &Payload,
) -> Result<(), WriteError> {
    if place.next_message >= 1 << MESSAGE_BITS {
        return Err(WriteError::Crowded);
    }
    let key = place.key << MESSAGE_BITS | place.next_message;
    let (is_text, bytes): (bool, &[u8]) = match payload {
        Payload::Text(text) => (true, text.as_bytes()),
        Payload::Binary(bytes) => (false, bytes),
    };
    transaction.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3, ?4)")?.execute((
        key,
        is_text,
        bytes,
        sum_of(key, bytes),
    ))?;
    place.next_message += 1;
    Ok(())
}

/// CRC-32 (ISO-HDLC) of a row.
fn sum_of(key: i64, bytes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&key.to_le_bytes());
    sum.update(bytes);
    sum.finalize()
}
