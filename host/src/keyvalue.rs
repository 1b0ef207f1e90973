//! Keys and values of modules, in buckets. A bucket belongs to one module, under a name that its
//! sidecar grants, and outlives its instances, its revisions and, with a store, the process.
//!
//! Invariant: the memory is what holds. A store is told which bucket has changed, and takes what has
//! changed by then: however fast a module writes, nothing queues up.

mod bucket;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

pub use bucket::{Bucket, Page, Refusal};

use crate::limits::KeyValueLimits;

/// Is told of a bucket that has changed, and takes the changes later.
pub type Saver = Arc<dyn Fn(&Arc<Bucket>) + Send + Sync>;

/// Whose bucket it is, and which of his.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BucketId {
    /// Name of the module.
    pub module: Arc<str>,
    /// Name of the bucket.
    pub bucket: Arc<str>,
}

/// A value that was found in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredValue {
    /// Where it was.
    pub id: BucketId,
    /// Its key.
    pub key: String,
    /// The value.
    pub value: Bytes,
}

/// All buckets of a gateway.
#[derive(Default)]
pub struct Buckets {
    all: Mutex<BTreeMap<BucketId, Arc<Bucket>>>,
    saver: Option<Saver>,
}

/// The buckets that one module may open.
#[derive(Debug)]
pub struct Grant {
    buckets: BTreeMap<Arc<str>, Arc<Bucket>>,
    /// What each of them may hold.
    pub limits: KeyValueLimits,
}

impl Buckets {
    /// Buckets with what was found in a store, which is told of each change.
    pub fn new(found: Vec<StoredValue>, saver: Option<Saver>) -> Self {
        let mut contents: BTreeMap<BucketId, Vec<(String, Bytes)>> = BTreeMap::new();
        for StoredValue { id, key, value } in found {
            contents.entry(id).or_default().push((key, value));
        }
        let all = contents.into_iter().map(|(id, pairs)| {
            let bucket = Arc::new(Bucket::new(id.clone(), pairs, saver.clone()));
            // It has to know it, should it have to be made anew.
            saver.iter().for_each(|saver| saver(&bucket));
            (id, bucket)
        });
        Self { all: Mutex::new(all.collect()), saver }
    }

    /// Those of a module, each made empty where it is not there.
    pub fn grant<'n>(
        &self,
        module: &Arc<str>,
        names: impl Iterator<Item = &'n str>,
        limits: KeyValueLimits,
    ) -> Grant {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = names.map(|name| {
            let id = BucketId { module: Arc::clone(module), bucket: name.into() };
            let make = || Arc::new(Bucket::new(id.clone(), Vec::new(), self.saver.clone()));
            (Arc::clone(&id.bucket), Arc::clone(all.entry(id.clone()).or_insert_with(make)))
        });
        Grant { buckets: buckets.collect(), limits }
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("all", &self.all).finish_non_exhaustive()
    }
}

impl Grant {
    /// A bucket by its name.
    pub fn open(&self, name: &str) -> Option<&Arc<Bucket>> {
        self.buckets.get(name)
    }
}
