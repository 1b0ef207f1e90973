//! What a listener asks for, as plain values; the same shape as in the WIT interface.
//!
//! Invariant: nothing here is checked. [`Matcher`](super::Matcher) is the checked form.

/// Which messages a listener wants. Every part present must hold; an empty one takes every
/// message on the granted paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatcherSpec {
    /// Path pattern; every granted path if absent.
    pub path: Option<String>,
    /// Tests of the message; all must hold.
    pub content: Vec<ContentTest>,
    /// If not empty, the client needs one of these.
    pub roles: Vec<String>,
}

/// One test of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentTest {
    /// A text message.
    IsText,
    /// A binary message.
    IsBinary,
    /// A text message that is just this.
    TextEquals(String),
    /// A text message that starts with this.
    TextPrefix(String),
    /// A text message that has this in it.
    TextContains(String),
    /// A text message of at most [`MAX_REGEX_TEXT_BYTES`](super::MAX_REGEX_TEXT_BYTES) in which
    /// this regular expression finds something.
    TextRegex(String),
    /// A binary message that starts with this.
    BinaryPrefix(Vec<u8>),
    /// A text message that is JSON, of which a part passes a test.
    Json(JsonMatch),
}

/// A test of one part of a JSON message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonMatch {
    /// RFC 6901 pointer to the part.
    pub pointer: String,
    /// What must be true of it.
    pub test: JsonTest,
}

/// What must be true of a part of a JSON message. A part that is not there passes no test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonTest {
    /// It is there; `null` is there.
    Exists,
    /// It equals this JSON text: strings by their decoded text, numbers by their exact value
    /// (42, 42.0 and 4.2e1 are equal), arrays and objects by structure and without regard to the
    /// order of keys. Of a repeated key the last one counts, as in `JSON.parse`.
    Equals(String),
    /// It equals one of these JSON texts.
    OneOf(Vec<String>),
}

impl ContentTest {
    /// The name of the test in the interface.
    pub fn name(&self) -> &'static str {
        match self {
            Self::IsText => "is-text",
            Self::IsBinary => "is-binary",
            Self::TextEquals(_) => "text-equals",
            Self::TextPrefix(_) => "text-prefix",
            Self::TextContains(_) => "text-contains",
            Self::TextRegex(_) => "text-regex",
            Self::BinaryPrefix(_) => "binary-prefix",
            Self::Json(_) => "json",
        }
    }
}
