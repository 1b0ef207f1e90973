//! The limits of the gate, one by one: the settings that switch each of them on alone.
//!
//! Invariant: no limit here is ever reached, so that what is measured is what it costs those who
//! keep to it.

/// A setting of the gateway: its section, its key, its value as TOML.
type Setting = (&'static str, &'static str, &'static str);

/// A limit that can be off, or one of its kinds, and how it is switched on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Name of the server in the report.
    pub(crate) name: &'static str,
    settings: &'static [Setting],
}

/// What can be off is off. What costs only now and then is as rare as it may be.
const OFF: &[Setting] = &[
    ("", "greeting", "false"),
    ("", "keep_alive", "false"),
    ("", "reconnect_timeout", "\"0s\""),
    ("", "check_origin", "false"),
    ("", "max_connections", "30000"),
    ("limits", "ping_interval", "\"1h\""),
    ("limits", "replay_messages", "0"),
    ("limits", "replay_size", "\"0B\""),
    ("limits", "connect_rate", "0"),
    ("limits", "failed_logins", "0"),
    ("auth", "token_file", "\"tokens.toml\""),
    ("auth", "access_token_query", "true"),
    ("sandbox", "cache", "\"cache\""),
    ("sandbox.defaults.run", "probation_calls", "0"),
    ("sandbox.defaults.run", "breaker_failures", "0"),
];

/// The sections in the order of the file; the settings of "" come first.
const SECTIONS: [&str; 6] = ["", "limits", "metrics", "auth", "sandbox", "sandbox.defaults.run"];

const fn limit(name: &'static str, settings: &'static [Setting]) -> Limit {
    Limit { name, settings }
}

/// None: the base of all ratios.
pub(crate) static NONE: Limit = limit("no limit", &[]);

/// None again: as far as it is from the first, the figures are noise.
pub(crate) static NONE_AGAIN: Limit = limit("no limit, again", &[]);

/// Those that have something to do for a message.
pub(crate) static OF_MESSAGES: [Limit; 15] = [
    limit("messages = text", &[("limits", "messages", "\"text\"")]),
    limit("messages = json", &[("limits", "messages", "\"json\"")]),
    limit("message_rate", &[("limits", "message_rate", "1000000")]),
    limit("byte_rate", &[("limits", "byte_rate", "\"1GiB\"")]),
    limit("idle_timeout", &[("limits", "idle_timeout", "\"1h\"")]),
    limit("lifetime", &[("limits", "lifetime", "\"1h\"")]),
    limit("slow_client = drop-oldest", &[("limits", "slow_client", "\"drop-oldest\"")]),
    limit("slow_client = drop-newest", &[("limits", "slow_client", "\"drop-newest\"")]),
    limit(
        "slow_client = latest",
        &[("limits", "slow_client", "\"latest\""), ("limits", "slow_client_key", "\"/type\"")],
    ),
    limit(
        "a history for those who come back",
        &[
            ("", "greeting", "true"),
            ("", "reconnect_timeout", "\"5s\""),
            ("limits", "replay_messages", "256"),
            ("limits", "replay_size", "\"64KiB\""),
        ],
    ),
    limit("a ping each second", &[("limits", "ping_interval", "\"1s\"")]),
    limit(
        "a keep-alive each second",
        &[("", "keep_alive", "true"), ("", "keep_alive_interval", "\"1s\"")],
    ),
    limit("breaker_failures", &[("sandbox.defaults.run", "breaker_failures", "5")]),
    limit("probation_calls", &[("sandbox.defaults.run", "probation_calls", "100")]),
    limit("metrics", &[("metrics", "listen", "\"127.0.0.1:0\"")]),
];

/// Those that have something to do when a client connects, or goes.
pub(crate) static OF_CONNECTS: [Limit; 6] = [
    limit("max_connections_per_user", &[("", "max_connections_per_user", "20000")]),
    limit("max_connections_per_address", &[("", "max_connections_per_address", "20000")]),
    limit(
        "connect_rate",
        &[("limits", "connect_rate", "1000000"), ("limits", "connect_burst", "1000000")],
    ),
    limit("failed_logins", &[("limits", "failed_logins", "300")]),
    limit("check_origin", &[("", "check_origin", "true")]),
    limit("hosts", &[("", "hosts", "[\"127.0.0.1\"]")]),
];

/// What cannot be off.
pub(crate) const ALWAYS_ON: &str = "`control_rate`, `fragments`, `message_time`, `message_size`, \
    `outbox_messages`, `outbox_size`, `ping_interval` (1h here), `pong_timeout`, `write_timeout`, \
    `close_timeout`, `max_connections`, `handshakes`, `handshake_timeout`, `uri_size`, \
    `header_size`, `header_count`, and the limits of a module's memory, time and calls";

/// A user's token, which every client of these servers presents: what they are compared in does
/// not depend on whether it is looked at.
pub(crate) const TOKEN: &str = "bench-token-of-the-load-generator";

/// The file with its hash.
pub(crate) const TOKENS: &str = "[[token]]\nuser = \"load\"\n\
    hash = \"sha256:55c23e1e2f40063b1d7b5636567c0fcf7b900ff33f17a919d8b2a6dcadab3668\"\n";

impl Limit {
    /// The configuration of a gateway with this limit and no other.
    pub(crate) fn config(&self) -> String {
        let mut text = "listen = \"127.0.0.1:0\"\nmodules = \"modules\"\n".to_owned();
        for section in SECTIONS {
            let is_own = |(of, key, _): &&Setting| {
                *of == section
                    && !self.settings.iter().any(|(own, name, _)| (own, name) == (of, key))
            };
            let off = OFF.iter().filter(is_own);
            let on = self.settings.iter().filter(|(of, ..)| *of == section);
            let mut lines =
                off.chain(on).map(|(_, key, value)| format!("{key} = {value}\n")).peekable();
            if !section.is_empty() && lines.peek().is_some() {
                text.push_str(&format!("\n[{section}]\n"));
            }
            text.extend(lines);
        }
        text
    }

    /// Its name as one of a directory.
    pub(crate) fn directory(&self) -> String {
        self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_replaces_what_is_off_and_nothing_else() {
        let [off, on] = [&NONE, &OF_MESSAGES[9]].map(Limit::config);
        assert!(off.contains("replay_messages = 0\n") && !on.contains("replay_messages = 0\n"));
        let same = |text: &str| text.lines().filter(|line| line.contains("connect_rate")).count();
        assert_eq!((same(&off), same(&on)), (1, 1));
    }

    #[test]
    fn every_setting_is_in_a_section_that_is_written() {
        let limits = OF_MESSAGES.iter().chain(&OF_CONNECTS);
        let settings = limits.flat_map(|limit| limit.settings).chain(OFF);
        for (section, ..) in settings {
            assert!(SECTIONS.contains(section), "{section}");
        }
    }
}
