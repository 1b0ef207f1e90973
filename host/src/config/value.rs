//! One value of a setting, out of a file, a variable or a flag, by the same rules. Knows no keys.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeInteger, DeValue};

use super::nearest::did_you_mean;
use super::units::{ByteSize, duration_text, parse_duration};
use crate::path::PathPattern;

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// What it takes, for "must be ...".
    const EXPECTED: &'static str;

    /// Reads and validates it.
    fn read(raw: Raw<'_>) -> Result<Self, Fault>;

    /// The value as it would be written in the file.
    fn text(&self) -> String;
}

/// A value as it was written.
#[derive(Clone, Copy)]
pub(super) struct Raw<'d> {
    pub(super) written: Written<'d>,
    /// What relative paths are relative to.
    pub(super) base: &'d Path,
    /// The key ends in `Sec`: a duration is an integer number of seconds.
    pub(super) seconds: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Written<'d> {
    /// In a file.
    Toml(&'d DeValue<'d>),
    /// In a variable or flag.
    Text(&'d str),
}

/// Why a value was refused.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// Where in the file's text, if nearer than the value's own begin.
    pub(super) offset: Option<usize>,
}

#[derive(Debug)]
pub(super) enum FaultKind {
    WrongType { expected: &'static str, found: &'static str },
    Bad { value: Option<String>, why: String },
}

impl Fault {
    /// Refuses without repeating the value.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self { kind: FaultKind::Bad { value: None, why: why.into() }, offset: None }
    }

    /// Refuses and repeats the value, which must not be a secret.
    pub(super) fn refuse(value: &str, why: impl std::fmt::Display) -> Self {
        let kind = FaultKind::Bad { value: Some(value.to_owned()), why: why.to_string() };
        Self { kind, offset: None }
    }
}

impl<'d> Raw<'d> {
    pub(super) fn wrong_type(self, expected: &'static str) -> Fault {
        match self.written {
            Written::Toml(value) => {
                let kind = FaultKind::WrongType { expected, found: type_name(value) };
                Fault { kind, offset: None }
            }
            Written::Text(_) => Fault::bad(format!("it must be {expected}")),
        }
    }

    /// The text of a string; anything else is a wrong type.
    pub(super) fn string(self, expected: &'static str) -> Result<&'d str, Fault> {
        match self.written {
            Written::Text(text) => Ok(text),
            Written::Toml(DeValue::String(text)) => Ok(text),
            Written::Toml(_) => Err(self.wrong_type(expected)),
        }
    }

    fn integer(self, expected: &'static str) -> Result<u64, Fault> {
        let text = match self.written {
            Written::Toml(DeValue::Integer(integer)) => return unsigned(integer),
            Written::Toml(_) => return Err(self.wrong_type(expected)),
            Written::Text(text) => text,
        };
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Fault::refuse(text, format!("it must be {expected}")));
        }
        text.parse().map_err(|_| Fault::refuse(text, "it is too large to count"))
    }
}

