//! The paths a module may serve.
//!
//! Invariant: an empty set contains nothing. There is no "everything" but the pattern `/*`.

use std::fmt;

use serde::Deserialize;

use super::{ConnectPath, PathPattern};

/// A set of path patterns, for example what a module is granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct PathSet(Vec<PathPattern>);

impl PathSet {
    /// Whether one of the patterns matches the path.
    pub fn contains(&self, path: &ConnectPath) -> bool {
        self.0.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether one pattern of the set alone covers `wanted`. True means that every path `wanted`
    /// matches is contained; patterns that cover it only together do not count.
    pub fn covers(&self, wanted: &PathPattern) -> bool {
        self.0.iter().any(|pattern| pattern.covers(wanted))
    }

    /// Whether a path exists that the set contains and `other` matches.
    pub fn overlaps(&self, other: &PathPattern) -> bool {
        self.0.iter().any(|pattern| pattern.overlaps(other))
    }

    /// The patterns in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &PathPattern> {
        self.0.iter()
    }

    /// Whether there is no pattern, and so nothing in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<PathPattern> for PathSet {
    fn from_iter<I: IntoIterator<Item = PathPattern>>(patterns: I) -> Self {
        Self(patterns.into_iter().collect())
    }
}

/// The patterns, separated by commas; "no path" for an empty set.
impl fmt::Display for PathSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no path");
        }
        for (i, pattern) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{pattern}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(patterns: &[&str]) -> PathSet {
        patterns.iter().map(|p| PathPattern::parse(p).unwrap()).collect()
    }

    fn pattern(text: &str) -> PathPattern {
        PathPattern::parse(text).unwrap()
    }

    #[test]
    fn a_set_contains_what_any_pattern_matches() {
        let granted = set(&["/chat/*", "/rooms/{room}"]);
        for (path, contained) in [
            ("/chat", true),
            ("/chat/a/b", true),
            ("/rooms/1", true),
            ("/rooms", false),
            ("/rooms/1/2", false),
            ("/", false),
            ("/chatter", false),
        ] {
            assert_eq!(granted.contains(&ConnectPath::parse(path).unwrap()), contained, "{path}");
        }
    }

    #[test]
    fn covers_needs_all_and_overlaps_needs_one_path() {
        let granted = set(&["/chat/*", "/rooms/{room}"]);
        assert!(granted.covers(&pattern("/chat/{x}/y")));
        assert!(granted.covers(&pattern("/rooms/{other}")));
        assert!(!granted.covers(&pattern("/rooms/*")));
        assert!(granted.overlaps(&pattern("/rooms/*")));
        assert!(granted.overlaps(&pattern("/*")));
        assert!(!granted.overlaps(&pattern("/files/*")));
    }

    #[test]
    fn an_empty_set_grants_nothing() {
        let none = PathSet::default();
        assert!(none.is_empty());
        assert!(!none.contains(&ConnectPath::parse("/").unwrap()));
        assert!(!none.covers(&pattern("/*")) && !none.overlaps(&pattern("/*")));
        assert_eq!(none.to_string(), "no path");
    }

    #[test]
    fn it_reads_from_a_list_of_texts_and_prints_one() {
        let read: PathSet = serde_json::from_str(r#"["/chat/*", "/rooms/{room}/"]"#).unwrap();
        assert_eq!(read, set(&["/chat/*", "/rooms/{room}"]));
        assert_eq!(read.to_string(), "/chat/*, /rooms/{room}");
        assert_eq!(read.iter().count(), 2);
        let error = serde_json::from_str::<PathSet>(r#"["chat"]"#).unwrap_err().to_string();
        assert!(error.contains("must start with `/`"), "{error}");
    }
}
