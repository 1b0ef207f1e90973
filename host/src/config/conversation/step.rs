//! One step of a conversation: one thing that one client, the clock or the module does.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::words::{Claims, Hex, JsonText, Text};
use crate::config::section::Section;
use crate::config::units::duration_text;
use crate::message::Payload;
use crate::path::ConnectPath;

/// One step, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is done.
    pub action: Action,
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A client connects.
    Connect(Newcomer),
    /// A client sends a message.
    Send {
        /// Its name.
        client: String,
        /// The message.
        message: Said,
    },
    /// The next that a client hears is this message.
    Expect {
        /// Its name.
        client: String,
        /// What must come.
        message: Taken,
    },
    /// A client has heard everything that has happened so far.
    ExpectNothing {
        /// Its name.
        client: String,
    },
    /// The next that a client hears is that it is closed.
    ExpectClose {
        /// Its name.
        client: String,
        /// The code.
        code: u16,
        /// The reason, if it matters.
        reason: Option<String>,
    },
    /// A client closes its connection, and waits until its end was told.
    Close {
        /// Its name.
        client: String,
        /// The code.
        code: u16,
        /// The reason; may be empty.
        reason: String,
    },
    /// The connection of a client breaks, without a close.
    Drop {
        /// Its name.
        client: String,
    },
    /// So much time passes.
    Advance(Duration),
    /// The module takes over from itself, as if its file had been replaced.
    Swap,
}

/// A client that connects.
#[derive(Clone, Debug, PartialEq)]
pub struct Newcomer {
    /// What the conversation calls it.
    pub client: String,
    /// Where it connects, below the base path.
    pub path: ConnectPath,
    /// User name; without one it is anonymous.
    pub user: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// What is vouched for of it, as the text of a JSON object.
    pub claims: Option<String>,
}

/// A message that is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

/// A message that must come.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// This text, letter for letter.
    Text(String),
    /// A text that is this JSON value; `"<any>"` in it stands for any value.
    Json(serde_json::Value),
    /// These bytes.
    Binary(Vec<u8>),
}

/// Who is connected, as far as the steps that were read tell.
#[derive(Debug, Default)]
pub(super) struct Cast {
    connected: BTreeSet<String>,
}

/// What a step can do, by the key that says so.
const ACTIONS: [&str; 12] = [
    "connect",
    "send",
    "send_binary",
    "expect",
    "expect_json",
    "expect_binary",
    "expect_nothing",
    "expect_close",
    "close",
    "drop",
    "advance",
    "swap",
];

/// Those that are not about a client.
const OF_NOBODY: [&str; 2] = ["advance", "swap"];

/// What only makes sense along with `connect`.
const OF_CONNECT: [&str; 3] = ["user", "roles", "claims"];

const LONGEST_ADVANCE: Duration = Duration::from_secs(600);

/// Reads one `[[step]]`; none where something is wrong with it, which is noted.
pub(super) fn read(table: &mut Section<'_, '_>, cast: &mut Cast) -> Option<Step> {
    let line = table.line();
    let client: Option<String> = table.optional("client", "none");
    let action = read_action(table, client.clone());
    let done: Vec<&str> = ACTIONS.into_iter().filter(|key| table.is_given(key)).collect();
    let key = match done.as_slice() {
        [key] => *key,
        // What is unknown is told.
        [] if table.has_unknown() => return None,
        [] => {
            let all = ACTIONS.join("`, `");
            table.conflict(&["client"], format!("this step does nothing; add one of `{all}`"));
            return None;
        }
        [_, second, ..] => {
            let done = done.join("` and `");
            let why = format!("`{done}` in one step; write a `[[step]]` for each of them");
            table.conflict(&[*second], why);
            return None;
        }
    };
    if key != "connect"
        && let Some(extra) = OF_CONNECT.into_iter().find(|extra| table.is_given(extra))
    {
        table.conflict(&[extra], format!("`{extra}` is said when a client connects, not later"));
    }
    check_client(table, cast, key, client.as_deref())?;
    Some(Step { line, action: action? })
}

/// Whether the client of a step is there, or is not, as the step needs it.
fn check_client(
    table: &mut Section<'_, '_>,
    cast: &mut Cast,
    key: &str,
    client: Option<&str>,
) -> Option<()> {
    let nobodys = OF_NOBODY.contains(&key);
    let client = match client {
        None if nobodys => return Some(()),
        None => {
            if !table.is_given("client") {
                table.missing("client", "say which client does it, such as client = \"kim\"");
            }
            return None;
        }
        Some(_) if nobodys => {
            table.conflict(&["client"], format!("`{key}` is not about a client; leave it out"));
            return None;
        }
        Some(client) => client,
    };
    let wrong = match (key, cast.connected.contains(client)) {
        ("connect", true) => Some("is connected already; close it first, or use another name"),
        ("connect", false) => {
            cast.connected.insert(client.to_owned());
            None
        }
        (_, false) => Some("is not connected here; add a step with `connect` before this one"),
        ("close" | "drop" | "expect_close", true) => {
            cast.connected.remove(client);
            None
        }
        (_, true) => None,
    };
    match wrong {
        None => Some(()),
        Some(why) => {
            table.conflict(&["client"], format!("`{client}` {why}"));
            None
        }
    }
}

