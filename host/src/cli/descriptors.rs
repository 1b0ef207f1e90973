//! File descriptors of a process that serves: each client is one. What the system grants at once is
//! often less than what it lets a process ask for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For what else has descriptors: listeners, modules, connections that are no clients yet.
const RESERVE: u64 = 256;

/// Asks for as many as there may be, and warns where so many clients cannot have one each.
pub(super) fn ask_for_all(max_connections: u32) {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit != all
        && let Err(error) = setrlimit(Resource::Nofile, all)
    {
        tracing::debug!(%error, "RLIMIT_NOFILE");
    }
    // None: no limit.
    let granted = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let wanted = u64::from(max_connections) + RESERVE;
    if granted < wanted {
        tracing::warn!(
            granted,
            wanted,
            "fewer file descriptors than max_connections needs: raise the hard limit \
             (ulimit -Hn, LimitNOFILE=), or lower max_connections"
        );
    }
}
