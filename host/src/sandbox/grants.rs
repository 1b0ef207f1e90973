//! Which imports a listener may have: some are for everybody, some only for those whose sidecar
//! says so. What is not named here is refused.

use super::component::{PACKAGE, VERSION};
use super::load_error::LoadError;
use super::wasi;
use crate::config::Grants;
use crate::printable::printable;

const INTERFACES: [&str; 3] = ["types", "clients", "listeners"];

/// Proposed standards have no version that is compatible with another.
const PROPOSED: [(&str, Grant); 5] = [
    ("wasi:config/store@0.2.0-rc.1", Grant::Config),
    ("wasi:logging/logging@0.1.0-draft", Grant::Logging),
    ("wasi:keyvalue/store@0.2.0-draft", Grant::KeyValue),
    ("wasi:keyvalue/atomics@0.2.0-draft", Grant::KeyValue),
    ("wasi:keyvalue/batch@0.2.0-draft", Grant::KeyValue),
];

/// Who answers an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    Gateway,
    Wasi,
    Config,
    Logging,
    /// Needs `[http]` in the sidecar.
    Http,
    /// Needs `[keyvalue]` in the sidecar.
    KeyValue,
}

/// What a sidecar grants besides what all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// HTTP requests.
    pub http: bool,
    /// Buckets of keys and values.
    pub keyvalue: bool,
}

/// Something that only a sidecar grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// HTTP requests.
    Http,
    /// Buckets of keys and values.
    KeyValue,
}

/// What a component imports that only a sidecar grants: the first import of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    http: Option<Box<str>>,
    keyvalue: Option<Box<str>>,
}

impl Grant {
    /// Whether a listener may be granted an import, by its name, and by whom.
    pub(super) fn of(import: &str) -> Option<Self> {
        let (interface, version) = import.split_once('@')?;
        if let Some(name) = interface.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/'))
        {
            return INTERFACES.contains(&name).then_some(Self::Gateway);
        }
        if let Some((_, grant)) = PROPOSED.iter().find(|(name, _)| *name == import) {
            return Some(*grant);
        }
        if !version.starts_with("0.2.") {
            return None;
        }
        match interface {
            "wasi:http/types" | "wasi:http/outgoing-handler" => Some(Self::Http),
            _ if wasi::ALLOWED.iter().any(|allowed| interface.starts_with(allowed)) => {
                Some(Self::Wasi)
            }
            _ => None,
        }
    }

    /// What a sidecar has to say for it, if it has to say something.
    pub(super) fn need(self) -> Option<Need> {
        match self {
            Self::Gateway | Self::Wasi | Self::Config | Self::Logging => None,
            Self::Http => Some(Need::Http),
            Self::KeyValue => Some(Need::KeyValue),
        }
    }
}

impl Granted {
    /// What a sidecar grants.
    pub fn by(grants: &Grants) -> Self {
        Self { http: grants.http.is_some(), keyvalue: grants.keyvalue.is_some() }
    }
}

impl Need {
    /// Whether it is among what is granted.
    pub fn is_met(self, granted: Granted) -> bool {
        match self {
            Self::Http => granted.http,
            Self::KeyValue => granted.keyvalue,
        }
    }

    /// Lines of a sidecar that grant it.
    pub fn lines(self) -> [&'static str; 2] {
        match self {
            Self::Http => ["[http]", "hosts = [\"api.example.com\"]"],
            Self::KeyValue => ["[keyvalue]", "buckets = [\"default\"]"],
        }
    }
}

impl Needs {
    /// Takes in an import.
    pub(super) fn note(&mut self, import: &str, grant: Grant) {
        let first = match grant.need() {
            None => return,
            Some(Need::Http) => &mut self.http,
            Some(Need::KeyValue) => &mut self.keyvalue,
        };
        first.get_or_insert_with(|| import.into());
    }

    /// Whether it may make HTTP requests.
    pub(super) fn http(&self) -> bool {
        self.http.is_some()
    }

