//! How the gateway logs. A level is checked here because the filter itself takes a misspelt level
//! for the name of a target, and logs nothing.

use super::section::Section;
use super::value::{Fault, Raw, Value, Word};

/// The `[log]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Form of the lines.
    pub format: LogFormat,
    /// Levels, as an env-filter string: `info`, `warn,sporegate::auth=debug`.
    pub level: String,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

pub(super) fn read(log: &mut Section<'_, '_>) -> LogConfig {
    let format = log.read("format", LogFormat::Auto);
    let level = log.read("level", Level("info".to_owned())).0;
    LogConfig { format, level }
}

impl Word for LogFormat {
    const CHOICE: &'static str = "`auto`, `text` or `json`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("text", Self::Text), ("json", Self::Json)];
}

struct Level(String);

impl Value for Level {
    const EXPECTED: &'static str = "a level such as \"info\", or \"warn,sporegate::auth=debug\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        raw.string(Self::EXPECTED)?;
        let text = String::read(raw)?;
        // Directives on spans may have commas and equals signs inside: left to the filter.
        let wrong = text.split(',').map(str::trim).find(|directive| !is_directive(directive));
        match wrong {
            Some(wrong) if !text.contains('[') => Err(Fault::refuse(
                wrong,
                "write a level (off, error, warn, info, debug, trace) or `target=level`, with \
                 commas between",
            )),
            _ => Ok(Self(text)),
        }
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

fn is_directive(text: &str) -> bool {
    match text.split_once('=') {
        Some((target, level)) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
            !target.is_empty() && target.chars().all(plain) && is_level(level)
        }
        None => is_level(text),
    }
}

fn is_level(text: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_are_told_from_misspelt_ones() {
        for text in
            ["info", "WARN", "off", "warn,sporegate::auth=debug", "a-b.c=trace", "info, x=off"]
        {
            assert!(text.split(',').map(str::trim).all(is_directive), "{text}");
        }
        for text in
            ["inof", "", "verbose", "sporegate", "=info", "x=", "x=y", "a b=info", "x=info=y"]
        {
            assert!(!is_directive(text), "{text}");
        }
    }
}
