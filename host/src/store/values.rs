//! The values of modules in the database: a row for each, with a sum over all that is in it.

use bytes::Bytes;
use rusqlite::Transaction;

use super::Found;
use super::database::as_column;
use crate::keyvalue::{Bucket, BucketId, StoredValue};

/// Reads all that can be read.
pub(super) fn read(
    transaction: &Transaction<'_>,
    found: &mut Found,
) -> Result<(), rusqlite::Error> {
    let mut all = transaction.prepare(
        "SELECT module, bucket, key, value, sum FROM buckets ORDER BY module, bucket, key",
    )?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (module, bucket, key): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let value = row.get_ref(3)?.as_blob().map_err(|error| as_column(3, error))?;
        let sum: u32 = row.get(4)?;
        if sum != sum_of(&module, &bucket, &key, value) {
            found.damaged_values += 1;
            continue;
        }
        let id = BucketId { module: module.into(), bucket: bucket.into() };
        found.values.push(StoredValue { id, key, value: Bytes::copy_from_slice(value) });
    }
    Ok(())
}

/// Writes what has changed in a bucket since it was asked last.
pub(super) fn write(transaction: &Transaction<'_>, bucket: &Bucket) -> Result<(), rusqlite::Error> {
    let BucketId { module, bucket: name } = bucket.id();
    for (key, value) in bucket.take_unsaved() {
        match value {
            Some(value) => {
                let sum = sum_of(module, name, &key, &value);
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO buckets VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute((&**module, &**name, &*key, &*value, sum))?;
            }
            None => {
                transaction
                    .prepare_cached(
                        "DELETE FROM buckets WHERE module = ?1 AND bucket = ?2 AND key = ?3",
                    )?
                    .execute((&**module, &**name, &*key))?;
            }
        }
    }
    Ok(())
}

/// CRC-32 (ISO-HDLC) of a row. Names have no zero bytes, and a key ends where its length says.
fn sum_of(module: &str, bucket: &str, key: &str, value: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for text in [module, bucket, key] {
        sum.update(&(text.len() as u64).to_le_bytes());
        sum.update(text.as_bytes());
    }
    sum.update(value);
    sum.finalize()
}