/// Reads all that a step may have, so that every key is known, and keeps what it does.
fn read_action(table: &mut Section<'_, '_>, client: Option<String>) -> Option<Action> {
    let connect: Option<Text> = table.optional("connect", "none");
    let path = connect.and_then(|path| match ConnectPath::parse(&path.0) {
        Ok(path) => Some(path),
        Err(error) => {
            table.bad("connect", error.to_string());
            None
        }
    });
    let user = table.optional("user", "none");
    let roles = table.optional("roles", "[]").unwrap_or_default();
    let claims: Option<Claims> = table.optional("claims", "none");
    let text: Option<Text> = table.optional("send", "none");
    let binary: Option<Hex> = table.optional("send_binary", "none");
    let said = text.map(|text| Said::Text(text.0)).or(binary.map(|hex| Said::Binary(hex.0)));
    let text: Option<Text> = table.optional("expect", "none");
    let json: Option<JsonText> = table.optional("expect_json", "none");
    let binary: Option<Hex> = table.optional("expect_binary", "none");
    let taken = text
        .map(|text| Taken::Text(text.0))
        .or(json.map(|json| Taken::Json(json.0)))
        .or(binary.map(|hex| Taken::Binary(hex.0)));
    let nothing = read_true(table, "expect_nothing");
    let is_close_expected = table.is_given("expect_close");
    let closed = table.section("expect_close", |close| {
        if is_close_expected && !close.is_given("code") {
            close.missing("code", "the close that must come has one, such as { code = 1000 }");
        }
        read_close(close)
    });
    let close = table.section("close", read_close);
    let drop = read_true(table, "drop");
    let times = Duration::from_millis(1)..=LONGEST_ADVANCE;
    let advance = table.optional_in("advance", "none", times);
    let swap = read_true(table, "swap");
    if let Some(time) = advance {
        return Some(Action::Advance(time));
    }
    if swap {
        return Some(Action::Swap);
    }
    let client = client?;
    if let Some(path) = path {
        let claims = claims.map(|claims| claims.0);
        return Some(Action::Connect(Newcomer { client, path, user, roles, claims }));
    }
    if let Some(message) = said {
        return Some(Action::Send { client, message });
    }
    if let Some(message) = taken {
        return Some(Action::Expect { client, message });
    }
    if nothing {
        return Some(Action::ExpectNothing { client });
    }
    if drop {
        return Some(Action::Drop { client });
    }
    if is_close_expected {
        return Some(Action::ExpectClose { client, code: closed.code?, reason: closed.reason });
    }
    if table.is_given("close") {
        let (code, reason) = (close.code.unwrap_or(1000), close.reason.unwrap_or_default());
        return Some(Action::Close { client, code, reason });
    }
    None
}

/// A key that is only ever `true`.
fn read_true(table: &mut Section<'_, '_>, key: &'static str) -> bool {
    let value = table.optional(key, "none");
    if value == Some(false) {
        table.bad(key, "only `true` makes sense here; leave the step out instead");
    }
    value == Some(true)
}

struct CloseTable {
    code: Option<u16>,
    reason: Option<String>,
}

fn read_close(table: &mut Section<'_, '_>) -> CloseTable {
    let code: Option<u32> = table.optional_in("code", "1000", 1000..=4999);
    let reason: Option<Text> = table.optional("reason", "none");
    CloseTable {
        code: code.and_then(|code| u16::try_from(code).ok()),
        reason: reason.map(|reason| reason.0),
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(Newcomer { client, path, user, .. }) => {
                let user = user.as_deref().unwrap_or("nobody");
                write!(f, "{client} connects to {} as {user}", path.as_str())
            }
            Self::Send { client, message } => write!(f, "{client} sends {message}"),
            Self::Expect { client, message } => write!(f, "{client} expects {message}"),
            Self::ExpectNothing { client } => write!(f, "{client} expects nothing"),
            Self::ExpectClose { client, code, reason } => {
                write!(f, "{client} expects the close {code}")?;
                reason.iter().try_for_each(|reason| write!(f, " {reason:?}"))
            }
            Self::Close { client, code, reason } if reason.is_empty() => {
                write!(f, "{client} closes with {code}")
            }
            Self::Close { client, code, reason } => {
                write!(f, "{client} closes with {code} {reason:?}")
            }
            Self::Drop { client } => write!(f, "the connection of {client} breaks"),
            Self::Advance(time) => write!(f, "{} pass", duration_text(*time)),
            Self::Swap => write!(f, "the module takes over from itself"),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the text {text}"),
            Self::Binary(bytes) => write!(f, "the bytes {}", super::words::hex(bytes)),
        }
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the text {text}"),
            Self::Json(value) => write!(f, "the JSON {value}"),
            Self::Binary(bytes) => write!(f, "the bytes {}", super::words::hex(bytes)),
        }
    }
}

impl From<&Said> for Payload {
    fn from(said: &Said) -> Self {
        match said {
            Said::Text(text) => Self::text(text.as_str()),
            Said::Binary(bytes) => Self::Binary(bytes.clone().into()),
        }
    }
}
