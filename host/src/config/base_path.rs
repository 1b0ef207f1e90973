//! The path under which clients connect. Always canonical: no trailing slash, no empty or dot
//! segment, nothing that would need decoding.

use std::fmt;

use super::value::{Fault, Raw, Value};

/// The base path, `/websocket` by default.
///
/// `/` is allowed and makes every path a client path; the gateway's own pages (health, test page)
/// keep their paths then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BasePath(String);

impl BasePath {
    /// Longest base path, in bytes.
    pub const MOST: usize = 256;

    /// Reads a base path.
    ///
    /// # Errors
    /// It does not start with `/`, ends with one, is longer than [`Self::MOST`], or a segment is
    /// empty, `.`, `..`, or has other characters than letters, digits, `.`, `_`, `~` and `-`.
    pub fn parse(text: &str) -> Result<Self, BasePathError> {
        let Some(rest) = text.strip_prefix('/') else { return Err(BasePathError::Start) };
        if text.len() > Self::MOST {
            return Err(BasePathError::TooLong);
        }
        if rest.is_empty() {
            return Ok(Self(text.to_owned()));
        }
        if rest.ends_with('/') {
            return Err(BasePathError::TrailingSlash);
        }
        for segment in rest.split('/') {
            if matches!(segment, "" | "." | "..") {
                return Err(BasePathError::Segment { segment: segment.to_owned() });
            }
            if let Some(character) = segment.chars().find(|c| !is_plain(*c)) {
                return Err(BasePathError::Character { character });
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// `/`, or `/websocket` without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes before a sub path that starts with `/`: empty for the base path `/`.
    pub fn prefix(&self) -> &str {
        if self.0 == "/" { "" } else { &self.0 }
    }
}

impl Default for BasePath {
    fn default() -> Self {
        Self("/websocket".to_owned())
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BasePathError {
    /// It does not start with `/`.
    #[error("it must start with `/`")]
    Start,
    /// It ends with `/`.
    #[error("it must not end with `/`")]
    TrailingSlash,
    /// It is too long.
    #[error("it is longer than {} bytes", BasePath::MOST)]
    TooLong,
    /// An empty or dot segment.
    #[error("the segment `{segment}` is not allowed")]
    Segment {
        /// The segment.
        segment: String,
    },
    /// A character that is special in paths or patterns, or needs encoding.
    #[error("`{}` is not allowed: it is a plain path of letters, digits, `.`, `_`, `~` and `-`, \
             not a pattern", character.escape_debug())]
    Character {
        /// The first such character.
        character: char,
    },
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '-')
}

impl Value for BasePath {
    const EXPECTED: &'static str = "a path such as \"/websocket\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        Self::parse(text).map_err(|error| Fault::refuse(text, error))
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_paths_are_taken_as_they_are() {
        for (text, prefix) in
            [("/", ""), ("/websocket", "/websocket"), ("/a/b.c/~d_e-1", "/a/b.c/~d_e-1")]
        {
            let path = BasePath::parse(text).unwrap();
            assert_eq!((path.as_str(), path.prefix()), (text, prefix));
        }
    }

    #[test]
    fn other_paths_are_refused_with_the_reason() {
        let segment = |text: &str| BasePathError::Segment { segment: text.to_owned() };
        let character = |character| BasePathError::Character { character };
        for (text, error) in [
            ("", BasePathError::Start),
            ("websocket", BasePathError::Start),
            ("/websocket/", BasePathError::TrailingSlash),
            ("//", BasePathError::TrailingSlash),
            ("/a//b", segment("")),
            ("/a/../b", segment("..")),
            ("/./b", segment(".")),
            ("/a/*", character('*')),
            ("/{room}", character('{')),
            ("/a?b", character('?')),
            ("/a#b", character('#')),
            ("/%61", character('%')),
            ("/a b", character(' ')),
            ("/\u{fc}", character('\u{fc}')),
        ] {
            assert_eq!(BasePath::parse(text), Err(error), "{text}");
        }
        let long = format!("/{}", "a".repeat(BasePath::MOST));
        assert_eq!(BasePath::parse(&long), Err(BasePathError::TooLong));
    }
}
