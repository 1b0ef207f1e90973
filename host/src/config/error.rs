//! Everything that can be wrong with a configuration, each with its place. No message repeats the
//! value of a setting that is or may lead to a secret.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a configuration was refused: one or more problems, in the order in which they were found.
/// Prints one line per problem, at most [`ConfigError::SHOWN`] of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    first: Box<Problem>,
    more: Vec<Problem>,
}

impl ConfigError {
    /// Problems that are printed; the rest is counted.
    pub const SHOWN: usize = 20;

    /// All problems, at least one.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        std::iter::once(&*self.first).chain(&self.more)
    }

    /// Fails if there is at least one problem.
    pub(super) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        let mut problems = problems.into_iter();
        match problems.next() {
            None => Ok(()),
            Some(first) => Err(Self { first: Box::new(first), more: problems.collect() }),
        }
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { first: Box::new(problem), more: Vec::new() }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        for problem in self.more.iter().take(Self::SHOWN - 1) {
            write!(f, "\n{problem}")?;
        }
        match self.more.len().saturating_sub(Self::SHOWN - 1) {
            0 => Ok(()),
            hidden => write!(f, "\n... and {hidden} more"),
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What it is, and how to mend it.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The file cannot be read.
    #[error("cannot be read: {why}")]
    Unreadable {
        /// The system's reason, and a hint.
        why: String,
    },
    /// The file is not TOML.
    #[error("not valid TOML: {why}")]
    Syntax {
        /// The parser's reason.
        why: String,
    },
    /// A key that does not exist here.
    #[error("unknown key `{}`{section}; {hint}", key.escape_debug(), section = InSection(section))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// Its section, `limits` or `auth.jwt`; empty at the top.
        section: String,
        /// The nearest right name, or all of them.
        hint: String,
    },
    /// A `SPOREGATE_*` variable that does not exist.
    #[error("unknown variable; {hint}")]
    UnknownVariable {
        /// The nearest right name, or how names are made.
        hint: String,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The key with its section.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// A value of the right type that is not acceptable.
    #[error("`{key}`{value}: {why}", value = CannotBe(value))]
    BadValue {
        /// The key with its section.
        key: String,
        /// The value as given; none where it is no help, or may be a secret.
        value: Option<String>,
        /// What is wrong with it and how to mend it.
        why: String,
    },
    /// A number, size or duration beyond its bounds.
    #[error("`{key}` is {value}; it must be from {min} to {max}")]
    OutOfRange {
        /// The key with its section.
        key: String,
        /// As given, in canonical form.
        value: String,
        /// Least value allowed.
        min: String,
        /// Greatest value allowed.
        max: String,
    },
    /// A key that must be there and is not.
    #[error("`{key}` is missing{section}; {hint}", section = InSection(section))]
    Missing {
        /// The key.
        key: String,
        /// Its section.
        section: String,
        /// What to write.
        hint: String,
    },
    /// Settings that exclude or contradict each other.
    #[error("{why}")]
    Conflict {
        /// Which, why, and how to mend it.
        why: String,
    },
}

struct InSection<'s>(&'s str);

impl fmt::Display for InSection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " in [{}]", self.0) }
    }
}

struct CannotBe<'v>(&'v Option<String>);

impl fmt::Display for CannotBe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        let Some(value) = self.0 else { return Ok(()) };
        let shown: String = value.chars().take(SHOWN).collect();
        let cut = if shown.len() < value.len() { "..." } else { "" };
        write!(f, " cannot be `{}{cut}`", shown.escape_debug())
    }
}

/// Where a setting was written. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// A file as a whole.
    File(PathBuf),
    /// A place in a file.
    Line {
        /// The file as it was named.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A command line flag.
    Flag(&'static str),
    /// Nowhere: the built-in default.
    Default,
}

/// Where the lines of a text begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The place of a byte offset; of the end of the text if it is beyond.
    pub(super) fn place(&self, file: &Path, offset: usize) -> Place {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Place::Line { file: file.to_owned(), line, column: before.chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Line { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::Variable(name) => write!(f, "variable {}", name.escape_debug()),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Default => write!(f, "default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: usize) -> Problem {
        Problem {
            place: Place::Line { file: "s.toml".into(), line, column: 3 },
            kind: ProblemKind::Conflict { why: "no".to_owned() },
        }
    }

    #[test]
    fn no_problem_is_no_error() {
        assert_eq!(ConfigError::check(Vec::new()), Ok(()));
    }

    #[test]
    fn each_problem_is_one_line_and_the_rest_is_counted() {
        let error = ConfigError::check((1..=23).map(problem).collect()).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.problems().count(), 23);
        assert_eq!(text.lines().count(), ConfigError::SHOWN + 1);
        assert!(text.starts_with("s.toml:1:3: no\ns.toml:2:3: no\n"), "{text}");
        assert!(text.ends_with("s.toml:20:3: no\n... and 3 more"), "{text}");
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\nünd = 2\n";
        let lines = Lines::new(text);
        for (offset, line, column) in [(0, 1, 1), (4, 1, 5), (6, 2, 1), (8, 2, 2), (99, 3, 1)] {
            let place = lines.place(Path::new("x"), offset);
            assert_eq!(place, Place::Line { file: "x".into(), line, column }, "{offset}");
        }
    }
}
