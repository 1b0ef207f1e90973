//! Checked and compiled matchers.
//!
//! Invariant: a [`Matcher`] is bounded in every part, and some message can satisfy it as far as
//! the kinds of its tests tell.

use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;

use super::held::held_by_spec;
use super::spec::{ContentTest, JsonMatch, JsonTest, MatcherSpec};
use super::value::JsonValue;
use super::{MatcherError, TestFault};
use crate::json::Pointer;
use crate::path::{ConnectPath, PathPattern};

/// Most content tests in one matcher.
pub const MAX_TESTS: usize = 16;
/// Most roles in one matcher.
pub const MAX_ROLES: usize = 64;
/// Longest role, in bytes.
pub const MAX_ROLE_BYTES: usize = 256;
/// Longest text or binary operand of a test, in bytes.
pub const MAX_OPERAND_BYTES: usize = 4096;
/// Most values in one `one-of`.
pub const MAX_ONE_OF: usize = 64;
/// Longest regular expression, in bytes.
pub const MAX_REGEX_BYTES: usize = 1024;
/// Largest compiled regular expression, in bytes. Linear time is not short time: the worst that
/// fits here takes about 5 µs per byte of the message, at 1 MiB it is 30 µs.
pub const MAX_REGEX_COMPILED_BYTES: usize = 64 << 10;
/// Longest text in which regular expressions are looked for, in bytes; so that one takes at most
/// some 40 ms, with the worst expression and text.
pub const MAX_REGEX_TEXT_BYTES: usize = 8 << 10;
/// Largest cache that a thread keeps for a regular expression, in bytes.
const REGEX_CACHE_BYTES: usize = 128 << 10;

/// A matcher whose parts have all been checked.
#[derive(Debug)]
pub struct Matcher {
    spec: MatcherSpec,
    path: Option<PathPattern>,
    tests: Vec<Test>,
    kind: Option<Kind>,
    held_bytes: usize,
}

impl Matcher {
    /// Checks and compiles a matcher.
    ///
    /// # Errors
    /// Names the first part that is not usable, and how to mend it.
    pub fn compile(spec: MatcherSpec) -> Result<Self, MatcherError> {
        Self::compile_while(spec, || true)
    }

    /// The same, but before each test it asks whether to go on: sixteen regular expressions can
    /// take 200 ms.
    ///
    /// # Errors
    /// Also [`MatcherError::GivenUp`].
    pub fn compile_while(
        spec: MatcherSpec,
        go_on: impl Fn() -> bool,
    ) -> Result<Self, MatcherError> {
        let path = spec.path.as_deref().map(PathPattern::parse).transpose()?;
        if spec.content.len() > MAX_TESTS {
            return Err(MatcherError::TooManyTests { count: spec.content.len() });
        }
        let mut tests = Vec::with_capacity(spec.content.len());
        for (index, test) in spec.content.iter().enumerate() {
            if !go_on() {
                return Err(MatcherError::GivenUp);
            }
            tests.push(Test::compile(test).map_err(|fault| {
                let fault = Box::new(fault);
                MatcherError::Test { index, name: test.name(), fault }
            })?);
        }
        check_roles(&spec.roles)?;
        let kind = common_kind(&spec.content)?;
        let held_bytes = held_by_spec(&spec) + tests.iter().map(Test::held_by_regex).sum::<usize>();
        Ok(Self { spec, path, tests, kind, held_bytes })
    }

    /// What it takes of the gateway's memory, roughly, with its part of the index.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// What was compiled.
    pub fn spec(&self) -> &MatcherSpec {
        &self.spec
    }

    /// The path pattern, if there is one.
    pub fn path(&self) -> Option<&PathPattern> {
        self.path.as_ref()
    }

    /// What the names of the path pattern stand for in `path`, in order, the rest as `*`. Empty
    /// without a pattern, or where it does not match.
    pub fn captures<'a>(&'a self, path: &'a ConnectPath) -> Vec<(&'a str, &'a str)> {
        self.path.as_ref().and_then(|pattern| pattern.captures(path)).unwrap_or_default()
    }

    /// The client needs one of these, unless there are none.
    pub fn roles(&self) -> &[String] {
        &self.spec.roles
    }

    pub(super) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// The only kind of message that can match, if just one can.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.kind
    }
}

/// The two kinds of WebSocket message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Binary,
}

/// A compiled content test. That the message is of the right kind is the matcher's business.
#[derive(Debug)]
pub(super) enum Test {
    Kind,
    TextEquals(Box<str>),
    TextPrefix(Box<str>),
    TextContains(Box<str>),
    TextRegex(Regex),
    BinaryPrefix(Box<[u8]>),
    JsonExists(Pointer),
    JsonOneOf(Pointer, Vec<JsonValue>),
}

