//! What holds for clients on a path: who may connect, from where, and their limits. Every policy
//! is complete: what a `[[paths]]` entry leaves out was filled in from the top of the file.

use std::sync::Arc;
use std::time::Duration;

use super::client_limits;
use super::handshake::{self, Handshake};
use super::origin::AllowedOrigin;
use super::reconnect;
use super::section::Section;
use super::subprotocol::{self, Subprotocols};
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
    /// What may be agreed on in the handshake.
    pub subprotocols: Subprotocols,
    /// Limits and habits of the connection.
    pub connection: SharedPolicy,
}

/// Times between messages of the gateway.
pub(super) const INTERVALS: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(3_600));

/// Reads what holds where no `[[paths]]` entry does, and all of `[limits]`; `top` is the top of
/// the file.
pub(super) fn read_default(
    top: &mut Section<'_, '_>,
    reconnect_timeout: Option<Duration>,
) -> (PathPolicy, Handshake) {
    top.alias("restrict_to_roles", "restrictToRoles");
    top.alias("keep_alive", "enableKeepAlive");
    top.alias("keep_alive_interval", "keepAliveIntervalSec");
    let restrict_to_roles = roles(top.read("restrict_to_roles", Vec::new()));
    let allowed_origins = top.read("allowed_origins", Vec::new());
    let subprotocols = subprotocol::read(top, &Subprotocols::default(), None);
    let keep_alive = top.read("keep_alive", true);
    let (min, max) = INTERVALS;
    let interval = top.read_in("keep_alive_interval", Duration::from_secs(15), min..=max);
    let greeting = top.read("greeting", true);
    let default = ConnectionPolicy::default();
    let (connection, handshake) = top.section("limits", |limits| {
        let own = ConnectionPolicy {
            greeting,
            // Without a greeting nobody knows with what to come back.
            reconnect_timeout: reconnect_timeout.filter(|_| greeting),
            keep_alive_interval: keep_alive.then_some(interval),
            ..client_limits::read(limits, &default, None)
        };
        (Arc::new(own), handshake::read(limits))
    });
    let anonymous = false;
    let policy =
        PathPolicy { anonymous, restrict_to_roles, allowed_origins, subprotocols, connection };
    (policy, handshake)
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
    let subprotocols = subprotocol::read(entry, &default.subprotocols, Some("as above"));
    let connection = client_limits::read(entry, &default.connection, Some("as in [limits]"));
    let on_failure = entry.read("on_failure", connection.on_failure);
    let reconnect_timeout = reconnect::read_timeout(entry, connection.reconnect_timeout);
    let reconnect_timeout = reconnect_timeout.filter(|_| connection.greeting);
    let policy = PathPolicy {
        anonymous,
        restrict_to_roles,
        allowed_origins: allowed_origins.unwrap_or_else(|| default.allowed_origins.clone()),
        subprotocols,
        connection: Arc::new(ConnectionPolicy { on_failure, reconnect_timeout, ..connection }),
    };
    Some(PathRule { pattern: pattern?, policy })
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
