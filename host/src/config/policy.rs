//! What holds for clients on a path: who may connect, from where, and their limits. Every policy
//! is complete: what a `[[paths]]` entry leaves out was filled in from the top of the file.

use std::sync::Arc;
use std::time::Duration;

use super::handshake::{self, Handshake};
use super::origin::AllowedOrigin;
use super::section::Section;
use super::units::ByteSize;
use super::value::{Fault, Raw, Value, Word};
use crate::limits::{ConnectionPolicy, OnFailure, SharedPolicy};
use crate::path::PathPattern;
use crate::principal::check_name;

/// Most `[[paths]]` entries.
pub const MAX_PATHS: usize = 1_000;

/// A `[[paths]]` entry. The first whose pattern matches a connect path holds, in the order of the
/// file: put the more specific patterns first.
#[derive(Clone, Debug)]
pub struct PathRule {
    /// Connect paths it holds for, below the base path.
    pub pattern: PathPattern,
    /// What holds there.
    pub policy: PathPolicy,
}

/// What holds for the clients of a path.
#[derive(Clone, Debug)]
pub struct PathPolicy {
    /// Clients without credentials may connect; then `restrict_to_roles` is empty.
    pub anonymous: bool,
    /// If not empty, the client needs one of these roles.
    pub restrict_to_roles: Vec<String>,
    /// Origins whose pages may connect, besides the gateway's own; applies while
    /// [`super::Config::check_origin`] holds.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Limits and habits of the connection.
    pub connection: SharedPolicy,
}

const MESSAGE_SIZES: (ByteSize, ByteSize) = (ByteSize::bytes(1), ByteSize::mib(64));
const OUTBOX_MESSAGES: (u32, u32) = (1, 1_000_000);
/// Not less than the greeting has, which would never leave.
const OUTBOX_SIZES: (ByteSize, ByteSize) = (ByteSize::kib(1), ByteSize::gib(1));
const WAITS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(600));
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3_600));

/// Reads what holds where no `[[paths]]` entry does, and all of `[limits]`; `top` is the top of
/// the file.
pub(super) fn read_default(top: &mut Section<'_, '_>) -> (PathPolicy, Handshake) {
    top.alias("restrict_to_roles", "restrictToRoles");
    top.alias("keep_alive", "enableKeepAlive");
    top.alias("keep_alive_interval", "keepAliveIntervalSec");
    let restrict_to_roles = roles(top.read("restrict_to_roles", Vec::new()));
    let allowed_origins = top.read("allowed_origins", Vec::new());
    let keep_alive = top.read("keep_alive", true);
    let (min, max) = INTERVALS;
    let interval = top.read_in("keep_alive_interval", Duration::from_secs(15), min..=max);
    let greeting = top.read("greeting", true);
    let (connection, handshake) = top.section("limits", |limits| {
        let own = ConnectionPolicy {
            greeting,
            keep_alive_interval: keep_alive.then_some(interval),
            ..read_limits(limits)
        };
        (Arc::new(own), handshake::read(limits))
    });
    let policy = PathPolicy { anonymous: false, restrict_to_roles, allowed_origins, connection };
    (policy, handshake)
}

fn read_limits(limits: &mut Section<'_, '_>) -> ConnectionPolicy {
    let (least, most) = MESSAGE_SIZES;
    let message = limits.read_in("message_size", ByteSize::kib(64), least..=most);
    let (least, most) = OUTBOX_MESSAGES;
    let messages = limits.read_in("outbox_messages", 1024, least..=most);
    let (least, most) = OUTBOX_SIZES;
    let outbox = limits.read_in("outbox_size", ByteSize::mib(1), least..=most);
    check_room(limits, message, outbox);
    let mut time = |key, seconds, (least, most)| {
        limits.read_in(key, Duration::from_secs(seconds), least..=most)
    };
    ConnectionPolicy {
        message_bytes: message.as_len(),
        outbox_messages: count(messages),
        outbox_bytes: outbox.as_len(),
        ping_interval: time("ping_interval", 25, INTERVALS),
        pong_timeout: time("pong_timeout", 10, WAITS),
        keep_alive_interval: None,
        write_timeout: time("write_timeout", 10, WAITS),
        close_timeout: time("close_timeout", 5, WAITS),
        greeting: true,
        on_failure: OnFailure::Skip,
    }
}

