//! What a configuration says that is accepted and still deserves a word. Never an error.

use std::fmt;
use std::net::SocketAddr;

use super::policy::PathRule;
use crate::path::PathPattern;

/// Something to tell the operator. Prints as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A `[[paths]]` entry that never holds, because one before it takes all its paths.
    NeverReached {
        /// Its pattern.
        pattern: PathPattern,
        /// Pattern of the earlier entry.
        behind: PathPattern,
    },
    /// No token file, no issuer of tokens, no proxy and no path for anonymous clients.
    NobodyCanConnect,
    /// Others than this machine can read the metrics.
    PublicMetrics {
        /// Where.
        listen: SocketAddr,
    },
    /// Everybody is admitted.
    Insecure {
        /// Where the gateway can be reached.
        listen: SocketAddr,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverReached { pattern, behind } => write!(
                f,
                "[[paths]] `{pattern}` never holds, because `{behind}` comes first and takes all \
                 its paths; move it up or remove it"
            ),
            Self::NobodyCanConnect => write!(
                f,
                "nobody can connect: set `token_file` or an [[auth.jwt]], or allow anonymous \
                 clients on a path by a [[paths]] entry"
            ),
            Self::PublicMetrics { listen } => write!(
                f,
                "metrics.listen = \"{listen}\" is no loopback address: whoever reaches it can read \
                 the metrics, without credentials"
            ),
            Self::Insecure { listen } => write!(
                f,
                "INSECURE: everybody who can reach {listen} may connect to every path that no \
                 roles protect, without credentials (auth.insecure); never do this in production"
            ),
        }
    }
}

/// Finds entries that never hold.
pub(super) fn never_reached(rules: &[PathRule]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let earlier = rules.iter().take(index);
        if let Some(first) = earlier.map(|r| &r.pattern).find(|p| p.covers(&rule.pattern)) {
            let (pattern, behind) = (rule.pattern.clone(), first.clone());
            warnings.push(Warning::NeverReached { pattern, behind });
        }
    }
    warnings
}
