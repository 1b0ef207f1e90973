//! JSON pointers (RFC 6901).
//!
//! Invariant: tokens are unescaped and their number is bounded, so what walks along a pointer
//! may recurse.

use std::fmt;

/// Longest pointer, in bytes.
pub const MAX_POINTER_BYTES: usize = 1024;

/// Most tokens in a pointer.
pub const MAX_POINTER_TOKENS: usize = 16;

/// A checked JSON pointer; without tokens it means the whole message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Pointer(Box<[Box<str>]>);

impl Pointer {
    /// Checks and unescapes a pointer.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, PointerFault> {
        if text.len() > MAX_POINTER_BYTES {
            return Err(PointerFault::TooLong { bytes: text.len() });
        }
        if text.is_empty() {
            return Ok(Self(Box::default()));
        }
        let tokens = text.strip_prefix('/').ok_or(PointerFault::NoLeadingSlash)?.split('/');
        if tokens.clone().count() > MAX_POINTER_TOKENS {
            return Err(PointerFault::TooDeep);
        }
        tokens.map(unescape).collect::<Option<_>>().map(Self).ok_or(PointerFault::BadEscape)
    }

    /// The pointer to a member of the message.
    pub fn to_member(name: &str) -> Self {
        Self([name.into()].into())
    }

    /// Unescaped, from the outermost.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|token| &**token)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens()
            .try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

/// Why a text is not a usable JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerFault {
    /// Neither empty nor starting with `/`.
    #[error("must be empty (the whole message) or start with `/`, as in `/type` (RFC 6901)")]
    NoLeadingSlash,
    /// A `~` that is neither `~0` nor `~1`.
    #[error("holds `~` without 0 or 1; write `~0` for `~` and `~1` for `/` in a key (RFC 6901)")]
    BadEscape,
    /// Longer than [`MAX_POINTER_BYTES`].
    #[error("has {bytes} bytes; at most {MAX_POINTER_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More tokens than [`MAX_POINTER_TOKENS`].
    #[error("has more than {MAX_POINTER_TOKENS} tokens")]
    TooDeep,
}

/// The position a token means in an array: decimal, without leading zeros (RFC 6901, section 4).
pub(crate) fn array_position(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|b| b.is_ascii_digit());
    let padded = token.len() > 1 && token.starts_with('0');
    (digits && !padded).then(|| token.parse().ok()).flatten()
}

fn unescape(token: &str) -> Option<Box<str>> {
    let mut unescaped = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        unescaped.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            c => c,
        });
    }
    Some(unescaped.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        Pointer::parse(text).unwrap().tokens().map(str::to_owned).collect()
    }

    #[test]
    fn the_examples_of_the_rfc_have_their_tokens() {
        let table: [(&str, &[&str]); 12] = [
            ("", &[]),
            ("/foo", &["foo"]),
            ("/foo/0", &["foo", "0"]),
            ("/", &[""]),
            ("/a~1b", &["a/b"]),
            ("/c%d", &["c%d"]),
            ("/i\\j", &["i\\j"]),
            ("/k\"l", &["k\"l"]),
            ("/ ", &[" "]),
            ("/m~0n", &["m~n"]),
            ("/~01", &["~1"]),
            ("//a/", &["", "a", ""]),
        ];
        for (text, expected) in table {
            assert_eq!(tokens(text), expected, "{text:?}");
            assert_eq!(Pointer::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn bad_pointers_are_refused() {
        for (text, fault) in [
            ("type", PointerFault::NoLeadingSlash),
            ("#/type", PointerFault::NoLeadingSlash),
            ("$.type", PointerFault::NoLeadingSlash),
            ("/~", PointerFault::BadEscape),
            ("/a~2", PointerFault::BadEscape),
            ("/~~0", PointerFault::BadEscape),
            (&"/a".repeat(MAX_POINTER_TOKENS + 1), PointerFault::TooDeep),
            (&"/".repeat(MAX_POINTER_BYTES + 1), PointerFault::TooLong { bytes: 1025 }),
        ] {
            assert_eq!(Pointer::parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(tokens(&"/a".repeat(MAX_POINTER_TOKENS)).len(), MAX_POINTER_TOKENS);
    }
}