fn unsigned(integer: &DeInteger<'_>) -> Result<u64, Fault> {
    let text = integer.as_str();
    if text.starts_with('-') && text.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        return Err(Fault::refuse(text, "it must not be negative"));
    }
    u64::from_str_radix(text.trim_start_matches(['-', '+']), integer.radix())
        .map_err(|_| Fault::refuse(text, "it is too large to count"))
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A string, number or boolean as text, numbers in decimal.
pub(super) fn plain_text(value: &DeValue<'_>) -> Result<String, String> {
    const MOST: usize = 64 << 10;
    match value {
        DeValue::String(text) if text.len() > MOST => {
            Err(format!("it is longer than {MOST} bytes"))
        }
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(yes) => Ok(yes.to_string()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "it is too large to count; write it as a string".to_owned()),
        other => Err(format!(
            "it must be a string, a number or a boolean, not {}; put it into a string",
            type_name(other)
        )),
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.written {
            Written::Toml(DeValue::Boolean(value)) => Ok(*value),
            Written::Toml(_) => Err(raw.wrong_type(Self::EXPECTED)),
            Written::Text("true") => Ok(true),
            Written::Text("false") => Ok(false),
            Written::Text(text) => Err(Fault::refuse(text, "it must be `true` or `false`")),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const EXPECTED: &'static str = "an integer";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let number = raw.integer(Self::EXPECTED)?;
        Self::try_from(number)
            .map_err(|_| Fault::refuse(&number.to_string(), "it must be below 4294967296"))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for ByteSize {
    const EXPECTED: &'static str = "a size such as \"64KiB\", or an integer number of bytes";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        if let Written::Toml(DeValue::Integer(integer)) = raw.written {
            return unsigned(integer).map(Self::bytes);
        }
        let text = raw.string(Self::EXPECTED)?;
        text.parse().map_err(|error| Fault::refuse(text, error))
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Value for Duration {
    const EXPECTED: &'static str = "a duration such as \"15s\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        if raw.seconds {
            return raw.integer("an integer number of seconds").map(Self::from_secs);
        }
        let text = raw.string(Self::EXPECTED)?;
        parse_duration(text).map_err(|error| Fault::refuse(text, error))
    }

    fn text(&self) -> String {
        format!("\"{}\"", duration_text(*self))
    }
}

impl Value for String {
    const EXPECTED: &'static str = "a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        const MOST: usize = 4096;
        let text = raw.string(Self::EXPECTED)?;
        match text {
            "" => Err(Fault::bad("it must not be empty; leave the setting out instead")),
            _ if text.len() > MOST => Err(Fault::bad(format!("it is longer than {MOST} bytes"))),
            _ if text.chars().any(char::is_control) => {
                Err(Fault::bad("it must not contain control characters"))
            }
            // What is left of bytes that are not UTF-8.
            _ if text.contains(char::REPLACEMENT_CHARACTER) => {
                Err(Fault::bad("it must be UTF-8 text"))
            }
            _ => Ok(text.to_owned()),
        }
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path of the file system, as a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        raw.string(Self::EXPECTED)?;
        String::read(raw).map(|text| raw.base.join(text))
    }

    fn text(&self) -> String {
        format!("\"{}\"", self.display())
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as \"127.0.0.1:8080\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        text.parse().map_err(|_| {
            Fault::refuse(
                text,
                "it must be an IP address and a port, such as `127.0.0.1:8080`, `[::1]:8080` or \
                 `0.0.0.0:8080` (port 0 takes a free one); host names are not looked up",
            )
        })
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Value for PathPattern {
    const EXPECTED: &'static str = "a path pattern such as \"/rooms/*\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        Self::parse(text).map_err(|error| Fault::refuse(text, error.fault))
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

/// Lists are TOML arrays in a file, and separated by commas in a variable or flag, where an empty
/// text is the empty list.
impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = "a list in brackets";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        const MOST: usize = 1_000;
        let list: Self = match raw.written {
            Written::Toml(DeValue::Array(items)) => items
                .iter()
                .map(|item| {
                    let written = Written::Toml(item.get_ref());
                    let within = |fault| Fault { offset: Some(item.span().start), ..fault };
                    T::read(Raw { written, ..raw }).map_err(within)
                })
                .collect::<Result<_, _>>()?,
            Written::Toml(_) => return Err(raw.wrong_type(Self::EXPECTED)),
            Written::Text("") => Vec::new(),
            Written::Text(text) => text
                .split(',')
                .map(|item| T::read(Raw { written: Written::Text(item.trim()), ..raw }))
                .collect::<Result<_, _>>()?,
        };
        if list.len() > MOST {
            return Err(Fault::bad(format!("it has more than {MOST} entries")));
        }
        Ok(list)
    }

    fn text(&self) -> String {
        format!("[{}]", self.iter().map(T::text).collect::<Vec<_>>().join(", "))
    }
}

/// A setting that takes one of a few words.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// What it takes, for "must be ...".
    const CHOICE: &'static str;
    /// All words and what they stand for.
    const WORDS: &'static [(&'static str, Self)];
}

impl<T: Word> Value for T {
    const EXPECTED: &'static str = T::CHOICE;

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = T::WORDS.iter().map(|(word, _)| *word).collect();
            Fault::refuse(text, did_you_mean(text, &words))
        })
    }

    fn text(&self) -> String {
        let word = T::WORDS.iter().find(|(_, value)| value == self).map_or("", |(word, _)| word);
        format!("\"{word}\"")
    }
}
