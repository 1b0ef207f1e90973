//! Commands for buckets of keys and values.

use serde::Deserialize;
use serde_json::{Value, json};
use sporegate_guest::keyvalue::{Bucket, Error, KeyResponse, open};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    bucket: String,
    what: What,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Open,
    Get(String),
    Set(String, String),
    /// A value of so many bytes.
    Fill(String, usize),
    Delete(String),
    Exists(String),
    Keys,
    Page(Option<u64>),
    Increment(String, u64),
    GetMany(Vec<String>),
    SetMany(Vec<(String, String)>),
    DeleteMany(Vec<String>),
    /// Sets a key, then refuses the call.
    SetAndPanic(String, String),
}

impl Command {
    pub(crate) fn run(self) -> Value {
        match open(&self.bucket).and_then(|bucket| run(&bucket, self.what)) {
            Ok(value) => json!({"ok": value}),
            Err(error) => json!({"error": match error {
                Error::NoSuchStore => "no-such-store".to_owned(),
                Error::AccessDenied => "access-denied".to_owned(),
                Error::Other(text) => text,
            }}),
        }
    }
}

fn run(bucket: &Bucket, what: What) -> Result<Value, Error> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(match what {
        What::Open => Value::Null,
        What::Get(key) => json!(bucket.get(&key)?.map(text)),
        What::Set(key, value) => json!(bucket.set(&key, value.as_bytes())?),
        What::Fill(key, bytes) => json!(bucket.set(&key, &vec![b'x'; bytes])?),
        What::Delete(key) => json!(bucket.delete(&key)?),
        What::Exists(key) => json!(bucket.exists(&key)?),
        What::Keys => json!(bucket.keys().collect::<Result<Vec<_>, _>>()?),
        What::Page(cursor) => {
            let KeyResponse { keys, cursor } = bucket.list_keys(cursor)?;
            json!({"keys": keys, "cursor": cursor})
        }
        What::Increment(key, delta) => json!(bucket.increment(&key, delta)?),
        What::GetMany(keys) => {
            let found = bucket.get_many(&keys)?.into_iter();
            json!(found.map(|it| it.map(text)).collect::<Vec<_>>())
        }
        What::SetMany(pairs) => {
            let pairs: Vec<_> =
                pairs.into_iter().map(|(key, value)| (key, value.into_bytes())).collect();
            json!(bucket.set_many(&pairs)?)
        }
        What::DeleteMany(keys) => json!(bucket.delete_many(&keys)?),
        What::SetAndPanic(key, value) => {
            bucket.set(&key, value.as_bytes())?;
            panic!("as told");
        }
    })
}
