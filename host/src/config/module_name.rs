//! Names of modules: safe in paths, file names, logs and metric labels as they are.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Name of a module: the stem of its file, `[a-z0-9][a-z0-9_-]{0,63}`. A clone shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleName(Arc<str>);

impl ModuleName {
    /// Checks a name.
    ///
    /// # Errors
    /// It is not 1 to 64 of `a-z`, `0-9`, `_` and `-`, beginning with a letter or digit.
    pub fn parse(text: &str) -> Result<Self, ModuleNameError> {
        if is_plain_name(text) {
            Ok(Self(text.into()))
        } else {
            Err(ModuleNameError { name: text.to_owned() })
        }
    }

    /// The name that a file gives its module: `modules/chat.wasm` is `chat`.
    ///
    /// # Errors
    /// As [`Self::parse`] for the file's stem.
    pub fn of_file(file: &Path) -> Result<Self, ModuleNameError> {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&stem)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is no module name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a module name: it must be 1 to 64 of a-z, 0-9, `_` and `-`, and start with a \
     letter or digit; rename the file",
    name.escape_debug()
)]
pub struct ModuleNameError {
    /// The text.
    pub name: String,
}

/// `[a-z0-9][a-z0-9_-]{0,63}`.
pub(super) fn is_plain_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= 64
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_stems_of_files() {
        for (file, name) in [("m/chat.wasm", "chat"), ("2-do_x.wasm", "2-do_x"), ("echo", "echo")] {
            assert_eq!(ModuleName::of_file(Path::new(file)).unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_stems_are_refused() {
        let long = "a".repeat(65);
        for name in ["", "-a", "_a", "Chat", "a b", "a.b", "\u{fc}", "a/b", "..", long.as_str()] {
            assert!(ModuleName::parse(name).is_err(), "{name}");
        }
        assert!(ModuleName::parse(&"a".repeat(64)).is_ok());
        assert!(ModuleName::of_file(Path::new("a.b.wasm")).is_err());
        assert!(ModuleName::of_file(Path::new("/")).is_err());
    }
}
