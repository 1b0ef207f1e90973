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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

    fn refused(text: &str) -> (Option<usize>, String) {
        let text = text.replace("HASH", HASH);
        let (line, problem) = parse(&text).err().unwrap_or_else(|| panic!("accepted: {text}"));
        (line, problem.to_string())
    }

    #[test]
    fn entries_are_read() {
        let text = format!(
            "[[token]]\nuser = \"ann\"\nroles = [\"b\", \"a\"]\nhash = \"{HASH}\"\n\
             expires = 2030-01-02T03:04:05+01:00\n\n[[token]]\nuser = \"bob\"\nhash = \"sha256:{}\"\n",
            "f".repeat(64)
        );
        let tokens = parse(&text).ok().unwrap();
        let [ann, bob] = &tokens[..] else { panic!("{} tokens", tokens.len()) };
        assert_eq!((ann.hash[1], ann.hash[31]), (0x11, 0xff));
        assert_eq!(ann.principal.roles().len(), 2);
        let expected = UNIX_EPOCH + Duration::from_secs(1_893_549_845);
        assert_eq!(ann.principal.expires_at(), Some(expected));
        assert_eq!(&**bob.principal.username().unwrap(), "bob");
        assert!(bob.principal.expires_at().is_none() && bob.principal.claims().is_none());
        assert!(parse("").is_ok_and(|tokens| tokens.is_empty()));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_line_and_without_its_value() {
        for (text, line, expected) in [
            ("x = 1", 1, "unknown key `x`; known here: `[[token]]`"),
            ("\ntoken = \"canary\"", 2, "`token` must be a table"),
            ("token = [\"canary\"]", 1, "`token` must be a table"),
            ("[token]\nuser = \"ann\"", 1, "`token` must be a table"),
            ("[[token]]\nuser = \"ann\"\nhash = \"HASH\"\nrole = [\"a\"]", 4, "unknown key `role`"),
            ("[[token]]\ntoken = \"canary\"", 2, "unknown key `token`"),
            ("[[token]]\nhash = \"HASH\"", 1, "needs the key `user`"),
            ("# a\n[[token]]\nuser = \"ann\"", 2, "needs the key `hash`"),
            ("[[token]]\nuser = \"ann\"\nhash = \"canary\"", 3, "`hash` must be `sha256:`"),
            ("[[token]]\nuser = \"ann\"\nhash = \"HASH0\"", 3, "`hash` must be `sha256:`"),
            ("[[token]]\nuser = \"ann\"\nhash = \"md5:00\"", 3, "`hash` must be `sha256:`"),
            ("[[token]]\nuser = \"ann\"\nhash = 12", 3, "`hash` must be a string"),
            ("[[token]]\nuser = 1\nhash = \"HASH\"", 2, "`user` must be a string"),
            ("[[token]]\nuser = \"\"\nhash = \"HASH\"", 1, "the user name is empty"),
            ("[[token]]\nuser = \"a\\n\"\nhash = \"HASH\"", 1, "contains a control character"),
            ("[[token]]\nuser = \"a\"\nhash = \"HASH\"\nroles = \"canary\"", 4, "`roles` must be"),
            ("[[token]]\nuser = \"a\"\nhash = \"HASH\"\nroles = [1]", 4, "`roles` must be"),
            (
                "[[token]]\nuser = \"a\"\nhash = \"HASH\"\nexpires = \"canary\"",
                4,
                "`expires` must be",
            ),
            ("[[token]]\nuser = \"a\"\nhash = \"HASH\"\nexpires = 2030-01-01", 4, "date and time"),
            (
                "[[token]]\nuser = \"a\"\nhash = \"HASH\"\nexpires = 2030-01-01T00:00:00",
                4,
                "offset",
            ),
            ("[[token]]\nuser = \"a\"\nhash = \"HASH\"\nexpires = 1960-01-01T00:00:00Z", 4, "1970"),
            ("[[token]]\nuser = \"a\"\nuser = \"canary\"", 3, "duplicate key"),
            ("[[token]]\nuser = \"canary", 2, "not valid TOML"),
            (
                "[[token]]\nuser = \"a\"\nhash = \"HASH\"\n[[token]]\nuser = \"b\"\nhash = \"HASH\"",
                4,
                "the same hash as on line 1",
            ),
        ] {
            let (found, message) = refused(text);
            assert_eq!(found, Some(line), "{text}: {message}");
            assert!(message.contains(expected) && !message.contains("canary"), "{text}: {message}");
        }
    }

    #[test]
    fn tokens_are_counted() {
        let entries = |count: usize| -> String {
            (0..count)
                .map(|n| format!("[[token]]\nuser = \"a\"\nhash = \"sha256:{n:064x}\"\n"))
                .collect()
        };
        assert!(parse(&entries(MAX_TOKENS)).is_ok());
        assert!(refused(&entries(MAX_TOKENS + 1)).1.contains("1001 tokens"));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((1970, 3, 1), 59),
            ((1972, 2, 29), 789),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2026, 11, 23), 20_780),
            ((2100, 3, 1), 47_541),
            ((9999, 12, 31), 2_932_896),
        ] {
            assert_eq!(days_from_1970(date.0, date.1, date.2), days, "{date:?}");
        }
    }
}