impl Test {
    fn compile(test: &ContentTest) -> Result<Self, TestFault> {
        Ok(match test {
            ContentTest::IsText | ContentTest::IsBinary => Self::Kind,
            ContentTest::TextEquals(text) => Self::TextEquals(operand(text)?.into()),
            ContentTest::TextPrefix(text) => Self::TextPrefix(operand(text)?.into()),
            ContentTest::TextContains(text) => Self::TextContains(operand(text)?.into()),
            ContentTest::TextRegex(pattern) => Self::TextRegex(compile_regex(pattern)?),
            ContentTest::BinaryPrefix(bytes) => {
                check_length(bytes.len())?;
                Self::BinaryPrefix(bytes.as_slice().into())
            }
            ContentTest::Json(test) => Self::compile_json(test)?,
        })
    }

    /// What the engine allocates for a regular expression, and the cache of one thread.
    fn held_by_regex(&self) -> usize {
        match self {
            Self::TextRegex(regex) => regex.memory_usage() + REGEX_CACHE_BYTES,
            _ => 0,
        }
    }

    fn compile_json(JsonMatch { pointer, test }: &JsonMatch) -> Result<Self, TestFault> {
        let pointer = Pointer::parse(pointer).map_err(TestFault::Pointer)?;
        let values = match test {
            JsonTest::Exists => return Ok(Self::JsonExists(pointer)),
            JsonTest::Equals(text) => {
                vec![JsonValue::parse(text).map_err(TestFault::Equals)?]
            }
            JsonTest::OneOf(texts) => compile_one_of(texts)?,
        };
        Ok(Self::JsonOneOf(pointer, values))
    }
}

fn compile_one_of(texts: &[String]) -> Result<Vec<JsonValue>, TestFault> {
    if texts.is_empty() {
        return Err(TestFault::EmptyOneOf);
    }
    if texts.len() > MAX_ONE_OF {
        return Err(TestFault::LongOneOf { count: texts.len() });
    }
    let values = texts.iter().enumerate().map(|(index, text)| {
        JsonValue::parse(text).map_err(|fault| TestFault::OneOf { index, fault })
    });
    values.collect()
}

fn compile_regex(pattern: &str) -> Result<Regex, TestFault> {
    if pattern.len() > MAX_REGEX_BYTES {
        return Err(TestFault::LongRegex { bytes: pattern.len() });
    }
    // Only asked whether they match: without captures, and without the engine that is for them
    // and can take another MiB.
    let config = Config::new()
        .which_captures(WhichCaptures::Implicit)
        .onepass(false)
        .nfa_size_limit(Some(MAX_REGEX_COMPILED_BYTES))
        .hybrid_cache_capacity(REGEX_CACHE_BYTES);
    Regex::builder().configure(config).build(pattern).map_err(|error| regex_fault(&error))
}

fn regex_fault(error: &BuildError) -> TestFault {
    match (error.size_limit(), error.syntax_error()) {
        (Some(_), _) => TestFault::LargeRegex,
        (None, Some(syntax)) => TestFault::Regex(syntax.to_string()),
        (None, None) => TestFault::Regex(error.to_string()),
    }
}

fn operand(text: &str) -> Result<&str, TestFault> {
    check_length(text.len()).map(|()| text)
}

fn check_length(bytes: usize) -> Result<(), TestFault> {
    match bytes {
        0..=MAX_OPERAND_BYTES => Ok(()),
        bytes => Err(TestFault::LongOperand { bytes }),
    }
}

fn check_roles(roles: &[String]) -> Result<(), MatcherError> {
    if roles.len() > MAX_ROLES {
        return Err(MatcherError::TooManyRoles { count: roles.len() });
    }
    match roles.iter().position(|role| role.is_empty() || role.len() > MAX_ROLE_BYTES) {
        Some(index) => Err(MatcherError::BadRole { index }),
        None => Ok(()),
    }
}

fn common_kind(tests: &[ContentTest]) -> Result<Option<Kind>, MatcherError> {
    let binary =
        |test: &&ContentTest| matches!(test, ContentTest::IsBinary | ContentTest::BinaryPrefix(_));
    let first_binary = tests.iter().find(binary);
    let first_text = tests.iter().find(|test| !binary(test));
    match (first_text, first_binary) {
        (Some(text), Some(binary)) => {
            Err(MatcherError::Contradiction { text: text.name(), binary: binary.name() })
        }
        (Some(_), None) => Ok(Some(Kind::Text)),
        (None, Some(_)) => Ok(Some(Kind::Binary)),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
