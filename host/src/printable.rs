//! Texts of others, made fit for a line that people read: they end no line, tell a terminal
//! nothing, and do not turn around what stands beside them.

use std::borrow::Cow;
use std::fmt::Write;

/// Most of a text that [`excerpt`] shows, in bytes.
pub const MAX_EXCERPT_BYTES: usize = 1_024;

/// The text with escapes for control characters but tabs, for separators of lines and paragraphs,
/// and for marks of direction.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_plain(c) {
            true => escaped.push(c),
            false => escaped.extend(c.escape_default()),
        }
    }
    escaped.into()
}

/// The same of the beginning of the text, at most [`MAX_EXCERPT_BYTES`] before they are escaped,
/// and how long it is if there is more.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_EXCERPT_BYTES {
        return printable(text);
    }
    let begin = text.get(..text.floor_char_boundary(MAX_EXCERPT_BYTES)).unwrap_or_default();
    let mut cut = printable(begin).into_owned();
    // Writing to a string cannot fail.
    let _ = write!(cut, "… ({} bytes)", text.len());
    cut.into()
}

fn is_plain(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c == '\t' || !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_no_line_and_tells_a_terminal_nothing() {
        for (text, shown) in [
            ("plain, \t\u{2603}", "plain, \t\u{2603}"),
            ("over\rwritten\n", "over\\rwritten\\n"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}31m \u{8}\u{7f}\0", "\\u{9b}31m \\u{8}\\u{7f}\\u{0}"),
            ("\u{85}\u{2028}\u{2029}", "\\u{85}\\u{2028}\\u{2029}"),
            ("\u{202e}gnp.exe", "\\u{202e}gnp.exe"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let fits = "x".repeat(MAX_EXCERPT_BYTES);
        assert_eq!(excerpt(&fits), fits);
        let long = format!("x{}", "\u{e4}".repeat(60_000));
        let shown = excerpt(&long);
        let begin = format!("x{}… (120001 bytes)", "\u{e4}".repeat(MAX_EXCERPT_BYTES / 2 - 1));
        assert_eq!(shown, begin);
        // The cut is before the escapes, which make it longer, but not without end.
        assert!(excerpt(&"\u{1b}".repeat(60_000)).len() < 7 * MAX_EXCERPT_BYTES);
    }
}
