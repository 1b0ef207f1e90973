//! Reads the TOML text of a token file, strictly: every key is known and every value checked.
//!
//! Invariant: no value of the file is repeated in an error; a token that was pasted to the wrong
//! place stays out of the logs.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::{Datetime, Offset};

use super::keys::read_bounded;
use super::setup_error::{KeyProblem, TokenFileProblem};
use super::token_file::{HASH_PREFIX, MAX_FILE_BYTES, MAX_TOKENS, StaticToken, authenticator};
use crate::principal::{Identity, Principal};

/// A problem and its line, from 1.
type Problem = (Option<usize>, TokenFileProblem);

const TOKEN_KEYS: [&str; 4] = ["user", "roles", "hash", "expires"];

pub(super) fn load(path: &Path) -> Result<Vec<StaticToken>, Problem> {
    let bytes = read_bounded(path, MAX_FILE_BYTES).map_err(|problem| match problem {
        KeyProblem::Unreadable(error) => (None, TokenFileProblem::Unreadable(error)),
        _ => (None, TokenFileProblem::TooLarge),
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| (None, TokenFileProblem::Syntax("it is not UTF-8 text".to_owned())))?;
    parse(&text)
}

pub(super) fn parse(text: &str) -> Result<Vec<StaticToken>, Problem> {
    let at = |span: Range<usize>| Some(line(text, span.start));
    let document = DeTable::parse(text).map_err(|error| {
        (error.span().and_then(at), TokenFileProblem::Syntax(error.message().to_owned()))
    })?;
    let mut tokens: Vec<StaticToken> = Vec::new();
    let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
    for (key, value) in document.get_ref() {
        if key.get_ref() != "token" {
            return Err((at(key.span()), unknown_key(key.get_ref(), &["[[token]]"])));
        }
        let DeValue::Array(entries) = value.get_ref() else {
            return Err((at(value.span()), NOT_TABLES));
        };
        if entries.len() > MAX_TOKENS {
            return Err((None, TokenFileProblem::TooManyTokens(entries.len())));
        }
        for entry in entries {
            let DeValue::Table(table) = entry.get_ref() else {
                return Err((at(entry.span()), NOT_TABLES));
            };
            let token = Entry { table, span: entry.span() }
                .token()
                .map_err(|(span, problem)| (at(span), problem))?;
            let own_line = line(text, entry.span().start);
            if let Some(first) = seen.insert(token.hash, own_line) {
                return Err((Some(own_line), TokenFileProblem::DuplicateHash { first }));
            }
            tokens.push(token);
        }
    }
    Ok(tokens)
}

const NOT_TABLES: TokenFileProblem =
    TokenFileProblem::WrongType { key: "token", expected: "a table, written as `[[token]]`" };

struct Entry<'t, 'i> {
    table: &'t DeTable<'i>,
    span: Range<usize>,
}

impl Entry<'_, '_> {
    fn token(&self) -> Result<StaticToken, (Range<usize>, TokenFileProblem)> {
        for key in self.table.keys() {
            if !TOKEN_KEYS.contains(&key.get_ref().as_ref()) {
                return Err((key.span(), unknown_key(key.get_ref(), &TOKEN_KEYS)));
            }
        }
        let hash = self.required("hash", "a string", |value| value.as_str().map(parse_hash))?;
        let hash = hash.ok_or((self.span_of("hash"), TokenFileProblem::BadHash))?;
        let username =
            self.required("user", "a string", |value| value.as_str().map(str::to_owned))?;
        let roles = self.optional("roles", "an array of strings", string_array)?;
        let expires_at = self
            .optional("expires", DATE_TIME, |value| value.as_datetime().and_then(to_system_time))?;
        let identity = Identity {
            username,
            roles: roles.unwrap_or_default(),
            claims: None,
            expires_at,
            authenticator: authenticator(),
        };
        let principal =
            Principal::user(identity).map_err(|error| (self.span.clone(), error.into()))?;
        Ok(StaticToken { hash, principal })
    }

    fn required<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Result<T, (Range<usize>, TokenFileProblem)> {
        self.optional(key, expected, read)?
            .ok_or_else(|| (self.span.clone(), TokenFileProblem::MissingKey(key)))
    }

    fn optional<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Result<Option<T>, (Range<usize>, TokenFileProblem)> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match read(value.get_ref()) {
            Some(read) => Ok(Some(read)),
            None => Err((value.span(), TokenFileProblem::WrongType { key, expected })),
        }
    }

    fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }
}

fn unknown_key(key: &str, known: &[&str]) -> TokenFileProblem {
    let known = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    TokenFileProblem::UnknownKey { key: key.to_owned(), known }
}

fn string_array(value: &DeValue<'_>) -> Option<Vec<String>> {
    let array = value.as_array()?;
    array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix(HASH_PREFIX)?;
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

const DATE_TIME: &str = "a date and time with offset from 1970 on, such as 2031-12-31T23:59:59Z";

/// Leap seconds count as the second after.
fn to_system_time(datetime: &Datetime) -> Option<SystemTime> {
    let (date, time, offset) = (datetime.date?, datetime.time?, datetime.offset?);
    let minutes_east = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_from_1970(date.year.into(), date.month.into(), date.day.into());
    let seconds = days * 86_400
        + i64::from(time.hour) * 3_600
        + i64::from(time.minute) * 60
        + i64::from(time.second.unwrap_or(0))
        - minutes_east * 60;
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Days of the Gregorian calendar, counted in years that begin in March, so that the leap day is
/// the last of its year.
fn days_from_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_BEFORE_1970: i64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - DAYS_BEFORE_1970
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