/// Reads all `[[paths]]`.
pub(super) fn read_paths(top: &mut Section<'_, '_>, default: &PathPolicy) -> Vec<PathRule> {
    let rules = top.tables("paths", MAX_PATHS, |entry| read_rule(entry, default));
    rules.into_iter().flatten().collect()
}

fn read_rule(entry: &mut Section<'_, '_>, default: &PathPolicy) -> Option<PathRule> {
    let pattern = entry.required("pattern", "write the paths it holds for: pattern = \"/rooms/*\"");
    let anonymous = entry.read("anonymous", false);
    let own_roles = entry.optional("restrict_to_roles", "as above").map(roles);
    let restrict_to_roles = own_roles.unwrap_or_else(|| default.restrict_to_roles.clone());
    if anonymous && !restrict_to_roles.is_empty() {
        entry.conflict(
            &["restrict_to_roles", "anonymous"],
            "anonymous clients have no roles, and `restrict_to_roles` demands one here; keep one \
             of the two, or write restrict_to_roles = [] in this entry",
        );
    }
    let allowed_origins = entry.optional("allowed_origins", "as above");
    let connection = read_connection(entry, &default.connection);
    let policy = PathPolicy {
        anonymous,
        restrict_to_roles,
        allowed_origins: allowed_origins.unwrap_or_else(|| default.allowed_origins.clone()),
        connection: Arc::new(connection),
    };
    Some(PathRule { pattern: pattern?, policy })
}

fn read_connection(entry: &mut Section<'_, '_>, default: &ConnectionPolicy) -> ConnectionPolicy {
    let as_size = |bytes: usize| ByteSize::bytes(u64::try_from(bytes).unwrap_or(u64::MAX));
    let (least, most) = MESSAGE_SIZES;
    let message = entry.optional_in("message_size", "as in [limits]", least..=most);
    let (least, most) = OUTBOX_MESSAGES;
    let messages = entry.optional_in("outbox_messages", "as in [limits]", least..=most);
    let (least, most) = OUTBOX_SIZES;
    let outbox = entry.optional_in("outbox_size", "as in [limits]", least..=most);
    let on_failure = entry.read("on_failure", default.on_failure);
    let message = message.unwrap_or(as_size(default.message_bytes));
    let outbox_size = outbox.unwrap_or(as_size(default.outbox_bytes));
    check_room(entry, message, outbox_size);
    ConnectionPolicy {
        message_bytes: message.as_len(),
        outbox_messages: messages.map_or(default.outbox_messages, count),
        outbox_bytes: outbox_size.as_len(),
        on_failure,
        ..default.clone()
    }
}

/// An outbox that holds no largest message could never send one.
fn check_room(section: &mut Section<'_, '_>, message: ByteSize, outbox: ByteSize) {
    let keys = ["outbox_size", "message_size"];
    if outbox < message && keys.iter().any(|key| section.place_of(key).is_some()) {
        section.conflict(
            &keys,
            format!(
                "`outbox_size` ({outbox}) must not be smaller than `message_size` ({message}); \
                 raise the one or lower the other"
            ),
        );
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn roles(roles: Vec<Role>) -> Vec<String> {
    roles.into_iter().map(|role| role.0).collect()
}

/// A role name, by the rules for names.
struct Role(String);

impl Value for Role {
    const EXPECTED: &'static str = "a role, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        check_name(text).map_err(|problem| Fault::bad(format!("a role {problem}")))?;
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl Word for OnFailure {
    const CHOICE: &'static str = "`skip` or `close`";
    const WORDS: &'static [(&'static str, Self)] = &[("skip", Self::Skip), ("close", Self::Close)];
}
