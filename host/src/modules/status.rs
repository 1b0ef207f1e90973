//! A module as operators see it, and as it goes over the control socket.
//!
//! ```text
//! Loading --> Active --file gone--> Draining --> (forgotten)
//!    |          |  ^ \--disable--> Disabled --enable--> Loading
//!    v          |  |
//! Rejected      +--+--failed on probation, or asked for--> RolledBack
//! ```
//! Rejected and RolledBack say why; what serves goes on meanwhile, if anything does.

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// Where a module is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "kebab-case")]
pub enum State {
    /// Its files are read, compiled, started.
    Loading,
    /// It serves what its files say.
    Active,
    /// Its file is gone, and it answers what it was called for.
    Draining,
    /// What its files say was refused.
    Rejected(Arc<str>),
    /// What its files say has failed; what served before serves again.
    RolledBack(Arc<str>),
    /// An operator has ended it.
    Disabled,
}

/// A module as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleStatus {
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    #[serde(flatten)]
    pub state: State,
    /// Since when, to the second.
    #[serde(with = "unix_seconds")]
    pub since: SystemTime,
    /// SHA-256 of the file of what serves, in hexadecimal; none where nothing does.
    pub revision: Option<String>,
    /// Whether what serves is on probation.
    pub on_probation: bool,
    /// Whether it pauses, because it keeps failing.
    pub pauses: bool,
    /// Whether there is something to go back to.
    pub can_roll_back: bool,
    /// Calls for messages and disconnects since the gateway started.
    pub calls: u64,
    /// Calls that a listener answered with an error.
    pub errors: u64,
    /// Calls that ended their instance.
    pub traps: u64,
    /// Places for instances.
    pub instances: usize,
    /// Linear memory and tables of all of them, in bytes.
    pub memory_bytes: usize,
    /// Messages that wait for an instance now.
    pub queue: usize,
}

impl State {
    /// Its word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Rejected(_) => "rejected",
            Self::RolledBack(_) => "rolled-back",
            Self::Disabled => "disabled",
        }
    }

    /// Why, where something is wrong.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Rejected(reason) | Self::RolledBack(reason) => Some(reason),
            Self::Loading | Self::Active | Self::Draining | Self::Disabled => None,
        }
    }
}

/// Seconds since the Unix epoch.
mod unix_seconds {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<SystemTime, D::Error> {
        let seconds = Duration::from_secs(u64::deserialize(from)?);
        let too_late = || serde::de::Error::custom("a time that this system does not have");
        UNIX_EPOCH.checked_add(seconds).ok_or_else(too_late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_goes_over_the_socket_and_its_state_by_the_word_that_is_shown() {
        let why: Arc<str> = "why".into();
        for state in [
            State::Loading,
            State::Active,
            State::Draining,
            State::Rejected(Arc::clone(&why)),
            State::RolledBack(why),
            State::Disabled,
        ] {
            let status = ModuleStatus {
                name: "m".to_owned(),
                state,
                since: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7),
                revision: Some("0a".to_owned()),
                on_probation: true,
                pauses: false,
                can_roll_back: true,
                calls: 3,
                errors: 2,
                traps: 1,
                instances: 1,
                memory_bytes: 65_536,
                queue: 0,
            };
            let json = serde_json::to_value(&status).unwrap();
            assert_eq!((&json["state"], &json["since"]), (&status.state.name().into(), &7.into()));
            assert_eq!(json["reason"].as_str(), status.state.reason());
            assert_eq!(serde_json::from_value::<ModuleStatus>(json).unwrap(), status);
        }
    }
}
