//! What a sidecar grants a module besides its clients: the tables `[http]`, `[keyvalue]` and
//! `[config]`. Where `hosts` or `buckets` is not given at all, the module may not even import the
//! interface.

use std::collections::BTreeMap;
use std::time::Duration;

use super::destination::Destination;
use super::networks::Networks;
use super::section::Section;
use super::units::ByteSize;
use super::value::{Fault, Raw, Value};
use crate::limits::{HttpLimits, KeyValueLimits};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    /// Who it may call, if it may call at all.
    pub http: Option<HttpGrant>,
    /// What it may keep, if anything.
    pub keyvalue: Option<KeyValueGrant>,
    /// Its configuration; every module may read its own.
    pub values: BTreeMap<String, String>,
}

/// The `[http]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpGrant {
    /// Who may be called; with none the module loads, and may call nobody.
    pub hosts: Vec<Destination>,
    /// Addresses that are not public and may be called all the same.
    pub private: Networks,
    /// What its requests may use up.
    pub limits: HttpLimits,
}

/// The `[keyvalue]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyValueGrant {
    /// Buckets that it may open.
    pub buckets: Vec<BucketName>,
    /// What each of them may hold.
    pub limits: KeyValueLimits,
}

/// Name of a bucket: 1-64 of letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BucketName(String);

impl BucketName {
    /// Longest name, in bytes.
    pub const MOST: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Most hosts or buckets.
const MOST: usize = 64;

pub(super) fn read(top: &mut Section<'_, '_>) -> Grants {
    let http = top.section("http", read_http);
    let keyvalue = top.section("keyvalue", read_keyvalue);
    let values = top.texts("config");
    Grants { http, keyvalue, values }
}

fn read_http(http: &mut Section<'_, '_>) -> Option<HttpGrant> {
    let default = HttpLimits::default();
    let ms = Duration::from_millis(1);
    let times = || ms..=Duration::from_secs(600);
    let sizes = || ByteSize::bytes(0)..=ByteSize::gib(1);
    let hosts: Option<Vec<Destination>> = http.optional("hosts", "none");
    if hosts.as_ref().is_some_and(|hosts| hosts.len() > MOST) {
        http.bad("hosts", format!("it has more than {MOST} entries"));
    }
    let private = http.read("private", Networks::default());
    let requests = http.read_in("requests", default.requests, 1..=10_000);
    let connect_timeout = http.read_in("connect_timeout", default.connect_timeout, times());
    let first_byte_timeout =
        http.read_in("first_byte_timeout", default.first_byte_timeout, times());
    let between_bytes_timeout =
        http.read_in("between_bytes_timeout", default.between_bytes_timeout, times());
    let request_size =
        http.read_in("request_size", ByteSize::bytes(default.request_bytes), sizes());
    let response_size =
        http.read_in("response_size", ByteSize::bytes(default.response_bytes), sizes());
    let headers = ByteSize::kib(8)..=ByteSize::kib(256);
    let header_size =
        http.read_in("header_size", ByteSize::bytes(default.header_bytes as u64), headers);
    let limits = HttpLimits {
        requests,
        connect_timeout,
        first_byte_timeout,
        between_bytes_timeout,
        request_bytes: request_size.get(),
        response_bytes: response_size.get(),
        header_bytes: header_size.as_len(),
    };
    hosts.map(|hosts| HttpGrant { hosts, private, limits })
}

fn read_keyvalue(keyvalue: &mut Section<'_, '_>) -> Option<KeyValueGrant> {
    let default = KeyValueLimits::default();
    let size = |bytes: usize| ByteSize::bytes(bytes as u64);
    let buckets: Option<Vec<BucketName>> = keyvalue.optional("buckets", "none");
    if buckets.as_ref().is_some_and(|buckets| buckets.len() > MOST) {
        keyvalue.bad("buckets", format!("it has more than {MOST} entries"));
    }
    let sizes = ByteSize::kib(1)..=ByteSize::gib(1);
    let bucket_size = keyvalue.read_in("bucket_size", size(default.bucket_bytes), sizes);
    let keys = keyvalue.read_in("keys", default.keys, 1..=10_000_000);
    let key_sizes = ByteSize::bytes(1)..=ByteSize::kib(4);
    let key_size = keyvalue.read_in("key_size", size(default.key_bytes), key_sizes);
    let value_sizes = ByteSize::bytes(0)..=ByteSize::mib(64);
    let value_size = keyvalue.read_in("value_size", size(default.value_bytes), value_sizes);
    let limits = KeyValueLimits {
        bucket_bytes: bucket_size.as_len(),
        keys,
        key_bytes: key_size.as_len(),
        value_bytes: value_size.as_len(),
    };
    buckets.map(|buckets| KeyValueGrant { buckets, limits })
}

impl Value for BucketName {
    const EXPECTED: &'static str = "the name of a bucket, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match (1..=Self::MOST).contains(&text.len()) && text.bytes().all(good) {
            true => Ok(Self(text.to_owned())),
            false => {
                Err(Fault::refuse(text, "it must be 1-64 of letters, digits, `.`, `_` and `-`"))
            }
        }
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}
