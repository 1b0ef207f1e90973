//! The sub path a client connected on.
//!
//! Invariant: one spelling per path. Two [`ConnectPath`]s are equal exactly when they name the
//! same place, whatever escapes or trailing slash the request used.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::segment::{self, SegmentFault};
use super::{MAX_PATH_BYTES, MAX_PATH_SEGMENTS};

/// Canonical path of a client below the base path: decoded, without query, starting with `/`,
/// without a trailing slash (the base path itself is `/`). Case is kept. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectPath(Arc<str>);

impl ConnectPath {
    /// Decodes and checks the path of a request, below the base path and without the query.
    ///
    /// Percent escapes are decoded exactly once, and one trailing slash is removed.
    ///
    /// # Errors
    /// Everything that is not one plain path: see [`PathError`] and [`SegmentFault`]. All of
    /// them are answered with status 400.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        if raw.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong { bytes: raw.len() });
        }
        let below = raw.strip_prefix('/').ok_or(PathError::NoLeadingSlash)?;
        if below.is_empty() {
            return Ok(Self(Arc::from("/")));
        }
        let below = below.strip_suffix('/').unwrap_or(below);
        let mut canonical = String::with_capacity(raw.len());
        for (number, raw_segment) in (1..).zip(below.split('/')) {
            if number > MAX_PATH_SEGMENTS {
                return Err(PathError::TooManySegments);
            }
            let segment = decode_segment(raw_segment)
                .map_err(|fault| PathError::Segment { number, fault })?;
            canonical.push('/');
            canonical.push_str(&segment);
        }
        Ok(Self(canonical.into()))
    }

    /// The decoded path; starts with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments in order; `/` has none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.below_root().into_iter().flat_map(|below| below.split('/'))
    }

    /// Everything after the first slash, or nothing for `/`.
    pub(super) fn below_root(&self) -> Option<&str> {
        self.0.strip_prefix('/').filter(|below| !below.is_empty())
    }
}

impl fmt::Display for ConnectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ConnectPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a request's path is not a connect path. Never quotes what the client sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path does not start with `/`.
    #[error("the path must start with `/`")]
    NoLeadingSlash,
    /// Longer than [`MAX_PATH_BYTES`].
    #[error("the path has {bytes} bytes; at most {MAX_PATH_BYTES} are allowed")]
    TooLong {
        /// Length as it was sent.
        bytes: usize,
    },
    /// More segments than [`MAX_PATH_SEGMENTS`].
    #[error("the path has more than {MAX_PATH_SEGMENTS} segments")]
    TooManySegments,
    /// One segment breaks a rule.
    #[error("segment {number} of the path {fault}")]
    Segment {
        /// Position of the segment, from 1.
        number: usize,
        /// The rule.
        fault: SegmentFault,
    },
}

fn decode_segment(raw: &str) -> Result<Cow<'_, str>, SegmentFault> {
    if let Some(c) = raw.chars().find(|c| matches!(c, '?' | '#')) {
        return Err(SegmentFault::Query(c));
    }
    let segment = match raw.contains('%') {
        true => Cow::Owned(unescape(raw)?),
        false => Cow::Borrowed(raw),
    };
    segment::check(&segment)?;
    match segment::reserved(&segment) {
        Some(c) => Err(SegmentFault::Reserved(c)),
        None => Ok(segment),
    }
}

