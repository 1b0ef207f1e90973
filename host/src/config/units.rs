//! Sizes and durations as people write them. A unit is never guessed: a bare number is accepted
//! only where its unit is part of the setting's name or meaning.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes, written with a binary unit: `512B`, `64KiB`, `1MiB`, `1GiB`, `1TiB`; a bare
/// integer is bytes. Prints with the largest unit that divides it, so that what is printed parses
/// to the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

const SIZE_UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl ByteSize {
    /// So many bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// So many times 1024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// So many times 1024 KiB.
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }

    /// So many times 1024 MiB.
    pub const fn gib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 30))
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; the largest length where it does not fit.
    pub fn as_len(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = SIZE_UNITS
            .iter()
            .find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor))
            .unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (count, unit) = number_and_unit(text, "a size such as `64KiB`")?;
        let factor = match unit {
            "" => 1,
            _ => SIZE_UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, factor)| *factor)
                .ok_or_else(|| UnitError::Unit {
                    unit: unit.to_owned(),
                    units: "B, KiB, MiB, GiB or TiB",
                })?,
        };
        count.checked_mul(factor).map(Self).ok_or(UnitError::TooLarge)
    }
}

/// Reads `500ms`, `15s`, `2m` or `1h`: an integer directly followed by its unit.
///
/// # Errors
/// A bare number, a fraction, an unknown unit, or more milliseconds than 64 bits hold.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let (count, unit) = number_and_unit(text, "a duration such as `15s`")?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" => return Err(UnitError::NoUnit { number: count }),
        _ => return Err(UnitError::Unit { unit: unit.to_owned(), units: "ms, s, m or h" }),
    };
    count.checked_mul(factor).map(Duration::from_millis).ok_or(UnitError::TooLarge)
}

/// Writes a duration with the largest unit that divides it; parts below a millisecond are cut.
pub fn duration_text(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}

/// Why a text is no size or no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// It does not begin with digits.
    #[error("it must be {wanted}: an integer directly followed by its unit")]
    NoNumber {
        /// What was wanted, with an example.
        wanted: &'static str,
    },
    /// It is a bare number where a unit is needed.
    #[error("it has no unit; write `{number}s` for seconds or `{number}ms` for milliseconds")]
    NoUnit {
        /// The number as given.
        number: u64,
    },
    /// What follows the number is no unit.
    #[error("`{unit}` is not a unit; use an integer directly followed by {units}")]
    Unit {
        /// What follows the number.
        unit: String,
        /// The units there are.
        units: &'static str,
    },
    /// It does not fit 64 bits.
    #[error("it is too large to count")]
    TooLarge,
}

fn number_and_unit<'t>(text: &'t str, wanted: &'static str) -> Result<(u64, &'t str), UnitError> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits.is_empty() {
        return Err(UnitError::NoNumber { wanted });
    }
    // Only digits: the one way to fail is to be too large.
    let count = digits.parse().map_err(|_| UnitError::TooLarge)?;
    Ok((count, unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_with_binary_units() {
        for (text, bytes) in [
            ("0", 0),
            ("512B", 512),
            ("512", 512),
            ("64KiB", 65_536),
            ("1MiB", 1 << 20),
            ("1GiB", 1 << 30),
            ("2TiB", 2 << 40),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize::bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn wrong_sizes_say_what_is_wrong() {
        for (text, error) in [
            ("", "it must be a size such as `64KiB`: an integer directly followed by its unit"),
            ("KiB", "it must be a size such as `64KiB`: an integer directly followed by its unit"),
            (
                "-1KiB",
                "it must be a size such as `64KiB`: an integer directly followed by its unit",
            ),
            (
                "64KB",
                "`KB` is not a unit; use an integer directly followed by B, KiB, MiB, GiB or TiB",
            ),
            (
                "64kib",
                "`kib` is not a unit; use an integer directly followed by B, KiB, MiB, GiB or TiB",
            ),
            (
                "1.5MiB",
                "`.5MiB` is not a unit; use an integer directly followed by B, KiB, MiB, GiB or TiB",
            ),
            (
                "1 MiB",
                "` MiB` is not a unit; use an integer directly followed by B, KiB, MiB, GiB or TiB",
            ),
            ("99999999999999999999", "it is too large to count"),
            ("99999999999999TiB", "it is too large to count"),
        ] {
            let given = text.parse::<ByteSize>();
            assert_eq!(given.map_err(|e| e.to_string()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_are_read_with_their_unit() {
        for (text, ms) in
            [("0s", 0), ("500ms", 500), ("15s", 15_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn wrong_durations_say_what_is_wrong() {
        for (text, error) in [
            ("", "it must be a duration such as `15s`: an integer directly followed by its unit"),
            (
                "soon",
                "it must be a duration such as `15s`: an integer directly followed by its unit",
            ),
            ("15", "it has no unit; write `15s` for seconds or `15ms` for milliseconds"),
            ("15x", "`x` is not a unit; use an integer directly followed by ms, s, m or h"),
            ("1.5s", "`.5s` is not a unit; use an integer directly followed by ms, s, m or h"),
            ("1h30m", "`h30m` is not a unit; use an integer directly followed by ms, s, m or h"),
            ("99999999999999999h", "it is too large to count"),
        ] {
            let given = parse_duration(text);
            assert_eq!(given.map_err(|e| e.to_string()), Err(error.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_value(count: u64) {
            let size = ByteSize::bytes(count);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
            let duration = Duration::from_millis(count);
            prop_assert_eq!(parse_duration(&duration_text(duration)), Ok(duration));
        }
    }
}
