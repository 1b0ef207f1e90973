//! What people and scripts read. A reader that stops early (`| head`) ends a command, and is
//! nothing to complain about; it never makes the process panic.

use std::io::{self, Write};

/// Standard output does not take any more.
#[derive(Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub(super) struct OutputError(#[from] io::Error);

/// Writes text to standard output, at once.
pub(super) fn text(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes one line to standard output, at once.
pub(super) fn line(line: impl std::fmt::Display) -> Result<(), OutputError> {
    text(&format!("{line}\n"))
}

/// Writes one line to standard error, if somebody reads it.
pub(super) fn note(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Reports an error on standard error.
pub(super) fn error(error: &anyhow::Error) {
    let closed = |error: &OutputError| error.0.kind() == io::ErrorKind::BrokenPipe;
    if !error.downcast_ref().is_some_and(closed) {
        note(format_args!("error: {}", explain(error)));
    }
}

/// An error with its causes, none of them twice.
pub(super) fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("modules: {source}; create it")]
    struct Told {
        source: io::Error,
    }

    #[test]
    fn a_cause_that_is_part_of_the_message_is_not_told_again() {
        let error = anyhow::Error::from(Told { source: io::Error::other("gone") });
        assert_eq!(explain(&error), "modules: gone; create it");
        assert_eq!(explain(&error.context("start")), "start: modules: gone; create it");
    }
}
