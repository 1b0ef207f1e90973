//! What a file that is no listener was probably made for, and how to mend it: from the names of what it
//! imports and exports alone.

use super::component::{EXPORTS, PACKAGE, VERSION};
use super::inspect::Inspection;
use crate::printable::excerpt;

/// Exports that tell what else a file was made to be.
const OTHER_WORLDS: [(&str, &str); 3] = [
    (
        "wasi:cli/run@",
        "it is a command, which runs once and ends; build it as a library: in Rust crate-type = [\"cdylib\"], with clang -mexec-model=reactor, with Go -buildmode=c-shared",
    ),
    (
        "wasi:http/incoming-handler@",
        "it is an HTTP server (world wasi:http/proxy), which this gateway does not run; build it for world `listener` of sporegate:gateway",
    ),
    (
        "wasi:http/handler@",
        "it is an HTTP server of WASI 0.3, which this gateway does not run; build it for world `listener` of sporegate:gateway",
    ),
];

/// Imports that no listener is granted, and what takes their place.
const REFUSED: [(&str, &str); 3] = [
    (
        "wasi:http/incoming-handler",
        "a listener gets messages of WebSocket clients, not requests of HTTP",
    ),
    ("wasi:nn/", "a listener cannot run models; ask a service that can, by wasi:http"),
    ("wasi:tls/", "a listener opens no connections of its own; wasi:http speaks TLS for it"),
];

impl Inspection {
    /// What to do about a file that is no listener; nothing about one that is.
    pub fn advice(&self) -> Vec<String> {
        let refused = self.imports.iter().filter(|import| import.granted.is_none());
        let refused: Vec<&str> = refused.map(|import| import.name.as_str()).collect();
        if self.missing.is_empty() && refused.is_empty() {
            return Vec::new();
        }
        let imports: Vec<&str> = self.imports.iter().map(|import| import.name.as_str()).collect();
        let exports: Vec<&str> = self.exports.iter().map(String::as_str).collect();
        advice(&imports, &exports, &refused, !self.missing.is_empty())
    }
}

fn advice(imports: &[&str], exports: &[&str], refused: &[&str], is_missing: bool) -> Vec<String> {
    let mut advice = Vec::new();
    if let Some(version) = other_version(imports.iter().chain(exports)) {
        advice.push(format!(
            "it was made for {PACKAGE}@{}, and this gateway speaks {VERSION}: build it again with the SDK, or the WIT, of this version",
            excerpt(version)
        ));
    } else if is_missing {
        advice.push(other_world(exports));
    }
    for (begin, why) in REFUSED {
        if refused.iter().any(|name| name.starts_with(begin)) {
            advice.push(why.to_owned());
        }
    }
    if refused.iter().any(|name| name.starts_with("wasi:") && name.contains("@0.3")) {
        advice.push(
            "it was built for WASI 0.3; listeners get WASI 0.2: build it for wasm32-wasip2, or with the SDK of its language"
                .to_owned(),
        );
    }
    let told = |name: &&&str| {
        let begins = REFUSED.iter().any(|(begin, _)| name.starts_with(begin));
        begins || name.contains("@0.3") || name.starts_with(PACKAGE)
    };
    if let Some(name) = refused.iter().find(|name| !told(name)) {
        advice.push(format!(
            "nothing here answers `{}`; find out what of its libraries asks for it, and build it without",
            excerpt(name)
        ));
    }
    advice
}

/// The version of the interface that it names, if it is another one than ours.
fn other_version<'n>(names: impl Iterator<Item = &'n &'n str>) -> Option<&'n str> {
    let own = names.filter_map(|name| name.strip_prefix(PACKAGE)?.strip_prefix('/'));
    own.filter_map(|name| name.split_once('@'))
        .map(|(_, version)| version)
        .find(|it| *it != VERSION)
}

/// What it was made to be instead.
fn other_world(exports: &[&str]) -> String {
    let is_ours = |export: &&&str| {
        EXPORTS.iter().any(|(name, _)| **export == format!("{PACKAGE}/{name}@{VERSION}"))
    };
    if exports.iter().any(|export| is_ours(&export)) {
        return format!(
            "it is a part of a listener: export all of world `listener` of {PACKAGE}@{VERSION}; the SDK of each language does"
        );
    }
    let other = OTHER_WORLDS
        .iter()
        .find(|(begin, _)| exports.iter().any(|export| export.starts_with(begin)));
    match (other, exports.first()) {
        (Some((_, why)), _) => (*why).to_owned(),
        (None, Some(export)) => format!(
            "it was made for another world, which exports `{}`: build it for world `listener` of {PACKAGE}@{VERSION}",
            excerpt(export)
        ),
        (None, None) => format!(
            "it exports nothing at all: build it for world `listener` of {PACKAGE}@{VERSION}, and see that its exports are not stripped"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_was_made_for_is_told_from_its_names() {
        let all = |imports: &[&str], exports: &[&str], refused: &[&str]| {
            advice(imports, exports, refused, true).join("\n")
        };
        let newer =
            all(&["sporegate:gateway/clients@2.1.0"], &["sporegate:gateway/lifecycle@2.1.0"], &[]);
        assert!(
            newer.starts_with(
                "it was made for sporegate:gateway@2.1.0, and this gateway speaks 1.0.0"
            )
        );
        let part = all(&[], &["sporegate:gateway/lifecycle@1.0.0"], &[]);
        assert!(part.starts_with("it is a part of a listener"), "{part}");
        let command = all(&[], &["wasi:cli/run@0.2.6"], &[]);
        assert!(command.contains("crate-type = [\"cdylib\"]"), "{command}");
        let server = all(&[], &["wasi:http/incoming-handler@0.2.0"], &[]);
        assert!(server.starts_with("it is an HTTP server (world wasi:http/proxy)"), "{server}");
        let other = all(&[], &["my:own/thing@1.0.0"], &[]);
        assert!(other.contains("`my:own/thing@1.0.0`"), "{other}");
        assert!(all(&[], &[], &[]).starts_with("it exports nothing at all"));
    }

    #[test]
    fn of_what_is_too_much_it_is_told_what_takes_its_place() {
        let refused = |names: &[&str]| advice(names, &[], names, false);
        let models = refused(&["wasi:nn/graph@0.2.0-rc", "wasi:nn/tensor@0.2.0-rc"]);
        assert_eq!(models.len(), 1);
        assert!(models[0].contains("wasi:http"), "{models:?}");
        assert!(refused(&["wasi:clocks/monotonic-clock@0.3.0"])[0].contains("WASI 0.2"));
        assert!(refused(&["env"])[0].contains("nothing here answers `env`"));
    }
}
