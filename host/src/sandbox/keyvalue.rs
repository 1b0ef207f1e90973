//! `wasi:keyvalue`: the buckets that the sidecar of a module grants. What is written is there at
//! once, for every instance of the module; it is not undone when the call fails.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::bindings::granted::wasi::keyvalue::store::{Error, Host, HostBucket, KeyResponse};
use super::bindings::granted::wasi::keyvalue::{atomics, batch};
use super::state::InstanceState;
use crate::keyvalue::{Bucket, Page, Refusal};
use crate::limits::KeyValueLimits;

/// What a guest has of an open bucket.
#[allow(unreachable_pub, reason = "the generated bindings name it as theirs")]
pub struct Handle(Arc<Bucket>);

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl Host for InstanceState {
    fn open(&mut self, identifier: String) -> Answer<Resource<Handle>> {
        self.count_host_call()?;
        let granted = self.context.keyvalue.as_ref();
        match granted.and_then(|granted| granted.open(&identifier)).cloned() {
            // Whether another module has it is nobody's business.
            None => Ok(Err(Error::NoSuchStore)),
            Some(bucket) => Ok(Ok(self.wasi.table().push(Handle(bucket))?)),
        }
    }
}

impl HostBucket for InstanceState {
    fn get(&mut self, bucket: Resource<Handle>, key: String) -> Answer<Option<Vec<u8>>> {
        let (bucket, _) = self.bucket(&bucket)?;
        Ok(Ok(bucket.get(&key).map(Vec::from)))
    }

    fn set(&mut self, bucket: Resource<Handle>, key: String, value: Vec<u8>) -> Answer<()> {
        let (bucket, limits) = self.bucket(&bucket)?;
        Ok(bucket.set(vec![(key, value)], &limits).map_err(in_their_words))
    }

    fn delete(&mut self, bucket: Resource<Handle>, key: String) -> Answer<()> {
        let (bucket, _) = self.bucket(&bucket)?;
        Ok(bucket.delete(&[key]).map_err(in_their_words))
    }

    fn exists(&mut self, bucket: Resource<Handle>, key: String) -> Answer<bool> {
        let (bucket, _) = self.bucket(&bucket)?;
        Ok(Ok(bucket.has(&key)))
    }

    fn list_keys(&mut self, bucket: Resource<Handle>, cursor: Option<u64>) -> Answer<KeyResponse> {
        let (bucket, _) = self.bucket(&bucket)?;
        let Page { keys, next } = bucket.keys(cursor);
        Ok(Ok(KeyResponse { keys, cursor: next }))
    }

    fn drop(&mut self, bucket: Resource<Handle>) -> wasmtime::Result<()> {
        self.wasi.table().delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for InstanceState {
    fn increment(&mut self, bucket: Resource<Handle>, key: String, delta: u64) -> Answer<u64> {
        let (bucket, limits) = self.bucket(&bucket)?;
        Ok(bucket.increment(&key, delta, &limits).map_err(in_their_words))
    }
}

impl batch::Host for InstanceState {
    fn get_many(
        &mut self,
        bucket: Resource<Handle>,
        keys: Vec<String>,
    ) -> Answer<Vec<Option<(String, Vec<u8>)>>> {
        let (bucket, limits) = self.bucket(&bucket)?;
        let found = bucket.get_many(&keys, &limits).map_err(in_their_words);
        let pair = |(key, value): (String, Option<bytes::Bytes>)| Some((key, Vec::from(value?)));
        Ok(found.map(|values| keys.into_iter().zip(values).map(pair).collect()))
    }

    fn set_many(&mut self, bucket: Resource<Handle>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        let (bucket, limits) = self.bucket(&bucket)?;
        Ok(bucket.set(pairs, &limits).map_err(in_their_words))
    }

    fn delete_many(&mut self, bucket: Resource<Handle>, keys: Vec<String>) -> Answer<()> {
        let (bucket, _) = self.bucket(&bucket)?;
        Ok(bucket.delete(&keys).map_err(in_their_words))
    }
}

impl InstanceState {
    /// The bucket of a handle, with what it may hold; counts the call that asks.
    fn bucket(
        &mut self,
        handle: &Resource<Handle>,
    ) -> wasmtime::Result<(Arc<Bucket>, KeyValueLimits)> {
        self.count_host_call()?;
        let bucket = Arc::clone(&self.wasi.table().get(handle)?.0);
        let limits = self.context.keyvalue.as_ref().map(|granted| granted.limits);
        Ok((bucket, limits.unwrap_or_default()))
    }
}

fn in_their_words(refusal: Refusal) -> Error {
    Error::Other(refusal.to_string())
}
