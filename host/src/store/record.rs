//! What is written of a session, and of what a listener left. Plain words, with no handle of
//! anything that lives.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::message::Payload;

/// One session, as far as it has to outlive the process. The messages are beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The public id, as 32 hexadecimal digits.
    #[serde(with = "bits")]
    pub id: u128,
    /// Its place in the order of admission.
    pub order: u64,
    /// Hashes of the tokens with which its client may come back, the oldest first.
    pub tokens: Vec<Token>,
    /// Where it connected, below the base path.
    pub path: String,
    /// Who its client is; none for an anonymous one.
    pub username: Option<Arc<str>>,
    /// Its roles.
    pub roles: Arc<[Arc<str>]>,
    /// JSON object text that the authenticator vouched for.
    pub claims: Option<Arc<str>>,
    /// Who vouched.
    pub authenticator: Arc<str>,
    /// Messages from the client so far.
    pub received: u64,
    /// Number of its last connection.
    pub connection: u64,
    /// Where it is in its life.
    pub standing: Standing,
}

/// The hash of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token(#[serde(with = "bits")] pub u128);

/// Where a session is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// A connection has it. What it was sent is not in the store.
    Attached,
    /// It waits for its client. Of its messages, the first `replay` were handed to a connection,
    /// the last of them as number `last`; the others wait.
    Away {
        /// How many were handed out.
        replay: u64,
        /// Number of the last one.
        last: u64,
        /// Close code of the last connection.
        code: u16,
        /// And its reason.
        reason: String,
    },
    /// Nobody can come back to it, and its listeners may not have been told.
    Over {
        /// Close code that they are told.
        code: u16,
        /// And the reason.
        reason: String,
    },
}

/// A session that was found in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The session.
    pub record: SessionRecord,
    /// Its messages, in order.
    pub messages: Vec<Payload>,
}

/// What one instance of a listener left to the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftState {
    /// Name of the module.
    pub module: String,
    /// How it ran, in words: the state is for one that runs alike.
    pub run: String,
    /// How keys were spread over its instances.
    pub spread: u128,
    /// Which of its instances.
    pub place: u32,
    /// Version of the format, as the module counts.
    pub schema: u32,
    /// What `data` is, as the module calls it.
    pub media_type: String,
    /// The state.
    pub data: Vec<u8>,
}

/// 128 bits as 32 hexadecimal digits.
mod bits {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bits: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{bits:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}
