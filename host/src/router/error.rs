//! Why a matcher is refused.
//!
//! Invariant: each message names the part of the matcher by its name in the interface.

use super::ValueFault;
use super::matcher::{
    MAX_ONE_OF, MAX_OPERAND_BYTES, MAX_REGEX_BYTES, MAX_REGEX_COMPILED_BYTES, MAX_ROLE_BYTES,
    MAX_ROLES, MAX_TESTS,
};
use crate::json::PointerFault;
use crate::path::PatternError;

/// A part of a matcher that cannot be used. Positions count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MatcherError {
    /// The path pattern.
    #[error(transparent)]
    Path(#[from] PatternError),
    /// More content tests than [`MAX_TESTS`].
    #[error("content has {count} tests; at most {MAX_TESTS} are allowed")]
    TooManyTests {
        /// How many.
        count: usize,
    },
    /// A content test.
    #[error("content[{index}] ({name}): {fault}")]
    Test {
        /// Its position.
        index: usize,
        /// Its name in the interface.
        name: &'static str,
        /// What is wrong with it.
        fault: Box<TestFault>,
    },
    /// It took longer than there was time.
    #[error("takes too long to compile")]
    GivenUp,
    /// One test needs a text message and another a binary one.
    #[error("content tests {binary} and {text} can never hold together; add a listener for each")]
    Contradiction {
        /// The name of the first test of texts.
        text: &'static str,
        /// The name of the first test of binary messages.
        binary: &'static str,
    },
    /// More roles than [`MAX_ROLES`].
    #[error("roles has {count} entries; at most {MAX_ROLES} are allowed")]
    TooManyRoles {
        /// How many.
        count: usize,
    },
    /// An empty role, or one longer than [`MAX_ROLE_BYTES`].
    #[error("roles[{index}] must have 1 to {MAX_ROLE_BYTES} bytes")]
    BadRole {
        /// Its position.
        index: usize,
    },
}

/// What is wrong with a content test.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TestFault {
    /// The text or the bytes to compare with are longer than [`MAX_OPERAND_BYTES`].
    #[error("the operand has {bytes} bytes; at most {MAX_OPERAND_BYTES} are allowed")]
    LongOperand {
        /// Its length.
        bytes: usize,
    },
    /// Not a regular expression without back-references and look-around.
    #[error("{0}")]
    Regex(String),
    /// Longer than [`MAX_REGEX_BYTES`].
    #[error("the regular expression has {bytes} bytes; at most {MAX_REGEX_BYTES} are allowed")]
    LongRegex {
        /// Its length.
        bytes: usize,
    },
    /// Compiles to more than [`MAX_REGEX_COMPILED_BYTES`].
    #[error(
        "the regular expression needs more than {MAX_REGEX_COMPILED_BYTES} bytes when compiled; \
         use shorter repetitions, or `[a-z]` in place of `\\w`"
    )]
    LargeRegex,
    /// The JSON pointer.
    #[error("the pointer {0}")]
    Pointer(PointerFault),
    /// The value of `equals`.
    #[error("the value of `equals` {0}")]
    Equals(ValueFault),
    /// No value in `one-of`.
    #[error("`one-of` is empty and can never hold; name a value, or use `exists`")]
    EmptyOneOf,
    /// More values in `one-of` than [`MAX_ONE_OF`].
    #[error("`one-of` has {count} values; at most {MAX_ONE_OF} are allowed")]
    LongOneOf {
        /// How many.
        count: usize,
    },
    /// A value of `one-of`.
    #[error("value {index} of `one-of` {fault}")]
    OneOf {
        /// Its position.
        index: usize,
        /// What is wrong with it.
        fault: ValueFault,
    },
}