/// Percent-decoding of RFC 3986, section 2.1.
fn unescape(raw: &str) -> Result<String, SegmentFault> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(SegmentFault::Escape);
        };
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| SegmentFault::Escape)?);
    }
    String::from_utf8(decoded).map_err(|_| SegmentFault::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(number: usize, fault: SegmentFault) -> PathError {
        PathError::Segment { number, fault }
    }

    #[test]
    fn accepted_paths_have_one_canonical_spelling() {
        let table = [
            ("/", "/"),
            ("/chat", "/chat"),
            ("/chat/", "/chat"),
            ("/Chat/Room", "/Chat/Room"),
            ("/%63hat", "/chat"),
            ("/a%20b", "/a b"),
            ("/%E2%82%AC", "/€"),
            ("/%e2%82%ac", "/€"),
            ("/€", "/€"),
            ("/a%2525", "/a%25"),
            ("/a%253Fb", "/a%3Fb"),
            ("/a%3Fb%23", "/a?b#"),
            ("/...", "/..."),
            ("/.a/b.", "/.a/b."),
            ("/a:b@c;d=e,f!$&'()+~_-", "/a:b@c;d=e,f!$&'()+~_-"),
        ];
        for (raw, canonical) in table {
            assert_eq!(ConnectPath::parse(raw).unwrap().as_str(), canonical, "{raw}");
        }
    }

    #[test]
    fn everything_ambiguous_is_refused() {
        let table = [
            ("", PathError::NoLeadingSlash),
            ("chat", PathError::NoLeadingSlash),
            ("%2Fchat", PathError::NoLeadingSlash),
            ("//", fault(1, SegmentFault::Empty)),
            ("//chat", fault(1, SegmentFault::Empty)),
            ("/chat//", fault(2, SegmentFault::Empty)),
            ("/a//b", fault(2, SegmentFault::Empty)),
            ("/.", fault(1, SegmentFault::Dot)),
            ("/a/../b", fault(2, SegmentFault::Dot)),
            ("/a/%2e%2E/b", fault(2, SegmentFault::Dot)),
            ("/a/.%2e", fault(2, SegmentFault::Dot)),
            ("/%2e/", fault(1, SegmentFault::Dot)),
            ("/a%2Fb", fault(1, SegmentFault::Slash)),
            ("/a%2fb", fault(1, SegmentFault::Slash)),
            ("/a%5Cb", fault(1, SegmentFault::Backslash)),
            ("/a\\b", fault(1, SegmentFault::Backslash)),
            ("/a%00", fault(1, SegmentFault::Control('\0'))),
            ("/a\0", fault(1, SegmentFault::Control('\0'))),
            ("/a%0A", fault(1, SegmentFault::Control('\n'))),
            ("/a%7f", fault(1, SegmentFault::Control('\u{7f}'))),
            ("/a%C2%85", fault(1, SegmentFault::Control('\u{85}'))),
            ("/a%", fault(1, SegmentFault::Escape)),
            ("/a%4", fault(1, SegmentFault::Escape)),
            ("/a%4g", fault(1, SegmentFault::Escape)),
            ("/a%+1", fault(1, SegmentFault::Escape)),
            ("/a%4/1", fault(1, SegmentFault::Escape)),
            ("/a%u0041", fault(1, SegmentFault::Escape)),
            ("/%ff", fault(1, SegmentFault::NotUtf8)),
            ("/%c0%af", fault(1, SegmentFault::NotUtf8)),
            ("/%c0%ae%c0%ae", fault(1, SegmentFault::NotUtf8)),
            ("/%E2%82\u{ac}", fault(1, SegmentFault::NotUtf8)), // U+00AC is C2 AC, not AC
            ("/%ed%a0%80", fault(1, SegmentFault::NotUtf8)),
            ("/rooms/*", fault(2, SegmentFault::Reserved('*'))),
            ("/rooms/%2A", fault(2, SegmentFault::Reserved('*'))),
            ("/rooms/%7Broom}", fault(2, SegmentFault::Reserved('{'))),
            ("/a?token=1", fault(1, SegmentFault::Query('?'))),
            ("/a#b", fault(1, SegmentFault::Query('#'))),
        ];
        for (raw, error) in table {
            assert_eq!(ConnectPath::parse(raw), Err(error), "{raw:?}");
        }
    }

    #[test]
    fn length_and_depth_have_limits() {
        let longest = format!("/{}", "a".repeat(MAX_PATH_BYTES - 1));
        assert!(ConnectPath::parse(&longest).is_ok());
        assert_eq!(
            ConnectPath::parse(&format!("{longest}a")),
            Err(PathError::TooLong { bytes: MAX_PATH_BYTES + 1 })
        );
        let deepest = "/a".repeat(MAX_PATH_SEGMENTS);
        assert_eq!(ConnectPath::parse(&deepest).unwrap().segments().count(), MAX_PATH_SEGMENTS);
        assert!(ConnectPath::parse(&format!("{deepest}/")).is_ok());
        assert_eq!(ConnectPath::parse(&format!("{deepest}/a")), Err(PathError::TooManySegments));
    }

    #[test]
    fn the_root_has_no_segments() {
        assert_eq!(ConnectPath::parse("/").unwrap().segments().count(), 0);
        let path = ConnectPath::parse("/a/b%20c/").unwrap();
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a", "b c"]);
    }

    #[test]
    fn an_error_says_where_and_does_not_quote_the_client() {
        let error = ConnectPath::parse("/secret\u{1b}[31m/%zz").unwrap_err().to_string();
        assert_eq!(error, "segment 1 of the path holds the control character U+001B; remove it");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_gives_clean_segments(raw in "(/|%|2|e|[.]|[a-c]|\\PC|\\*|\0){0,24}") {
            if let Ok(path) = ConnectPath::parse(&raw) {
                for segment in path.segments() {
                    prop_assert!(!matches!(segment, "" | "." | ".."));
                    let bad = |c: char| c.is_control() || "/\\*{}".contains(c);
                    prop_assert!(!segment.contains(bad), "{}", segment);
                }
                let joined: String = path.segments().flat_map(|s| ["/", s]).collect();
                prop_assert_eq!(path.as_str(), if joined.is_empty() { "/" } else { &joined });
            }
        }

        #[test]
        fn escaping_any_byte_changes_nothing(text in "[a-z€ ]{1,8}", escape in prop::collection::vec(any::<bool>(), 32)) {
            let raw: String = text.bytes().zip(escape.iter().cycle()).map(|(byte, escape)| {
                if *escape || !byte.is_ascii() { format!("%{byte:02x}") } else { char::from(byte).to_string() }
            }).collect();
            let expected = format!("/{text}");
            let path = ConnectPath::parse(&format!("/{raw}")).unwrap();
            prop_assert_eq!(path.as_str(), expected);
        }
    }
}
