//! Values that outlive an instance, in buckets that the sidecar grants. What is written is there at
//! once, for all instances of the module, and stays if the call fails.

use crate::bindings::keyvalue::wasi::keyvalue::{atomics, batch, store};

pub use store::{Bucket, Error, KeyResponse};

/// Opens a bucket of the sidecar's `[keyvalue] buckets`.
///
/// # Errors
/// `NoSuchStore` for another name.
pub fn open(bucket: &str) -> Result<Bucket, Error> {
    store::open(bucket)
}

impl Bucket {
    /// Adds to a number that is kept as decimal digits, zero where there is none; returns the sum.
    ///
    /// # Errors
    /// `Other` where the value is no such number, the sum is too large, or a limit is reached.
    pub fn increment(&self, key: &str, delta: u64) -> Result<u64, Error> {
        atomics::increment(self, key, delta)
    }

    /// Values of several keys, in their order.
    ///
    /// # Errors
    /// As [`Bucket::get`]; `Other` also for too many keys at once.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let found = batch::get_many(self, keys)?.into_iter();
        Ok(found.map(|pair| pair.map(|(_, value)| value)).collect())
    }

    /// Sets several keys: all of them or, after an error, none.
    ///
    /// # Errors
    /// As [`Bucket::set`].
    pub fn set_many(&self, pairs: &[(String, Vec<u8>)]) -> Result<(), Error> {
        batch::set_many(self, pairs)
    }

    /// Deletes several keys.
    ///
    /// # Errors
    /// As [`Bucket::delete`].
    pub fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        batch::delete_many(self, keys)
    }

    /// All keys, page by page as they are asked for.
    pub fn keys(&self) -> impl Iterator<Item = Result<String, Error>> + '_ {
        let mut pages = Some(None);
        let mut page = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(key) = page.next() {
                    return Some(Ok(key));
                }
                match self.list_keys(pages.take()?) {
                    Ok(KeyResponse { keys, cursor }) => {
                        page = keys.into_iter();
                        pages = cursor.map(Some);
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }
}