    /// Holds what is imported against what is granted.
    ///
    /// # Errors
    /// [`LoadError::NotGranted`] names the first import that is not.
    pub fn check(&self, granted: Granted) -> Result<(), LoadError> {
        for (import, need) in [(&self.http, Need::Http), (&self.keyvalue, Need::KeyValue)] {
            if let Some(name) = import.as_deref().filter(|_| !need.is_met(granted)) {
                let name = printable(name).into_owned();
                return Err(LoadError::NotGranted { name, lines: need.lines().map(str::to_owned) });
            }
        }
        Ok(())
    }
}

/// What a granted interface is good for.
pub(super) fn explain(import: &str, grant: Grant) -> &'static str {
    match (grant, import.split('/').next()) {
        (Grant::Gateway, _) if import.contains("/clients@") => {
            "see and reach the clients on its paths"
        }
        (Grant::Gateway, _) if import.contains("/listeners@") => "choose which messages it gets",
        (Grant::Gateway, _) => "plain values",
        (Grant::Config, _) => "read [config] of its sidecar",
        (Grant::Logging, _) => "write to its log, with a level",
        (Grant::Http, _) => "make HTTP requests to the hosts in [http] of its sidecar",
        (Grant::KeyValue, _) => "keep values in the buckets in [keyvalue] of its sidecar",
        (Grant::Wasi, Some("wasi:clocks")) => "tell the time",
        (Grant::Wasi, Some("wasi:random")) => "random numbers",
        (Grant::Wasi, Some("wasi:filesystem")) => "nothing: there are no directories behind it",
        (Grant::Wasi, Some("wasi:sockets")) => "nothing: each socket is refused",
        (Grant::Wasi, Some("wasi:cli")) => {
            "print to its log; there are no arguments and no environment"
        }
        (Grant::Wasi, Some("wasi:io")) => "streams and polls of the other interfaces",
        (Grant::Wasi, _) => "nothing",
    }
}

/// What every listener gets, in words.
pub(super) fn for_everybody() -> String {
    format!(
        "listeners get {PACKAGE}@{VERSION}, wasi:config/store, wasi:logging and wasi 0.2 clocks, \
         random and output; by their sidecar wasi:http/outgoing-handler 0.2 and wasi:keyvalue"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_granted_by_its_whole_name_or_not_at_all() {
        for (import, grant) in [
            ("sporegate:gateway/clients@1.0.0", Some(Grant::Gateway)),
            ("sporegate:gateway/secrets@1.0.0", None),
            ("wasi:io/poll@0.2.6", Some(Grant::Wasi)),
            ("wasi:http/types@0.2.12", Some(Grant::Http)),
            ("wasi:http/outgoing-handler@0.2.0", Some(Grant::Http)),
            ("wasi:http/outgoing-handler@0.3.0", None),
            ("wasi:http/outgoing-handler", None),
            ("wasi:http/client@0.2.0", None),
            ("wasi:sockets/tcp@0.2.0", Some(Grant::Wasi)),
            ("wasi:sockets/types@0.3.0", None),
            ("wasi:nn/graph@0.2.0-rc-2024-10-28", None),
            ("wasi:config/store@0.2.0-rc.1", Some(Grant::Config)),
            ("wasi:config/store@0.2.0", None),
            ("wasi:keyvalue/watcher@0.2.0-draft", None),
            ("wasi:keyvalue/batch@0.2.0-draft", Some(Grant::KeyValue)),
            ("wasi:logging/logging@0.1.0-draft", Some(Grant::Logging)),
        ] {
            assert_eq!(Grant::of(import), grant, "{import}");
        }
    }

    #[test]
    fn what_only_a_sidecar_grants_is_named_with_the_lines_to_add() {
        let mut needs = Needs::default();
        for import in
            ["wasi:io/poll@0.2.6", "wasi:http/types@0.2.6", "wasi:http/outgoing-handler@0.2.6"]
        {
            needs.note(import, Grant::of(import).unwrap());
        }
        let refusal = needs.check(Granted::default()).unwrap_err().to_string();
        assert!(refusal.contains("`wasi:http/types@0.2.6`"), "{refusal}");
        assert!(refusal.contains("`[http]` and `hosts = [\"api.example.com\"]`"), "{refusal}");
        assert!(needs.check(Granted { http: true, keyvalue: false }).is_ok());
    }
}
